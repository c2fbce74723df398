package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"tandem.bank/pkg/date"
	"tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/demo/tour"
	"tandem.bank/services/cli/internal/importer"
	"tandem.bank/services/cli/internal/show"
)

// DemoCmd groups the commands of the demonstration bank.
type DemoCmd struct {
	Generate   DemoGenerateCmd   `cmd:"" help:"Write a believable bank as CSV files, for import --mapping demo."`
	Parameters DemoParametersCmd `cmd:"" help:"Print the parameters of the purchases in every generated bank."`
	Run        DemoRunCmd        `cmd:"" help:"Load a bank, wait for ClickHouse, run RFM and report what was learned."`
}

// DemoGenerateCmd writes a bank.
type DemoGenerateCmd struct {
	Customers int    `default:"10000" help:"Number of customers."`
	Seed      uint64 `default:"1" help:"Picks one bank of the many; the same seed gives the same bytes."`
	End       day    `default:"2026-06-30" placeholder:"YYYY-MM-DD" help:"Last day of the history."`
	Months    int    `default:"24" help:"Length of the history."`
	Out       string `required:"" type:"path" placeholder:"DIR" help:"Folder to write to; files in it are overwritten."`
}

// Run writes the files and prints their sizes.
func (c *DemoGenerateCmd) Run(ctx context.Context, app *App) error {
	end, err := date.Time(c.End.Date)
	if err != nil {
		return fmt.Errorf("--end: %w", err)
	}
	begun := time.Now()
	// The bar is for terminals: elsewhere mpb draws nothing.
	bars := mpb.New(mpb.WithOutput(app.Err))
	bar := bars.AddBar(int64(c.Customers), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("customers")), mpb.AppendDecorators(decor.CountersNoUnit("%d of %d")))
	summary, err := bank.Generate(ctx, bank.Config{
		Customers: c.Customers, Seed: c.Seed, End: end, Months: c.Months, Dir: c.Out,
		Progress: func(done int) { bar.SetCurrent(int64(done)) },
	})
	bar.Abort(true) // after an error; a full bar is gone already
	bars.Wait()
	if err != nil {
		return err
	}
	if app.JSON {
		return indented(app.Out, summary)
	}
	w := tabwriter.NewWriter(app.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "rows\t  file\n")
	for _, file := range summary.Files {
		_, _ = fmt.Fprintf(w, "%s\t  %s.csv\n", show.Count(file.Rows), file.Name)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Out, "%s to %s, in %s, after %s\n", summary.Start, summary.End, c.Out, time.Since(begun).Round(10*time.Millisecond))
	return err
}

// DemoParametersCmd prints the purchase process.
type DemoParametersCmd struct{}

// Run prints the parameters.
func (DemoParametersCmd) Run(app *App) error {
	m := bank.Model()
	if app.JSON {
		return indented(app.Out, m)
	}
	_, err := fmt.Fprintf(app.Out, `%s.
They are the transactions of kind %s; %s.

purchases a week   λ ~ Gamma(r = %g, α = %g)          mean %g
stopping           p ~ Beta(a = %g, b = %g)         mean %g after each repeat purchase
amounts            z ~ Gamma(p = %g, ν), ν ~ Gamma(q = %g, v = %g)   mean %g %s
first purchase     within %g weeks of the history's start; new customers after %g weeks in the mean
`, m.Model, m.TransactionKind, m.FirstPurchases, m.R, m.Alpha, m.MeanRate, m.A, m.B, m.MeanStop,
		m.SpendP, m.SpendQ, m.SpendV, m.MeanPurchase, bank.Currency, m.FirstPurchaseWeeks, m.NewCustomerWeeks)
	return err
}

func indented(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// DemoRunCmd shows Tandem at work on one bank.
type DemoRunCmd struct {
	Customers int           `default:"10000" help:"Number of customers of the generated bank."`
	Seed      uint64        `default:"1" help:"Picks one bank of the many."`
	Data      string        `type:"existingdir" placeholder:"DIR" help:"Folder with the tables of the Berka bank, to load instead of a generated one."`
	WorkDir   string        `env:"TANDEM_DEMO_DIR" default:".local/demo" type:"path" help:"Folder for generated files, checkpoints and rejected rows."`
	Patience  time.Duration `default:"10m" help:"How long each wait for the other half may take."`
	RetryFor  time.Duration `default:"2m" help:"How long the import tries again while the service does not answer."`
	BatchRows int           `default:"1000" help:"Rows of a batch, up to 5000."`
	InFlight  int           `default:"4" help:"Batches that travel at the same time."`
}

// Run gives the tour and prints the report.
func (c *DemoRunCmd) Run(ctx context.Context, app *App) error {
	crm, err := app.CRM()
	if err != nil {
		return err
	}
	analytics, err := app.Analytics()
	if err != nil {
		return err
	}
	// What comes with the program is there to be run by name, and by its schedule.
	quiet := *app
	quiet.Out = io.Discard
	if err := (&DefinitionInitCmd{}).Run(ctx, &quiet); err != nil {
		return fmt.Errorf("the definitions that come with the program: %w", err)
	}
	file, isFile := app.Err.(*os.File)
	return tour.Run(ctx, tour.Config{
		Bank: bank.Config{Customers: c.Customers, Seed: c.Seed},
		Data: c.Data, WorkDir: c.WorkDir, CRM: crm, Analytics: analytics,
		Import:   importer.Config{BatchRows: c.BatchRows, InFlight: c.InFlight, RetryFor: c.RetryFor},
		Progress: func() (importer.Progress, func()) { return progressOn(app.Err) },
		Patience: c.Patience, Out: app.Out, Err: app.Err,
		Live: isFile && term.IsTerminal(int(file.Fd())),
	})
}
