package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/deploy/e2e/bench/benchkit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

//go:embed bank.sql
var bankSQL string

// bench talks to a running stack.
type bench struct {
	*benchkit.Stack
	config   Config
	reports  analyticsv1.ReportServiceClient
	postgres *pgx.Conn
	// written are the queries of people, by report.
	written, writtenForPostgres map[string]string
}

func openBench(ctx context.Context, config Config, s *benchkit.Stack) (*bench, error) {
	postgres, err := pgx.Connect(ctx, s.Addresses["TANDEM_POSTGRES_URL"])
	if err != nil {
		return nil, err
	}
	return &bench{
		Stack: s, config: config, reports: analyticsv1.NewReportServiceClient(s.Analytics), postgres: postgres,
		written: sections(clickhouseSQL), writtenForPostgres: sections(postgresSQL),
	}, nil
}

func (b *bench) close() { _ = b.postgres.Close(context.Background()) }

// load makes the bank, the copy without duplicates, and the same rows in Postgres.
func (b *bench) load(ctx context.Context) error {
	began := time.Now()
	if err := b.fill(ctx); err != nil {
		return err
	}
	benchkit.Say("%d customers, %d transactions in %s", b.config.Customers, 20*b.config.Customers, time.Since(began).Round(time.Second))
	began = time.Now()
	if err := b.fillPostgres(ctx); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	benchkit.Say("the same in Postgres in %s; load average %s", time.Since(began).Round(time.Second), benchkit.LoadAverage())
	return nil
}

// copied are the tables that the copy has.
var copied = []string{"branch", "customer", "account", "account_holder", "transaction", "interaction"}

func (b *bench) fill(ctx context.Context) error {
	migrate := exec.CommandContext(ctx, filepath.Join(b.Root, "bin", "analytics"), "migrate")
	migrate.Env = append(os.Environ(), "ANALYTICS_CLICKHOUSE_URL="+b.Addresses["TANDEM_CLICKHOUSE_URL"]+"/copy")
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate the copy: %w\n%s", err, out)
	}
	statements := strings.Split(strings.ReplaceAll(bankSQL, "$", strconv.Itoa(b.config.Customers)), ";\n")
	for _, table := range copied {
		statements = append(statements, "INSERT INTO copy."+table+" SELECT * FROM "+table+" FINAL", "OPTIMIZE TABLE copy."+table+" FINAL")
	}
	if err := b.execute(ctx, statements...); err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return fmt.Errorf("merge old partitions: %w", err)
	}
	// Merges would resolve what FINAL is measured on, and use the processors meanwhile.
	return b.execute(ctx, "SYSTEM STOP MERGES", "SYSTEM RELOAD DICTIONARIES", "SYSTEM RELOAD DICTIONARIES")
}

func (b *bench) execute(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if err := b.Warehouse.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// settled are the tables with partitions, and what partitions a running bank leaves alone for an hour: those without a row of the
// newest month, which is a twenty-fourth of this bank.
var settled = map[string]string{
	"transaction": "max(business_date) < (SELECT toStartOfMonth(max(business_date)) FROM transaction)",
	"interaction": "max(interaction_id) < (SELECT max(interaction_id) * 23 / 24 FROM interaction)",
}

// settle merges each of these partitions, as the server does by itself an hour after the last change
// (min_age_to_force_merge_seconds). The other partitions and tables stay as they were filled, with versions to resolve.
func (b *bench) settle(ctx context.Context) error {
	for table, alone := range settled {
		var partitions []struct {
			ID string `ch:"_partition_id"`
		}
		if err := b.Warehouse.Select(ctx, &partitions, "SELECT _partition_id FROM "+table+" GROUP BY _partition_id HAVING "+alone); err != nil {
			return err
		}
		for _, p := range partitions {
			if err := b.execute(ctx, "OPTIMIZE TABLE "+table+" PARTITION ID '"+p.ID+"' FINAL"); err != nil {
				return err
			}
		}
	}
	return nil
}

// sections are the parts of a file of SQL by their names. What stands in a query as {name} is put in there.
func sections(text string) map[string]string {
	out := map[string]string{}
	for _, part := range strings.Split("\n"+text, "\n-- name: ")[1:] {
		name, sql, _ := strings.Cut(part, "\n")
		sql = strings.TrimSuffix(strings.TrimSpace(sql), ";")
		for earlier, of := range out {
			sql = strings.ReplaceAll(sql, "{"+earlier+"}", of)
		}
		out[name] = sql
	}
	return out
}

// processor is the processor time that ClickHouse has used for queries since it started. On a busy machine it tells more than the clock.
func (b *bench) processor(ctx context.Context) (time.Duration, error) {
	var used uint64
	err := b.Warehouse.QueryRow(ctx,
		"SELECT sum(value) FROM system.events WHERE event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')").Scan(&used)
	return time.Duration(used) * time.Microsecond, err
}

// cost is what a question took.
type cost struct{ clock, first, processor time.Duration }

// least keeps the best of each.
func (c *cost) least(other cost) {
	if c.clock == 0 {
		*c = other
	}
	c.clock, c.first, c.processor = min(c.clock, other.clock), min(c.first, other.first), min(c.processor, other.processor)
}

// turnsFor is how long quick questions are asked: the best of a few turns of a tenth of a second hangs on the machine's other work.
const turnsFor = 10 * time.Second

// turns asks both sides in turns and returns the best of each; the first turn fills caches and does not count.
func (b *bench) turns(ctx context.Context, sides ...func(context.Context) (first time.Duration, err error)) ([]cost, error) {
	best := make([]cost, len(sides))
	begun := time.Now()
	for round := 0; round <= b.config.Rounds || time.Since(begun) < turnsFor; round++ {
		for i, ask := range sides {
			before, err := b.processor(ctx)
			if err != nil {
				return nil, err
			}
			began := time.Now()
			first, err := ask(ctx)
			if err != nil {
				return nil, err
			}
			clock := time.Since(began)
			after, err := b.processor(ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				best[i].least(cost{clock, first, after - before})
			}
		}
	}
	return best, nil
}

// against are the results of one side against the other. The goal is for what people wait; processor time explains it.
func against(name string, one, other cost, goal float64) []benchkit.Result {
	return []benchkit.Result{
		benchkit.RatioAtMost(name, milliseconds(one.clock), milliseconds(other.clock), "ms", goal),
		benchkit.Beside(name+", processor", milliseconds(one.processor), milliseconds(other.processor), "ms"),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ask runs a query of ClickHouse and takes every value of its rows, as the client of a report does.
func (b *bench) ask(sql string) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (first time.Duration, err error) {
		began := time.Now()
		rows, err := b.Warehouse.Query(ctx, sql)
		if err != nil {
			return 0, err
		}
		defer func() { _ = rows.Close() }()
		values := make([]any, len(rows.ColumnTypes()))
		for i, column := range rows.ColumnTypes() {
			values[i] = reflect.New(column.ScanType()).Interface()
		}
		for rows.Next() {
			if first == 0 {
				first = time.Since(began)
			}
			if err := rows.Scan(values...); err != nil {
				return 0, err
			}
		}
		return first, rows.Err()
	}
}
