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
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
	"tandem.bank/pkg/auth"
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
	return b.measure(ctx, config)
}

// bench talks to a running stack.
type bench struct {
	warehouse driver.Conn
	rfm       analyticsv1.RfmServiceClient
	clv       analyticsv1.ClvServiceClient
	lines     []string
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
	key, err := auth.ReadPrivateKey(env["TANDEM_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	signer, err := auth.NewSigner(auth.SignerConfig{
		Key: key, Issuer: auth.LocalIssuer, Subject: "bench", Audience: auth.DefaultAudience,
		Roles: []string{auth.RoleAdministrator}, Lifetime: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	calls, err := grpc.NewClient(env["TANDEM_ANALYTICS_ADDR"], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(auth.Credentials(signer, true)))
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
	say("load average %s", loadAverage())
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "value\tgoal\t\t  measurement")
	for _, line := range b.lines {
		_, _ = fmt.Fprintln(t, line)
	}
	return t.Flush()
}

func (b *bench) atMost(value float64, unit string, goal float64, name string) {
	b.line(value, unit, "≤", goal, value <= goal, name)
}

func (b *bench) line(value float64, unit, sign string, goal float64, ok bool, name string) {
	verdict := "missed"
	if ok {
		verdict = "ok"
	}
	b.lines = append(b.lines, fmt.Sprintf("%.4g %s\t%s %g\t%s\t  %s", value, unit, sign, goal, verdict, name))
	say("%s: %.4g %s", name, value, unit)
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
	say("%d customers with %d transactions in %.1f s; load average %s", customers, rows, time.Since(began).Seconds(), loadAverage())
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
	b.atMost(snapshot.Seconds()/bare.Seconds(), "×", 1.5,
		fmt.Sprintf("RFM run with snapshot (%.2f s) against the bare aggregation (%.2f s)", snapshot.Seconds(), bare.Seconds()))
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
	b.atMost(ours.Seconds(), "s", 3, fmt.Sprintf("BG/NBD and Gamma-Gamma of %d customers, on one core", len(histories)))
	plain, err := onOneCore(func() error { return fitPlainly(histories[:len(histories)/plainPart]) })
	if err != nil {
		return err
	}
	ratio := plainPart * plain.Seconds() / ours.Seconds()
	b.line(ratio, "×", "≥", 10, ratio >= 10,
		fmt.Sprintf("faster than Nelder–Mead on rows: it takes %.1f s for a %dth of them, extrapolated", plain.Seconds(), plainPart))
	small := histories[:min(len(histories), cdnowCustomers)]
	quick, err := onOneCore(func() error { return fit(small) })
	b.atMost(1000*quick.Seconds(), "ms", 100, fmt.Sprintf("a fit of %d customers, as many as CDNOW has", len(small)))
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
		say("%s: %.2f s", step.GetName(), step.GetTook().AsDuration().Seconds())
		if step.GetName() == "predictions" {
			b.atMost(step.GetTook().AsDuration().Seconds(), "s", 10,
				fmt.Sprintf("predictions of %d customers with intervals, stored", answer.GetRun().GetPredicted()))
		}
	}
	return nil
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// say shows progress on standard error: the table alone goes to standard output.
func say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
