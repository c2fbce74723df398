// Command segment measures segments: a preview against the same count written by hand, a hundred followed segments for changed
// customers and for all, an explanation, and the training of a score. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	_ "embed"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"tandem.bank/deploy/e2e/bench/benchkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

var (
	//go:embed generate.sql
	generateSQL string
	//go:embed define.sql
	defineSQL string
	//go:embed change.sql
	changeSQL string
)

// Config says how much is measured.
type Config struct {
	Customers int           `default:"1000000" help:"Customers."`
	Limit     time.Duration `default:"1h" help:"Longest the whole run may take."`
	Out       string        `default:"deploy/e2e/results/latest.json" help:"File for the results, below the root of the project."`
}

func main() {
	var config Config
	benchkit.Main("segment", "Measures segments.", &config, func(ctx context.Context) error { return run(ctx, config) })
}

func run(ctx context.Context, config Config) error {
	ctx, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	return benchkit.WithStack(ctx, nil, func(ctx context.Context, s *benchkit.Stack) error {
		messages, err := nats.Connect(s.Addresses["TANDEM_NATS_URL"])
		if err != nil {
			return err
		}
		defer messages.Close()
		b := &bench{
			Stack: s, nats: messages,
			segments: analyticsv1.NewSegmentServiceClient(s.Analytics), facts: analyticsv1.NewFactServiceClient(s.Analytics),
		}
		err = benchkit.InTurn(ctx,
			benchkit.Part{Name: "generate", Work: func(ctx context.Context) error { return b.generate(ctx, config.Customers) }},
			benchkit.Part{Name: "facts", Work: b.tellFacts},
			benchkit.Part{Name: "preview", Work: b.measurePreview},
			benchkit.Part{Name: "full", Work: b.measureFull},
			benchkit.Part{Name: "changes", Work: b.measureChanges},
			benchkit.Part{Name: "explain", Work: b.measureExplain},
			benchkit.Part{Name: "train", Work: func(ctx context.Context) error { return b.measureTraining(ctx, config.Customers) }})
		if err != nil {
			return err
		}
		return b.results.Publish(filepath.Join(s.Root, config.Out), "segment")
	})
}

// bench talks to a running stack.
type bench struct {
	*benchkit.Stack
	nats     *nats.Conn
	segments analyticsv1.SegmentServiceClient
	facts    analyticsv1.FactServiceClient
	results  benchkit.Results
}

// generate fills the warehouse by SQL inside ClickHouse.
func (b *bench) generate(ctx context.Context, customers int) error {
	began := time.Now()
	err := b.Fill(ctx, generateSQL, customers)
	benchkit.Say("%d customers in %.1f s; load average %s", customers, time.Since(began).Seconds(), benchkit.LoadAverage())
	return err
}
