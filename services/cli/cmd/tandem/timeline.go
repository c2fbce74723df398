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
