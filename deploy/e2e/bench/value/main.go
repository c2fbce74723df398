// Command value measures what customers are worth: RFM against the bare aggregation behind it, and the fit of lifetime
// value against the plain way, all in the same run. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/deploy/e2e/bench/benchkit"
	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
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
	// generatedAtOnce bounds the memory of the generator.
	generatedAtOnce = 100_000
	// plainPart is how much of the customers the plain way is measured on: at full size it takes minutes. Its time is that of a
	// number of passes over all rows, so it is taken for proportional.
	plainPart = 10
	rounds    = 3
)

var asOf = &date.Date{Year: 2025, Month: 12, Day: 31}

// Config says how much is measured.
type Config struct {
	Customers int           `default:"1000000" help:"Customers, with about 20 purchases each."`
	Limit     time.Duration `default:"1h" help:"Longest the whole run may take."`
	Out       string        `default:"deploy/e2e/results/latest.json" help:"File for the results, below the root of the project."`
}

func main() {
	engine.RunIfChild()
	var config Config
	kong.Parse(&config, kong.Name("value"), kong.Description("Measures RFM and lifetime value."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, config)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
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
	work, err := os.MkdirTemp("", "tandem-bench-")
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
	b, err := open(s)
	if err != nil {
		return err
	}
	if err := b.measure(ctx, config); err != nil {
		return err
	}
	return benchkit.Write(filepath.Join(root, config.Out), "value", b.results)
}

// bench talks to a running stack.
type bench struct {
	warehouse driver.Conn
	rfm       analyticsv1.RfmServiceClient
	clv       analyticsv1.ClvServiceClient
	results   []benchkit.Result
}

func open(s *stack.Stack) (*bench, error) {
	env := map[string]string{}
	for _, line := range s.Addresses() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	options, err := clickhouse.ParseDSN(env["TANDEM_CLICKHOUSE_URL"])
	if err != nil {
		return nil, err
	}
	options.Auth.Database, options.ReadTimeout = "tandem", time.Hour
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, err
	}
	caller, err := benchkit.Administrator(env["TANDEM_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	calls, err := grpc.NewClient(env["TANDEM_ANALYTICS_ADDR"], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(caller))
	if err != nil {
		return nil, err
	}
	return &bench{warehouse: conn, rfm: analyticsv1.NewRfmServiceClient(calls), clv: analyticsv1.NewClvServiceClient(calls)}, nil
}

func (b *bench) measure(ctx context.Context, config Config) error {
	if err := b.generate(ctx, config.Customers); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for _, part := range []struct {
		name string
		work func(context.Context) error
	}{{"rfm", b.measureRFM}, {"fit", b.measureFit}, {"run", b.measureRun}} {
		if err := part.work(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	benchkit.Say("load average %s", benchkit.LoadAverage())
	return benchkit.Print(os.Stdout, b.results)
}

func (b *bench) add(r benchkit.Result) {
	b.results = append(b.results, r)
	benchkit.Say("%s: %.4g %s", r.Name, r.Value, r.Unit)
}

// generate fills the warehouse by SQL inside ClickHouse.
func (b *bench) generate(ctx context.Context, customers int) error {
	began := time.Now()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_partitions_per_insert_block": 0}))
	for first := 0; first < customers; first += generatedAtOnce {
		if err := b.warehouse.Exec(ctx, generateSQL,
			clickhouse.Named("first", first), clickhouse.Named("customers", min(generatedAtOnce, customers-first))); err != nil {
			return err
		}
	}
	if err := b.warehouse.Exec(ctx, `INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version)
		SELECT number + 1, number + 1, number + 1, 'owner', 1 FROM numbers({customers:UInt64})`, clickhouse.Named("customers", customers)); err != nil {
		return err
	}
	var rows uint64
	if err := b.warehouse.QueryRow(ctx, "SELECT count() FROM transaction").Scan(&rows); err != nil {
		return err
	}
	benchkit.Say("%d customers with %d transactions in %.1f s; load average %s", customers, rows, time.Since(began).Seconds(), benchkit.LoadAverage())
	return nil
}

// measureRFM takes turns with the bare aggregation, and compares the best of each.
func (b *bench) measureRFM(ctx context.Context) error {
	bare, snapshot := time.Hour, time.Hour
	for range rounds {
		began := time.Now()
		if err := b.warehouse.Exec(ctx, bareSQL); err != nil {
			return err
		}
		bare = min(bare, time.Since(began))
		began = time.Now()
		answer, err := b.rfm.RunRfm(ctx, &analyticsv1.RunRfmRequest{AsOf: asOf})
		if err != nil {
			return err
		}
		// The call also waits until NATS has all insights; a snapshot is computed before.
		snapshot = min(snapshot, answer.GetRun().GetComputedTime().AsTime().Sub(began))
	}
	b.add(benchkit.RatioAtMost("RFM run with snapshot, against the bare aggregation", snapshot.Seconds(), bare.Seconds(), "s", 1.5))
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
	b.add(benchkit.AtMost(fmt.Sprintf("BG/NBD and Gamma-Gamma of %d customers, on one core", len(histories)), ours.Seconds(), "s", 3))
	plain, err := onOneCore(func() error { return fitPlainly(histories[:len(histories)/plainPart]) })
	if err != nil {
		return err
	}
	b.add(benchkit.RatioAtLeast(fmt.Sprintf("Nelder–Mead on rows, extrapolated from a %dth of them, against that", plainPart),
		plainPart*plain.Seconds(), ours.Seconds(), "s", 10))
	small := histories[:min(len(histories), cdnowCustomers)]
	quick, err := onOneCore(func() error { return fit(small) })
	b.add(benchkit.AtMost(fmt.Sprintf("a fit of %d customers, as many as CDNOW has", len(small)), 1000*quick.Seconds(), "ms", 100))
	return err
}

// cdnowCustomers is the size of the sample that publications use.
const cdnowCustomers = 2357

func (b *bench) histories(ctx context.Context) ([]history, error) {
	rows, err := b.warehouse.Query(ctx, historySQL)
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
			b.add(benchkit.AtMost(fmt.Sprintf("predictions of %d customers with intervals, stored", answer.GetRun().GetPredicted()),
				step.GetTook().AsDuration().Seconds(), "s", 10))
		}
	}
	return nil
}
