package main

import (
	"context"
	"io"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// CustomerTimelineCmd shows what happened with a customer.
type CustomerTimelineCmd struct {
	Customer customerName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Filter   string       `help:"Only some entries, as in 'kind = \"interaction\" AND time > \"now-30d\"'; also by channel, account_id, contract_id, card_id, subject, source."`
	Limit    int          `default:"50" help:"Most entries to show; 0 lists all."`
}

// Run prints one line an entry, newest first.
func (c *CustomerTimelineCmd) Run(ctx context.Context, app *App) error {
	return askPages(ctx, app, timelineService, c.Limit, crmv1.TimelineServiceClient.ListTimeline,
		&crmv1.ListTimelineRequest{CustomerId: c.Customer.id, CustomerKey: c.Customer.key, Filter: c.Filter},
		(*crmv1.ListTimelineResponse).GetEntries,
		func(out io.Writer, r *crmv1.ListTimelineResponse) error { return show.Timeline(out, r.GetEntries()) })
}

// CustomerInsightsCmd shows which results of runs stood beside a customer.
type CustomerInsightsCmd struct {
	Customer int64  `arg:"" placeholder:"ID" help:"Customer number."`
	Kind     string `enum:"all,segment,score" default:"all" help:"Only segments, or only scores: segment, score."`
	Name     string `help:"Only this segment or score, for example affluent or customer_clusters/2."`
	Limit    int    `default:"50" help:"Most changes to show; 0 lists all."`
}

// Run prints one line a change, newest first.
func (c *CustomerInsightsCmd) Run(ctx context.Context, app *App) error {
	kind := crmv1.InsightKind(enumValue(crmv1.InsightKind_value, "INSIGHT_KIND_", c.Kind))
	return askPages(ctx, app, customer360Service, c.Limit, crmv1.Customer360ServiceClient.ListInsightHistory,
		&crmv1.ListInsightHistoryRequest{CustomerId: c.Customer, Kind: kind, Name: c.Name},
		(*crmv1.ListInsightHistoryResponse).GetChanges,
		func(out io.Writer, r *crmv1.ListInsightHistoryResponse) error {
			return show.Insights(out, r.GetChanges())
		})
}
