package main

import (
	"context"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

// CustomerTimelineCmd shows what happened with a customer.
type CustomerTimelineCmd struct {
	Customer customerName `arg:"" placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer number, or source and external id as in berka/1."`
	Filter   string       `help:"Only some entries, as in 'kind = \"interaction\" AND time > \"now-30d\"'; also by channel, account_id, contract_id, card_id, subject, source."`
	Limit    int          `default:"50" help:"Most entries to show."`
}

// Run prints one line an entry, newest first.
func (c *CustomerTimelineCmd) Run(ctx context.Context, app *App) error {
	conn, err := app.CRM()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	client, all := crmv1.NewTimelineServiceClient(conn), &crmv1.ListTimelineResponse{}
	request := &crmv1.ListTimelineRequest{CustomerId: c.Customer.id, CustomerKey: c.Customer.key, Filter: c.Filter}
	for len(all.GetEntries()) < c.Limit {
		request.PageSize = int32(min(c.Limit-len(all.GetEntries()), listedPage)) //nolint:gosec // at most listedPage
		page, err := client.ListTimeline(ctx, request)
		if err != nil {
			return err
		}
		all.CustomerId, all.Entries = page.GetCustomerId(), append(all.Entries, page.GetEntries()...)
		if all.NextPageToken = page.GetNextPageToken(); all.GetNextPageToken() == "" {
			break
		}
		request.PageToken = all.GetNextPageToken()
	}
	if app.JSON {
		return printJSON(app, all)
	}
	return show.Timeline(app.Out, all.GetEntries())
}
