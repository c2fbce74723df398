package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	datepb "google.golang.org/genproto/googleapis/type/date"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// ScheduleCmd groups what is done with schedules.
type ScheduleCmd struct {
	List ScheduleListCmd `cmd:"" help:"List what runs by itself, the next first."`
	Runs ScheduleRunsCmd `cmd:"" help:"List the last runs and how they ended."`
	Run  ScheduleRunCmd  `cmd:"" help:"Run a definition now, as its schedule would."`
}

// ScheduleListCmd lists schedules.
type ScheduleListCmd struct{}

// Run prints one line a definition.
func (c *ScheduleListCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scheduleService, callTimeout, analyticsv1.ScheduleServiceClient.ListSchedules,
		&analyticsv1.ListSchedulesRequest{}, printSchedules)
}

func printSchedules(out io.Writer, all *analyticsv1.ListSchedulesResponse) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "name\tkind\tversion\tschedule\tnext\tas of\tlast run\n")
	for _, s := range all.GetSchedules() {
		next, asOf, last := "paused", "", "never"
		if s.GetNextTime() != nil {
			next, asOf = moment(s.GetNextTime()), dayText(s.GetNextAsOf())
		}
		if r := s.GetLastRun(); r != nil {
			last = shortWord(r.GetOutcome().String()) + " for " + dayText(r.GetAsOf())
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", s.GetName(), s.GetKind(), s.GetVersion(), s.GetCron(), next, asOf, last)
	}
	return w.Flush()
}

func dayText(d *datepb.Date) string {
	return fmt.Sprintf("%04d-%02d-%02d", d.GetYear(), d.GetMonth(), d.GetDay())
}

// ScheduleRunsCmd lists runs.
type ScheduleRunsCmd struct {
	Name  string `arg:"" optional:"" help:"Definition; default is all."`
	Limit int32  `default:"50" help:"Most runs to list, up to 1000."`
}

// Run prints one line a run.
func (c *ScheduleRunsCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scheduleService, callTimeout, analyticsv1.ScheduleServiceClient.ListScheduleRuns,
		&analyticsv1.ListScheduleRunsRequest{Name: c.Name, PageSize: c.Limit}, printScheduleRuns)
}

func printScheduleRuns(out io.Writer, page *analyticsv1.ListScheduleRunsResponse) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "name\tversion\tas of\tbegun\tseconds\toutcome\tresult\n")
	for _, r := range page.GetRuns() {
		seconds, result := "", r.GetResult()
		if r.GetEndTime() != nil {
			seconds = fmt.Sprintf("%.1f", r.GetEndTime().AsTime().Sub(r.GetStartTime().AsTime()).Seconds())
		}
		if r.GetError() != "" {
			result = r.GetError()
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", r.GetName(), r.GetVersion(), dayText(r.GetAsOf()), moment(r.GetStartTime()), seconds,
			shortWord(r.GetOutcome().String()), result)
	}
	return w.Flush()
}

// ScheduleRunCmd runs a definition now.
type ScheduleRunCmd struct {
	Name    string        `arg:"" help:"Name of the definition."`
	AsOf    day           `placeholder:"YYYY-MM-DD" help:"Day to run it for; default is yesterday in the bank's time zone."`
	Version int64         `placeholder:"N" help:"Version of its spec; default is the newest."`
	Timeout time.Duration `default:"30m" help:"How long the run may take."`
}

// Run waits for the outcome.
func (c *ScheduleRunCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, scheduleService, c.Timeout, analyticsv1.ScheduleServiceClient.RunNow,
		&analyticsv1.RunNowRequest{Name: c.Name, Version: c.Version, AsOf: c.AsOf.Date}, printScheduleRun)
}

func printScheduleRun(out io.Writer, answer *analyticsv1.RunNowResponse) error {
	r := answer.GetRun()
	_, err := fmt.Fprintf(out, "%s, version %d, as of %s: %s %s\n", r.GetName(), r.GetVersion(), dayText(r.GetAsOf()),
		shortWord(r.GetOutcome().String()), r.GetResult())
	return err
}
