package main

import (
	"context"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// rfmChoice names a run and what customers are told apart by.
type rfmChoice struct {
	RunID string `name:"run" placeholder:"ID" help:"Run; default is the newest."`
	By    string `enum:"segment,recency,frequency,monetary,cell" default:"segment" help:"segment, recency, frequency, monetary or cell."`
}

var measuresByFlag = map[string]analyticsv1.RfmMeasure{
	"segment": analyticsv1.RfmMeasure_RFM_MEASURE_SEGMENT, "recency": analyticsv1.RfmMeasure_RFM_MEASURE_RECENCY,
	"frequency": analyticsv1.RfmMeasure_RFM_MEASURE_FREQUENCY, "monetary": analyticsv1.RfmMeasure_RFM_MEASURE_MONETARY,
	"cell": analyticsv1.RfmMeasure_RFM_MEASURE_CELL,
}

// RfmMigrationCmd prints who went where.
type RfmMigrationCmd struct {
	rfmChoice
	From day `required:"" placeholder:"YYYY-MM-DD" help:"Day to start from; the newest snapshot at or before it counts."`
	To   day `required:"" placeholder:"YYYY-MM-DD" help:"Day to arrive at."`
}

// Run prints the moves.
func (c *RfmMigrationCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, rfmService, callTimeout, analyticsv1.RfmServiceClient.GetRfmMigration, &analyticsv1.GetRfmMigrationRequest{
		RunId: c.RunID, From: c.From.Date, To: c.To.Date, By: measuresByFlag[c.By],
	}, show.RfmMigration)
}

// RfmResponseCmd prints response rates.
type RfmResponseCmd struct {
	rfmChoice
	WindowDays int32    `placeholder:"365" help:"Days to look back."`
	Kinds      []string `help:"Kinds of interaction that are contacts; default is campaign_contact."`
	Outcomes   []string `help:"Outcomes that are responses; default is interested and sold."`
}

// Run prints the rates.
func (c *RfmResponseCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, rfmService, callTimeout, analyticsv1.RfmServiceClient.GetRfmResponseRates, &analyticsv1.GetRfmResponseRatesRequest{
		RunId: c.RunID, By: measuresByFlag[c.By], WindowDays: c.WindowDays, Kinds: c.Kinds, Outcomes: c.Outcomes,
	}, show.RfmResponseRates)
}

// RfmExplainCmd explains a customer's cell.
type RfmExplainCmd struct {
	RunID    string `name:"run" placeholder:"ID" help:"Run; default is the newest."`
	Customer int64  `arg:"" help:"Customer number."`
}

// Run prints the explanation.
func (c *RfmExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, rfmService, callTimeout, analyticsv1.RfmServiceClient.ExplainRfm,
		&analyticsv1.ExplainRfmRequest{RunId: c.RunID, CustomerId: c.Customer},
		show.RfmExplanation)
}
