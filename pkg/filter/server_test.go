package filter_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/testkit"
)

const (
	modelRows  = 60
	modelRules = 400
)

var template = testkit.Template{Name: "filter", Migrate: func(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // the tables stand
	_, err = conn.Exec(ctx, `
CREATE TABLE entry (entry_id bigint PRIMARY KEY, name text NOT NULL, state text NOT NULL, n numeric, day date, tags text[] NOT NULL);
CREATE TABLE item (entry_id bigint NOT NULL, kind text NOT NULL, weight bigint);
CREATE TABLE rfm (entry_id bigint PRIMARY KEY, cell text NOT NULL)`)
	return err
}}

func fillPostgres(t *testing.T, pool *pgxpool.Pool, rows []entry) {
	t.Helper()
	batch := &pgx.Batch{}
	for _, e := range rows {
		batch.Queue("INSERT INTO entry VALUES ($1, $2, $3, $4::bigint, $5, $6)", e.id, e.name, e.state, e.n, e.day, e.tags)
		for _, i := range e.items {
			batch.Queue("INSERT INTO item VALUES ($1, $2, $3)", e.id, i.kind, i.weight)
		}
		if e.cell != nil {
			batch.Queue("INSERT INTO rfm VALUES ($1, $2)", e.id, *e.cell)
		}
	}
	if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}

func expected(rows []entry, test func(entry) bool) []int64 {
	out := []int64{}
	for _, e := range rows {
		if test(e) {
			out = append(out, e.id)
		}
	}
	return out
}

// Random filters over random rows give in Postgres what they mean.
func TestPostgresLikeAModel(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	var today time.Time
	if err := pool.QueryRow(t.Context(), "SELECT current_date").Scan(&today); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	rows := randomEntries(r, today, modelRows)
	fillPostgres(t, pool, rows)
	for range modelRules {
		rule := randomRule(r, today, 3)
		where, args, err := filter.Postgres(rule.text, entries, nil)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, rule.text, err)
		}
		found, err := pool.Query(t.Context(), "SELECT entry_id FROM entry WHERE "+where+" ORDER BY entry_id", args...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(found, pgx.RowTo[int64])
		if want := expected(rows, rule.test); err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s\n as %s\n gives %v, want %v (%v)", seed, rule.text, where, got, want, err)
		}
	}
}

// Pages by any order give every row once, in the order that the model has, whatever the size of the pages.
func TestOrderLikeAModel(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	r := rand.New(rand.NewPCG(uint64(today.Unix()), 2))
	rows := randomEntries(r, today, modelRows)
	fillPostgres(t, pool, rows)
	for _, text := range []string{
		"", "entry_id desc", "day", "day desc", "n", "n desc", "state desc, n", "n desc, day", "n, day desc, state", "state, entry_id desc", "rfm.cell desc, n",
	} {
		order, err := filter.ParseOrder(text, entries, "entry_id")
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(rows)
		slices.SortFunc(want, func(a, b entry) int { return modelOrder(text, a, b) })
		for _, size := range []int{1, 7, modelRows + 1} {
			if got := pages(t, pool, order, size); !slices.Equal(got, expected(want, func(entry) bool { return true })) {
				t.Errorf("%q in pages of %d gives %v", text, size, got)
			}
		}
	}
}

func pages(t *testing.T, pool *pgxpool.Pool, order filter.Order, size int) (out []int64) {
	t.Helper()
	var after *filter.Position
	for {
		steps, err := order.Steps(after, nil)
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
		for _, step := range steps {
			rows, err := pool.Query(t.Context(), fmt.Sprintf("SELECT entry_id%s FROM entry WHERE %s ORDER BY %s LIMIT %d",
				order.Columns(), step.Where, step.By, size-taken), step.Args...)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				end := &filter.Position{Keys: make([]*string, order.Len())}
				targets := []any{&end.ID}
				for i := range end.Keys {
					targets = append(targets, &end.Keys[i])
				}
				if err := rows.Scan(targets...); err != nil {
					t.Fatal(err)
				}
				out, after, taken = append(out, end.ID), end, taken+1
			}
			if rows.Err() != nil {
				t.Fatal(rows.Err())
			}
		}
		if taken < size {
			return out
		}
	}
}

