// Package tour shows Tandem at work on one bank: it makes or takes the bank's files, loads them through the operational
// service, waits until ClickHouse has followed, values the customers by recency, frequency and money, waits until the
// values stand beside the customers, foretells what they will bring, and reports what was learned.
package tour

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"tandem.bank/services/cli/internal/demo/bank"
	"tandem.bank/services/cli/internal/importer"
)

// Config says which bank to show and where the services are.
type Config struct {
	// Bank is made in WorkDir, unless Data is given; its Dir and Progress are set by the tour.
	Bank bank.Config
	// Data is a folder with the tables of the Berka bank, to load instead of a generated one.
	Data string
	// WorkDir takes the generated files, the importer's state and errors, and the fingerprints of earlier tours.
	WorkDir string
	// CRM and Analytics lead to the services.
	CRM, Analytics grpc.ClientConnInterface
	// Import is how batches travel: BatchRows, InFlight and RetryFor count, the rest is set by the tour.
	Import importer.Config
	// Progress makes what shows the import, and a function that ends the show.
	Progress func() (importer.Progress, func())
	// Patience is how long each wait for the other half may take.
	Patience time.Duration
	// Out takes the report, Err the progress; Live says that Err is a terminal, whose last line can be written over.
	Out, Err io.Writer
	Live     bool
}

// Validate returns an error that names each broken field.
func (c Config) Validate() error {
	var errs []error
	if c.Data == "" {
		generated := c.Bank
		generated.Dir = c.WorkDir
		errs = append(errs, generated.Validate())
	}
	if c.WorkDir == "" {
		errs = append(errs, errors.New("work dir: must not be empty"))
	}
	if c.CRM == nil || c.Analytics == nil {
		errs = append(errs, errors.New("connections: must be given"))
	}
	if c.Progress == nil {
		errs = append(errs, errors.New("progress: must be given"))
	}
	if c.Patience <= 0 {
		errs = append(errs, errors.New("patience: must be positive"))
	}
	if c.Out == nil || c.Err == nil {
		errs = append(errs, errors.New("out and err: must be given"))
	}
	return errors.Join(errs...)
}

// tour is one tour under way.
type tour struct {
	config  Config
	console *console
	source  source
	report  Report
	// loaded is when the last row was accepted, computed when the RFM run was done.
	loaded, computed time.Time
	// watched are customers whose results are waited for.
	watched []int64
}

// Run gives the tour and writes the report. Rejected rows are reported, not an error.
func Run(ctx context.Context, config Config) error {
	if err := config.Validate(); err != nil {
		return err
	}
	t := &tour{config: config, console: newConsole(config.Err, config.Live)}
	steps := []struct {
		name string
		work func(context.Context) error
	}{
		{"prepare the bank's files", t.prepare},
		{"load them through crm", t.load},
		{"wait until ClickHouse has followed", t.follow},
		{"value the customers (RFM)", t.value},
		{"wait until the values are back", t.await},
		{"foretell what they will bring (CLV)", t.foretell},
		{"look at the best customers", t.look},
	}
	for i, step := range steps {
		took, err := t.console.phase(fmt.Sprintf("[%d/%d] %s", i+1, len(steps), step.name), func() error { return step.work(ctx) })
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		t.report.Phases = append(t.report.Phases, Phase{Name: step.name, Took: took})
	}
	if err := t.rememberCells(); err != nil {
		return err
	}
	return t.report.Write(config.Out)
}
