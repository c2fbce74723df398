// Command value measures what customers are worth: RFM against the bare aggregation behind it, and the fit of lifetime
// value against the plain way, all in the same run. It starts a stack of its own and leaves nothing running.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"google.golang.org/genproto/googleapis/type/date"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/pkg/btyd"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

var (
	//go:embed generate.sql
	generateSQL string
	//go:embed bare.sql
	bareSQL string
	//go:embed history.sql
	historySQL string
)

const (
	// unitDays makes weeks of days.
	unitDays = 7
	// plainPart is how much of the customers the plain way is measured on: at full size it takes minutes. Its time is that of a
	// number of passes over all rows, so it is taken for proportional.
	plainPart = 10
	rounds    = 9
)

var asOf = &date.Date{Year: 2025, Month: 12, Day: 31}

// Config says how much is measured.
type Config struct {
	Customers int           `default:"1000000" help:"Customers, with about 20 purchases each."`
	Limit     time.Duration `default:"1h" help:"Longest the whole run may take."`
	Out       string        `default:"deploy/e2e/results/latest.json" help:"File for the results, below the root of the project."`
}

func main() {
	var config Config
	benchkit.Main("value", "Measures RFM and lifetime value.", &config, func(ctx context.Context) error { return run(ctx, config) })
}

func run(ctx context.Context, config Config) error {
	ctx, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	settings := clickhouse.Settings{"max_partitions_per_insert_block": 0}
	return benchkit.WithStack(ctx, settings, func(ctx context.Context, s *benchkit.Stack) error {
		b := &bench{Stack: s, rfm: analyticsv1.NewRfmServiceClient(s.Analytics), clv: analyticsv1.NewClvServiceClient(s.Analytics)}
		err := benchkit.InTurn(ctx,
			benchkit.Part{Name: "generate", Work: func(ctx context.Context) error { return b.generate(ctx, config.Customers) }},
			benchkit.Part{Name: "rfm", Work: b.measureRFM},
			benchkit.Part{Name: "fit", Work: b.measureFit},
			benchkit.Part{Name: "run", Work: b.measureRun})
		if err != nil {
			return err
		}
		return b.results.Publish(filepath.Join(s.Root, config.Out), "value")
	})
}

// bench talks to a running stack.
type bench struct {
	*benchkit.Stack
	rfm     analyticsv1.RfmServiceClient
	clv     analyticsv1.ClvServiceClient
	results benchkit.Results
}

// generate fills the warehouse by SQL inside ClickHouse.
func (b *bench) generate(ctx context.Context, customers int) error {
	began := time.Now()
	if err := b.Fill(ctx, generateSQL, customers); err != nil {
		return err
	}
	if err := b.Warehouse.Exec(ctx, `INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version)
		SELECT number + 1, number + 1, number + 1, 'owner', 1 FROM numbers({customers:UInt64})`, clickhouse.Named("customers", customers)); err != nil {
		return err
	}
	var rows uint64
	if err := b.Warehouse.QueryRow(ctx, "SELECT count() FROM transaction").Scan(&rows); err != nil {
		return err
	}
	benchkit.Say("%d customers with %d transactions in %.1f s; load average %s", customers, rows, time.Since(began).Seconds(), benchkit.LoadAverage())
	return nil
}

