// Command olap measures reports and the views for analysts, in the same run: views against the same questions over a copy of
// the tables without duplicates, and each ready report against the best query for the same answer that a person wrote, and
// against Postgres with the same rows. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
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
	engine.RunIfChild()
	var config Config
	kong.Parse(&config, kong.Name("olap"), kong.Description("Measures reports and the views for analysts."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, config)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "olap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config Config) (err error) {
	ctx, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	root, err := project.Root(".")
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tandem-olap-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	s, err := stack.New(stack.Config{
		Engines:    stack.EnginesConfig{Root: root, DataDir: filepath.Join(work, "data"), Throwaway: true},
		CRMProgram: filepath.Join(root, "bin", "crm"), AnalyticsProgram: filepath.Join(root, "bin", "analytics"),
		BaseCurrency: "CZK", TimeZone: "Europe/Prague",
	})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx))) }()
	b, err := openBench(ctx, config, root, s)
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
	if err := benchkit.Print(os.Stdout, results); err != nil {
		return err
	}
	return benchkit.Write(filepath.Join(root, config.Out), "olap", results)
}

// measure takes all measurements, one after the other.
func (b *bench) measure(ctx context.Context) ([]benchkit.Result, error) {
	var results []benchkit.Result
	for _, q := range questions {
		if !strings.Contains(q.name, b.config.Only) {
			continue
		}
		found, err := b.view(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		results = append(results, found...)
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
		results = append(results, found...)
	}
	benchkit.Say("load average %s", benchkit.LoadAverage())
	return results, errors.Join(failed...)
}
