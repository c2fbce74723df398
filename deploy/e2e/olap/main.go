// Command olap measures the views for analysts against the same questions over a copy of the tables without duplicates, in
// the same run. It starts a ClickHouse of its own and leaves nothing running.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/alecthomas/kong"

	"tandem.bank/deploy/local/engine"
	"tandem.bank/deploy/local/project"
)

// Config says how much is measured.
type Config struct {
	Customers int `default:"100000" help:"Customers of the bank, with twenty transactions each."`
	Rounds    int `default:"5" help:"Turns of each question; view and copy take turns, and the median counts."`
}

// goal is the most that a view may take, as a multiple of the same over the copy.
const goal = 1.5

//go:embed bank.sql
var bankSQL string

func main() {
	engine.RunIfChild()
	var config Config
	kong.Parse(&config, kong.Name("olap"), kong.Description("Measures the views for analysts."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, config)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "olap:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, config Config) (err error) {
	root, err := project.Root(".")
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tandem-olap-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	server := engine.NewClickHouse(engine.ClickHouseConfig{
		DataDir: work, ConfigDir: filepath.Join(root, "deploy", "clickhouse"),
		Packages: engine.Packages{Dir: filepath.Join(root, "deploy", "local", "engines")}, Password: "olap", BIPassword: "olap",
	})
	if err := server.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop(context.WithoutCancel(ctx))) }()
	conn, err := load(ctx, root, server.URL(), config.Customers)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return measure(ctx, conn, config.Rounds)
}

// load makes the tables, the bank, and the copy without duplicates.
func load(ctx context.Context, root, address string, customers int) (driver.Conn, error) {
	for _, database := range []string{"tandem", "copy"} {
		migrate := exec.CommandContext(ctx, filepath.Join(root, "bin", "analytics"), "migrate")
		migrate.Env = append(os.Environ(), "ANALYTICS_CLICKHOUSE_URL="+address+"/"+database)
		if out, err := migrate.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("migrate %s: %w\n%s", database, err, out)
		}
	}
	options, err := clickhouse.ParseDSN(address)
	if err != nil {
		return nil, err
	}
	options.ReadTimeout = time.Hour
	options.Settings = clickhouse.Settings{"max_partitions_per_insert_block": 0}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	statements := strings.Split(strings.ReplaceAll(bankSQL, "$", strconv.Itoa(customers)), ";\n")
	for _, table := range []string{"branch", "customer", "account", "account_holder", "transaction", "interaction"} {
		statements = append(statements, "INSERT INTO copy."+table+" SELECT * FROM tandem."+table+" FINAL", "OPTIMIZE TABLE copy."+table+" FINAL")
	}
	for _, statement := range append(statements, "SYSTEM RELOAD DICTIONARIES") {
		if err := conn.Exec(ctx, statement); err != nil {
			return nil, fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	fmt.Fprintf(os.Stderr, "%d customers, %d transactions in %s\n", customers, 20*customers, time.Since(began).Round(time.Second))
	return conn, nil
}

// questions by the view that they ask; % is the view.
var questions = []struct{ name, view, sql string }{
	{
		"turnover by month", "fact_transaction",
		"SELECT toStartOfMonth(business_date) AS m, direction, count(), sum(base_amount) FROM % GROUP BY m, direction",
	},
	{"turnover by branch", "fact_transaction", "SELECT branch_id, sum(base_amount) FROM % GROUP BY branch_id"},
	{
		"customers a month", "fact_transaction",
		"SELECT uniqExact(customer_id) FROM % WHERE business_date >= '2026-05-01' AND business_date < '2026-06-01'",
	},
	{
		"closing balances", "fact_balance_day",
		"SELECT sum(b) FROM (SELECT argMax(balance, business_date) AS b FROM % WHERE business_date <= '2026-05-31' GROUP BY account_id)",
	},
	{"customers by age and income", "dim_customer", "SELECT age_band, income_band, count() FROM % GROUP BY age_band, income_band"},
	{"contacts by channel", "fact_interaction", "SELECT channel, count(), uniqExact(customer_id) FROM % GROUP BY channel"},
}

// measure asks every question of the view and of the copy in turns and prints the medians.
func measure(ctx context.Context, conn driver.Conn, rounds int) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "view ms\tcopy ms\tratio\tgoal\t\t  measurement\n")
	for _, q := range questions {
		var definition string
		const shown = "SELECT as_select FROM system.tables WHERE database = 'bi' AND name = ?"
		if err := conn.QueryRow(ctx, shown, q.view).Scan(&definition); err != nil {
			return err
		}
		// The same statement over the copy, which needs no FINAL.
		plain := strings.NewReplacer("tandem.", "copy.", "FINAL", "").Replace(definition)
		sides := []string{strings.ReplaceAll(q.sql, "%", "bi."+q.view), strings.ReplaceAll(q.sql, "%", "("+plain+")")}
		times := [2][]time.Duration{}
		for range rounds + 1 { // the first turn fills caches and does not count
			for i, sql := range sides {
				began := time.Now()
				if err := conn.Exec(ctx, sql+" FORMAT Null"); err != nil {
					return fmt.Errorf("%s: %w", q.name, err)
				}
				times[i] = append(times[i], time.Since(began))
			}
		}
		view, bare := median(times[0][1:]), median(times[1][1:])
		ratio := view.Seconds() / bare.Seconds()
		verdict := map[bool]string{true: "ok", false: "missed"}[ratio <= goal]
		_, _ = fmt.Fprintf(w, "%d\t%d\t%.2f\t≤ %g\t%s\t  %s: %s\n", view.Milliseconds(), bare.Milliseconds(), ratio, goal, verdict, q.view, q.name)
	}
	return w.Flush()
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
