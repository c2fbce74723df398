package main

import (
	"context"
	"fmt"
	"io"
	"time"

	datepb "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

// RunCmd groups the analyses.
type RunCmd struct {
	Rfm RunRfmCmd `cmd:"" help:"Value customers by recency, frequency and amount of their transactions."`
	Clv RunClvCmd `cmd:"" help:"Value customers over their lifetime: what they brought, and what is expected of them."`
}

// RunRfmCmd computes an RFM snapshot.
type RunRfmCmd struct {
	AsOf       day      `required:"" placeholder:"YYYY-MM-DD" help:"Day to look from."`
	Definition string   `placeholder:"NAME" help:"Saved definition that says how, in place of the flags below."`
	Version    int64    `placeholder:"N" help:"Version of the definition; default is the newest."`
	WindowDays int32    `placeholder:"365" help:"Days to look back."`
	Kinds      []string `help:"Kinds of transaction that count, such as card_payment; default are those that customers make themselves."`
	runFlags
}

// Run computes the snapshot and prints it.
func (c *RunRfmCmd) Run(ctx context.Context, app *App) error {
	request := &analyticsv1.RunRfmRequest{AsOf: c.AsOf.Date, WindowDays: c.WindowDays, TransactionKinds: c.Kinds}
	if c.Definition != "" {
		request.Definition = &analyticsv1.DefinitionRef{Name: c.Definition, Version: c.Version}
	}
	return runOf(ctx, app, c.runFlags, rfmService, analyticsv1.RfmServiceClient.RunRfm, request,
		func(out io.Writer, r *analyticsv1.RunRfmResponse) error { return show.RfmRun(out, r.GetRun()) })
}

// day is a flag that takes a date.
type day struct{ *datepb.Date }

// UnmarshalText reads 1997-12-31.
func (d *day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a date such as 1997-12-31", text)
	}
	d.Date = date.Proto(t)
	return nil
}

func printJSON(app *App, m proto.Message) error {
	text, err := protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Marshal(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Out, "%s\n", text)
	return err
}
