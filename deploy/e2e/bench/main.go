// Command bench measures crm against Postgres itself: every figure is a ratio to the same work done by bare SQL in the
// same run, on the same machine, at the same concurrency. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"tandem.bank/deploy/e2e/bench/benchkit"
)

// memoryMax is what the bench itself takes of the memory.
const memoryMax = 1 << 30

// Config says how much is measured. Everything is bounded: rows by Customers, time by Slice, Rounds and Limit.
type Config struct {
	Customers int           `default:"100000" help:"Customers of the bank, with an account, cards and interactions each."`
	Workers   int           `default:"16" help:"Calls at the same time, for crm and for bare SQL alike."`
	Rounds    int           `default:"5" help:"Turns of each measurement; crm and bare SQL take turns, so that both see the same machine."`
	Slice     time.Duration `default:"2s" help:"Length of one turn."`
	Limit     time.Duration `default:"2h" help:"Longest the whole run may take."`
	Out       string        `default:"deploy/e2e/results/latest.json" help:"File for the results, below the root of the project."`
	Only      string        `help:"Measure only what has this in its name."`
	Data      string        `type:"path" help:"Folder that keeps the data: a bank that was loaded there before is measured again without loading it."`
}

// Validate names the first wrong setting.
func (c Config) Validate() error {
	switch {
	case c.Customers < 1000:
		return errors.New("customers: at least 1000, or every row is always in the cache of the processor")
	case c.Workers < 1 || c.Workers > 64:
		return errors.New("workers: 1 to 64")
	case c.Rounds < 1 || c.Slice < 100*time.Millisecond:
		return errors.New("rounds and slice: at least one turn of 100 ms")
	}
	return nil
}

func main() {
	var config Config
	benchkit.Main("bench", "Measures crm against bare SQL.", &config, func(ctx context.Context) error { return run(ctx, config) })
}

func run(ctx context.Context, config Config) error {
	// Our own garbage is not what is measured, and callers have machines of their own: it is collected when there is a lot of it.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryMax)
	ctx, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	return benchkit.InFolder(config.Data, func(root, work string) (err error) {
		benchkit.Say("starting Postgres, NATS and crm; load average %s", benchkit.LoadAverage())
		s, err := startStack(ctx, root, work)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
		results, err := measureAll(ctx, config, s)
		if err != nil {
			return err
		}
		return results.Publish(filepath.Join(root, config.Out), "crm")
	})
}

// measureAll loads the bank and takes the measurements, one after the other.
func measureAll(ctx context.Context, config Config, s *stack) (benchkit.Results, error) {
	results, err := loadOnce(ctx, config, s)
	if err != nil {
		return nil, err
	}
	b, err := openBench(ctx, config, s)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if _, err := b.pool.Exec(ctx, scoresSQL); err != nil {
		return nil, fmt.Errorf("give scores: %w", err)
	}
	for _, c := range cases {
		if !strings.Contains(c.name, config.Only) {
			continue
		}
		compared, err := b.compare(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, compared...)
	}
	for _, l := range lates {
		if !strings.Contains(l.name, config.Only) {
			continue
		}
		late, err := b.latency(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("latency of %s: %w", l.name, err)
		}
		results = append(results, late...)
	}
	if strings.Contains(comingHome, config.Only) {
		felt, err := b.results(ctx)
		if err != nil {
			return nil, fmt.Errorf("results that come home: %w", err)
		}
		results = append(results, felt...)
	}
	return results, nil
}