// modelOrder compares as an order says: unknown values last, the id at the end in the direction of the last field.
func modelOrder(text string, a, b entry) int {
	desc := false
	for part := range strings.SplitSeq(text, ", ") {
		field, direction, _ := strings.Cut(part, " ")
		desc = direction == "desc"
		if c := compareBy(field, desc, a, b); c != 0 {
			return c
		}
	}
	return directed(cmp.Compare(a.id, b.id), desc)
}

func directed(c int, desc bool) int {
	if desc {
		return -c
	}
	return c
}

func compareBy(field string, desc bool, a, b entry) int {
	switch field {
	case "entry_id":
		return directed(cmp.Compare(a.id, b.id), desc)
	case "state":
		return directed(cmp.Compare(a.state, b.state), desc)
	case "n":
		return nullsLast(a.n, b.n, desc)
	case "rfm.cell":
		return nullsLast(a.cell, b.cell, desc)
	case "day":
		unix := func(d *time.Time) *int64 {
			if d == nil {
				return nil
			}
			n := d.Unix()
			return &n
		}
		return nullsLast(unix(a.day), unix(b.day), desc)
	default:
		return 0
	}
}

func nullsLast[T cmp.Ordered](a, b *T, desc bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	default:
		return directed(cmp.Compare(*a, *b), desc)
	}
}

// The same filters mean the same in ClickHouse.
func TestClickHouseLikeAModel(t *testing.T) {
	t.Parallel()
	conn := testkit.ClickHouseConn(t)
	asOf := time.Date(2026, 3, 31, 15, 0, 0, 0, time.UTC)
	today := asOf.Truncate(24 * time.Hour)
	r := rand.New(rand.NewPCG(7, 3))
	rows := randomEntries(r, today, modelRows)
	for _, ddl := range []string{
		`CREATE TABLE entry (entry_id Int64, name String, state LowCardinality(String), n Nullable(Decimal(24, 4)), day Nullable(Date32), tags Array(String))
ENGINE = MergeTree ORDER BY entry_id`,
		"CREATE TABLE item (entry_id Int64, kind String, weight Nullable(Int64)) ENGINE = MergeTree ORDER BY entry_id",
		"CREATE TABLE rfm (entry_id Int64, cell String) ENGINE = MergeTree ORDER BY entry_id",
	} {
		if err := conn.Exec(t.Context(), ddl); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(sql string, fill func(add func(...any))) {
		batch, err := conn.PrepareBatch(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		defer batch.Close() //nolint:errcheck // sent below
		fill(func(values ...any) {
			if err := batch.Append(values...); err != nil {
				t.Fatal(err)
			}
		})
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	insert("INSERT INTO entry", func(add func(...any)) {
		for _, e := range rows {
			var n *decimal.Decimal
			if e.n != nil {
				n = new(decimal.NewFromInt(*e.n))
			}
			add(e.id, e.name, e.state, n, e.day, e.tags)
		}
	})
	insert("INSERT INTO item", func(add func(...any)) {
		for _, e := range rows {
			for _, i := range e.items {
				add(e.id, i.kind, i.weight)
			}
		}
	})
	insert("INSERT INTO rfm", func(add func(...any)) {
		for _, e := range rows {
			if e.cell != nil {
				add(e.id, *e.cell)
			}
		}
	})
	for range modelRules / 4 {
		rule := randomRule(r, today, 3)
		where, parameters, err := filter.ClickHouse(rule.text, entries, asOf)
		if err != nil {
			t.Fatalf("%s: %v", rule.text, err)
		}
		args := make([]any, len(parameters))
		for i, p := range parameters {
			args[i] = clickhouse.Named(p.Name, p.Value)
		}
		var got []int64
		err = conn.QueryRow(t.Context(), "SELECT groupArray(entry_id) FROM (SELECT entry_id FROM entry WHERE "+where+" ORDER BY entry_id)", args...).Scan(&got)
		if want := expected(rows, rule.test); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s\n as %s %v\n gives %v, want %v (%v)", rule.text, where, parameters, got, want, err)
		}
	}
}
