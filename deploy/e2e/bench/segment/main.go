// Command segment measures segments: a preview against the same count written by hand, a hundred followed segments for changed
// customers and for all, and an explanation. It starts a stack of its own and leaves nothing running.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
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
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
	"tandem.bank/deploy/local/stack"
	"tandem.bank/pkg/auth"
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

// generatedAtOnce bounds the memory of the generator.
const generatedAtOnce = 100_000

// Config says how much is measured.
type Config struct {
	Customers int           `default:"1000000" help:"Customers."`
	Limit     time.Duration `default:"1h" help:"Longest the whole run may take."`
}

func main() {
	engine.RunIfChild()
	var config Config
	kong.Parse(&config, kong.Name("segment"), kong.Description("Measures segments."))
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
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	s, err := stack.New(stack.Config{
		Engines:    stack.EnginesConfig{Root: root, DataDir: filepath.Join(work, "data"), Throwaway: true},
		CRMProgram: filepath.Join(root, "bin", "crm"), AnalyticsProgram: filepath.Join(root, "bin", "analytics"),
		AnalyticsHTTPPort: port, BaseCurrency: "CZK", TimeZone: "Europe/Prague",
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
	defer b.nats.Close()
	b.metrics = fmt.Sprintf("http://127.0.0.1:%d/metrics", port)
	return b.measure(ctx, config)
}

// freePort is one that nobody listens on at the moment: the metrics of analytics are read there.
func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, _ := listener.Addr().(*net.TCPAddr)
	return address.Port, listener.Close()
}

// bench talks to a running stack.
type bench struct {
	warehouse driver.Conn
	nats      *nats.Conn
	segments  analyticsv1.SegmentServiceClient
	facts     analyticsv1.FactServiceClient
	// metrics is the address of the page of analytics.
	metrics string
	lines   []string
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
	messages, err := nats.Connect(env["TANDEM_NATS_URL"])
	if err != nil {
		return nil, err
	}
	return &bench{
		warehouse: conn, nats: messages, segments: analyticsv1.NewSegmentServiceClient(calls), facts: analyticsv1.NewFactServiceClient(calls),
	}, nil
}

func (b *bench) measure(ctx context.Context, config Config) error {
	if err := b.generate(ctx, config.Customers); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for _, part := range []struct {
		name string
		work func(context.Context) error
	}{{"facts", b.tellFacts}, {"preview", b.measurePreview}, {"full", b.measureFull}, {"changes", b.measureChanges}, {"explain", b.measureExplain}} {
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

// atMost notes a figure and whether it keeps its goal.
func (b *bench) atMost(value float64, unit string, goal float64, name string) {
	verdict := "missed"
	if value <= goal {
		verdict = "ok"
	}
	b.lines = append(b.lines, fmt.Sprintf("%.4g %s\t≤ %g\t%s\t  %s", value, unit, goal, verdict, name))
	say("%s: %.4g %s", name, value, unit)
}

// plain notes a figure without a goal.
func (b *bench) plain(value float64, unit, name string) {
	b.lines = append(b.lines, fmt.Sprintf("%.4g %s\t\t\t  %s", value, unit, name))
	say("%s: %.4g %s", name, value, unit)
}

// generate fills the warehouse by SQL inside ClickHouse.
func (b *bench) generate(ctx context.Context, customers int) error {
	began := time.Now()
	for first := 0; first < customers; first += generatedAtOnce {
		if err := b.warehouse.Exec(ctx, generateSQL,
			clickhouse.Named("first", first), clickhouse.Named("customers", min(generatedAtOnce, customers-first))); err != nil {
			return err
		}
	}
	say("%d customers in %.1f s; load average %s", customers, time.Since(began).Seconds(), loadAverage())
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