// settle waits until ClickHouse merges nothing: what was written before would be measured, too.
func (b *bench) settle(ctx context.Context) error {
	for {
		var merges uint64
		if err := b.Warehouse.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges); err != nil {
			return err
		}
		if merges == 0 {
			return nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// turn is one run of RFM and one bare aggregation.
type turn struct{ snapshot, bare time.Duration }

func (t turn) ratio() float64 { return t.snapshot.Seconds() / t.bare.Seconds() }

// measureRFM takes turns with the bare aggregation, and tells the round whose ratio is in the middle: a machine that is fast for a
// moment is so for both of a round.
func (b *bench) measureRFM(ctx context.Context) error {
	var turns []turn
	for range rounds {
		if err := b.settle(ctx); err != nil {
			return err
		}
		// The same run over the same data is done once only.
		if err := b.Warehouse.Exec(ctx, "TRUNCATE TABLE rfm_run"); err != nil {
			return err
		}
		began := time.Now()
		if err := b.Warehouse.Exec(ctx, bareSQL); err != nil {
			return err
		}
		alone := time.Since(began)
		began = time.Now()
		answer, err := b.rfm.RunRfm(ctx, &analyticsv1.RunRfmRequest{AsOf: asOf})
		if err != nil {
			return err
		}
		// The call also waits until NATS has all insights; a snapshot is computed before.
		whole := answer.GetRun().GetComputedTime().AsTime().Sub(began)
		benchkit.Say("a round: %.2f s against %.2f s", whole.Seconds(), alone.Seconds())
		turns = append(turns, turn{whole, alone})
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.ratio(), b.ratio()) })
	middle := turns[rounds/2]
	b.results.Add(benchkit.RatioAtMost("RFM run with snapshot, against the bare aggregation",
		middle.snapshot.Seconds(), middle.bare.Seconds(), "s", 1.5))
	return nil
}

// measureFit fits in this process, on one core, and a part of the customers in the plain way.
func (b *bench) measureFit(ctx context.Context) error {
	histories, err := b.histories(ctx)
	if err != nil {
		return err
	}
	ours, err := onOneCore(func() error { return fit(histories) })
	if err != nil {
		return err
	}
	b.results.Add(benchkit.AtMost(fmt.Sprintf("BG/NBD and Gamma-Gamma of %d customers, on one core", len(histories)), ours.Seconds(), "s", 3))
	plain, err := onOneCore(func() error { return fitPlainly(histories[:len(histories)/plainPart]) })
	if err != nil {
		return err
	}
	b.results.Add(benchkit.RatioAtLeast(fmt.Sprintf("Nelder–Mead on rows, extrapolated from a %dth of them, against that", plainPart),
		plainPart*plain.Seconds(), ours.Seconds(), "s", 10))
	small := histories[:min(len(histories), cdnowCustomers)]
	quick, err := onOneCore(func() error { return fit(small) })
	b.results.Add(benchkit.AtMost(fmt.Sprintf("a fit of %d customers, as many as CDNOW has", len(small)), 1000*quick.Seconds(), "ms", 100))
	return err
}

// cdnowCustomers is the size of the sample that publications use.
const cdnowCustomers = 2357

func (b *bench) histories(ctx context.Context) ([]history, error) {
	rows, err := b.Warehouse.Query(ctx, historySQL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []history
	for rows.Next() {
		var account uint64
		var x, tx, t uint32
		var h history
		if err := rows.Scan(&account, &x, &tx, &t, &h.mean); err != nil {
			return nil, err
		}
		h.History = btyd.History{X: int(x), TX: int(tx), T: int(t)}
		out = append(out, h)
	}
	return out, rows.Err()
}

// measureRun makes a whole run of lifetime value.
func (b *bench) measureRun(ctx context.Context) error {
	answer, err := b.clv.RunClv(ctx, &analyticsv1.RunClvRequest{AsOf: asOf, Settings: &definitionv1.ClvDefinition{
		Models: []definitionv1.ClvModel{definitionv1.ClvModel_CLV_MODEL_BG_NBD}, AnnualDiscountRate: 0.1,
	}})
	if err != nil {
		return err
	}
	for _, step := range answer.GetSteps() {
		benchkit.Say("%s: %.2f s", step.GetName(), step.GetTook().AsDuration().Seconds())
		if step.GetName() == "predictions" {
			b.results.Add(benchkit.AtMost(fmt.Sprintf("predictions of %d customers with intervals, stored", answer.GetRun().GetPredicted()),
				step.GetTook().AsDuration().Seconds(), "s", 10))
		}
	}
	return nil
}
