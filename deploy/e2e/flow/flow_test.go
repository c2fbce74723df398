package flow

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/testkit"
)

const (
	catchUpTimeout = "3m"
	// wholeWindowDays covers the Berka data from their first day.
	wholeWindowDays = 2192
)

// TestImportSurvivesKills imports a whole bank while crm (with its relay), NATS and ClickHouse are each killed
// once, and then compares every count and sum on both sides, and every client's values, with the files.
func TestImportSurvivesKills(t *testing.T) {
	t.Parallel()
	b := open(t)
	whole := b.toImport(t)
	postgres, warehouse := b.postgres(t), b.warehouse(t)

	running := b.start(t, "import", "--mapping", whole.mapping, whole.folder)
	b.killInTheMiddle(t, postgres)
	running.wait(t)
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)

	for entity, want := range whole.rows {
		if got := count(t, postgres, entity); got != want {
			t.Errorf("Postgres has %d rows of %s, want %d", got, entity, want)
		}
		if got := countFinal(t, warehouse, entity); got != want {
			t.Errorf("ClickHouse has %d rows of %s, want %d", got, entity, want)
		}
	}
	compareSums(t, postgres, warehouse, whole.movements)
	compareContracts(t, warehouse, whole.contracts)

	for _, w := range whole.windows {
		b.compareRFM(t, w.asOf, w.days, whole.values(w.asOf, w.days))
	}

	// Everything again: nothing changes, nothing doubles.
	b.tandem(t, 0, "import", "--mapping", whole.mapping, whole.folder)
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
	compareSums(t, postgres, warehouse, whole.movements)
}

// killInTheMiddle ends each part once, as kill -9 does, while transactions come in, and starts it again.
func (b *bank) killInTheMiddle(t *testing.T, postgres *pgxpool.Pool) {
	t.Helper()
	kills := []struct {
		rows    int64
		kill    func()
		restart func() error
	}{
		{5_000, b.CRM.Kill, func() error { return b.CRM.Start(t.Context()) }},
		{20_000, b.Engines.NATS.Kill, func() error { return b.Engines.NATS.Start(t.Context()) }},
		{40_000, b.Engines.ClickHouse.Kill, func() error { return b.Engines.ClickHouse.Start(t.Context()) }},
		{60_000, b.Analytics.Kill, func() error { return b.Analytics.Start(t.Context()) }},
	}
	for _, k := range kills {
		testkit.Eventually(t, 5*time.Minute, func() error {
			var rows int64
			if err := postgres.QueryRow(t.Context(), "SELECT count(*) FROM transaction_key").Scan(&rows); err != nil {
				return err
			}
			if rows < k.rows {
				return fmt.Errorf("%d transactions so far", rows)
			}
			return nil
		})
		k.kill()
		if err := k.restart(); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bank) postgres(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), b.Engines.Postgres.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (b *bank) warehouse(t *testing.T) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(b.Engines.ClickHouse.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.Auth.Database = "tandem"
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func count(t *testing.T, pool *pgxpool.Pool, table string) (n int64) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func countFinal(t *testing.T, conn driver.Conn, table string) int64 {
	t.Helper()
	var n uint64
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM "+table+" FINAL").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return int64(n)
}

// compareSums compares the sums of credits and debits in both databases with the files.
func compareSums(t *testing.T, pool *pgxpool.Pool, conn driver.Conn, movements []movement) {
	t.Helper()
	want := new(big.Rat)
	for _, m := range movements {
		want.Add(want, m.amount)
	}
	var inPostgres, inWarehouse string
	if err := pool.QueryRow(t.Context(), "SELECT sum(base_amount)::text FROM transaction").Scan(&inPostgres); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT toString(sum(base_value)) FROM transaction FINAL").Scan(&inWarehouse); err != nil {
		t.Fatal(err)
	}
	for where, got := range map[string]string{"Postgres": inPostgres, "ClickHouse": inWarehouse} {
		if amount(t, got).Cmp(want) != 0 {
			t.Errorf("%s sums transactions to %s, the files to %s", where, got, want.FloatString(4))
		}
	}
}

// compareContracts checks the published sums of loans and standing orders.
func compareContracts(t *testing.T, conn driver.Conn, sums map[string]*big.Rat) {
	t.Helper()
	for kind, want := range sums {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT toString(sum(amount)) FROM contract FINAL WHERE kind = ?", kind).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if amount(t, got).Cmp(want) != 0 {
			t.Errorf("%s amounts sum to %s, want %s", kind, got, want.FloatString(2))
		}
	}
}

// compareRFM runs RFM by the command line and compares every client with the values computed from the files.
func (b *bank) compareRFM(t *testing.T, asOf time.Time, windowDays int, want map[string]value) {
	t.Helper()
	b.tandem(t, 0, "run", "rfm", "--as-of", asOf.Format(time.DateOnly), "--window-days", strconv.Itoa(windowDays))
	rows, err := csv.NewReader(strings.NewReader(b.tandem(t, 0, "rfm", "list", "--csv", "--with-keys"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, title := range rows[0] {
		at[title] = i
	}
	if len(rows)-1 != len(want) {
		t.Errorf("%d clients have values as of %s, want %d", len(rows)-1, asOf.Format(time.DateOnly), len(want))
	}
	wrong := 0
	for _, row := range rows[1:] {
		client := row[at["external_id"]]
		w, ok := want[client]
		if ok && row[at["recency_days"]] == strconv.FormatInt(w.recencyDays, 10) &&
			row[at["frequency"]] == strconv.FormatInt(w.frequency, 10) && amount(t, row[at["monetary"]]).Cmp(w.amount) == 0 {
			continue
		}
		if wrong++; wrong < 10 {
			t.Errorf("client %s as of %s: %v, want %+v", client, asOf.Format(time.DateOnly), row, w)
		}
	}
}
