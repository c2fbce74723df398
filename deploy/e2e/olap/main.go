// Command olap measures reports and the views for analysts, in the same run: views against the same questions over a copy of
// the tables without duplicates, and each ready report against the best query for the same answer that a person wrote, and
// against Postgres with the same rows. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tandem.bank/deploy/e2e/bench/benchkit"
)

// Config says how much is measured.
type Config struct {
	Customers int           `default:"100000" help:"Customers of the bank, with twenty transactions each."`
	Rounds    int           `default:"5" help:"Turns of each question; both sides take turns, and the best of each counts."`
	Only      string        `help:"Measure only what has this in its name."`
	Limit     time.Duration `default:"3h" help:"Longest the whole run may take."`
	Out       string        `default:"deploy/e2e/results/latest.json" help:"File for the results, below the root of the project."`
}

func main() {
	var config Config
	benchkit.Main("olap", "Measures reports and the views for analysts.", &config, func(ctx context.Context) error { return run(ctx, config) })
}

func run(ctx context.Context, config Config) error {
	ctx, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	settings := clickhouse.Settings{"max_partitions_per_insert_block": 0, "do_not_merge_across_partitions_select_final": 1}
	return benchkit.WithStack(ctx, settings, func(ctx context.Context, s *benchkit.Stack) error {
		b, err := openBench(ctx, config, s)
		if err != nil {
			return err
		}
		defer b.close()
		if err := b.load(ctx); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		results, err := b.measure(ctx)
		if err != nil {
			return err
		}
		return results.Publish(filepath.Join(s.Root, config.Out), "olap")
	})
}

// measure takes all measurements, one after the other.
func (b *bench) measure(ctx context.Context) (benchkit.Results, error) {
	var results benchkit.Results
	for _, q := range questions {
		if !strings.Contains(q.name, b.config.Only) {
			continue
		}
		found, err := b.view(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		results.Add(found...)
	}
	// All that is wrong with the queries is told at once.
	var failed []error
	names, err := b.reportNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !strings.Contains(name, b.config.Only) {
			continue
		}
		found, err := b.report(ctx, name)
		if err != nil {
			failed = append(failed, fmt.Errorf("report %s: %w", name, err))
		}
		results.Add(found...)
	}
	return results, errors.Join(failed...)
}
