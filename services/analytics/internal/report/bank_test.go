package report

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

var newest = time.Date(2024, 7, 1, 8, 0, 0, 0, time.UTC)

// world is a small bank in Go, and the same in a warehouse.
type world struct {
	conn      driver.Conn
	service   *Service
	customers []customerRow
	accounts  []accountRow
	moves     []moveRow
	contracts []contractRow
	contacts  []contactRow
}

type customerRow struct {
	id, region, branch, manager uint64
	state, sex                  string
	since                       time.Time
	left                        *time.Time
}

type accountRow struct {
	id, customer, product uint64
	currency              string
	opened                time.Time
	closed                *time.Time
}

type moveRow struct {
	id, account     uint64
	day             time.Time
	direction, kind string
	amount, base    decimal.Decimal
	currency        string
	balance         decimal.Decimal
	state           string
	deleted         uint8
}

type contractRow struct {
	id, customer, account, product uint64
	kind                           string
	amount                         decimal.Decimal
	opened                         time.Time
	closed                         *time.Time
}

type contactRow struct {
	id, customer  uint64
	day           time.Time
	kind, channel string
}

// newWorld draws a bank and stores it.
func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	conn := warehousetest.Open(t)
	w := &world{conn: conn}
	w.draw(rand.New(rand.NewPCG(seed, 1)))
	w.store(t)
	catalogue, err := Builtin(migrations.BIDatabase(w.reload(t)))
	if err != nil {
		t.Fatal(err)
	}
	w.service, err = New(Config{
		Warehouse: conn, Catalogue: catalogue, NewestChange: func() time.Time { return newest }, TimeZone: time.UTC,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// reload brings the dictionaries up to date, and returns the name of the database.
func (w *world) reload(t testing.TB) string {
	t.Helper()
	var database string
	if err := w.conn.QueryRow(t.Context(), "SELECT currentDatabase()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	bi := migrations.BIDatabase(database)
	for _, name := range []string{
		database + ".account_lookup", database + ".customer_lookup", database + ".currency_lookup", database + ".contract_lookup",
		database + ".arrears_lookup", database + ".customer_left_lookup", database + ".service_level_lookup",
		bi + ".lookup_product", bi + ".lookup_branch", bi + ".lookup_region", bi + ".lookup_manager",
	} {
		if err := w.conn.Exec(t.Context(), "SYSTEM RELOAD DICTIONARY "+name); err != nil {
			t.Fatal(err)
		}
	}
	return database
}

var epoch2023 = warehousetest.Day("2023-01-01")

func (w *world) draw(r *rand.Rand) {
	for id := uint64(1); id <= 60; id++ {
		c := customerRow{
			id: id, region: 1 + id%3, branch: 1 + id%4, manager: 1 + id%6, state: "active", sex: []string{"female", "male", ""}[r.IntN(3)],
			since: epoch2023.AddDate(0, 0, -200+r.IntN(600)),
		}
		if r.IntN(6) == 0 {
			left := c.since.AddDate(0, 0, 1+r.IntN(300))
			c.left, c.state = &left, "former"
		}
		w.customers = append(w.customers, c)
		for range 1 + r.IntN(2) {
			w.drawAccount(r, c)
		}
	}
	for i := range 400 {
		c := w.customers[r.IntN(len(w.customers))]
		w.contacts = append(w.contacts, contactRow{
			uint64(i + 1), c.id, epoch2023.AddDate(0, 0, r.IntN(540)), []string{"call", "visit", "email"}[r.IntN(3)], []string{"phone", "branch", "mobile_app", ""}[r.IntN(4)],
		})
	}
}

func (w *world) drawAccount(r *rand.Rand, c customerRow) {
	a := accountRow{
		id: uint64(len(w.accounts)) + 1, customer: c.id, product: 1 + r.Uint64N(4), currency: []string{"CZK", "CZK", "EUR"}[r.IntN(3)],
		opened: c.since, closed: c.left,
	}
	w.accounts = append(w.accounts, a)
	balance := decimal.Zero
	for range r.IntN(60) {
		m := moveRow{
			id: uint64(len(w.moves)) + 1, account: a.id, day: epoch2023.AddDate(0, 0, r.IntN(540)),
			direction: []string{"credit", "debit"}[r.IntN(2)], kind: []string{"card_payment", "transfer", "cash", "fee"}[r.IntN(4)],
			amount: decimal.New(int64(1+r.IntN(1_000_000)), -2), currency: a.currency, state: "posted",
		}
		m.base = m.amount
		if a.currency == "EUR" {
			m.base = m.amount.Mul(decimal.New(25, 0))
		}
		if r.IntN(20) == 0 {
			m.state = "reversed"
		}
		if r.IntN(20) == 0 {
			m.deleted = 1
		}
		w.moves = append(w.moves, m)
		_ = balance
	}
	if r.IntN(2) == 0 {
		k := contractRow{
			id: uint64(len(w.contracts)) + 1, customer: c.id, account: a.id, product: 5 + r.Uint64N(2),
			kind: []string{"loan", "deposit"}[r.IntN(2)], amount: decimal.New(int64(1000+r.IntN(100_000)), 0), opened: epoch2023.AddDate(0, 0, r.IntN(500)),
		}
		if r.IntN(3) == 0 {
			closed := k.opened.AddDate(0, 0, r.IntN(200))
			k.closed = &closed
		}
		w.contracts = append(w.contracts, k)
	}
}

// settle works out running balances: of each account by day, and within a day by number.
func (w *world) settle() {
	byDay := map[uint64][]*moveRow{}
	for i := range w.moves {
		if m := &w.moves[i]; m.state == "posted" && m.deleted == 0 {
			byDay[m.account] = append(byDay[m.account], m)
		}
	}
	for _, moves := range byDay {
		sortMoves(moves)
		balance := decimal.Zero
		for _, m := range moves {
			if m.direction == "debit" {
				balance = balance.Sub(m.amount)
			} else {
				balance = balance.Add(m.amount)
			}
			m.balance = balance
		}
	}
}

// insert writes rows of values.
func insert[R any](t testing.TB, conn driver.Conn, table, columns string, list []R, values func(R) []any) {
	t.Helper()
	batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = batch.Close() }()
	for _, row := range list {
		if err := batch.Append(values(row)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) store(t testing.TB) {
	t.Helper()
	w.settle()
	one := uint64(1)
	insert(t, w.conn, "region", "region_id, name, version", []uint64{1, 2, 3}, func(id uint64) []any { return []any{id, fmt.Sprintf("Region %d", id), one} })
	insert(t, w.conn, "branch", "branch_id, name, region_id, version", []uint64{1, 2, 3, 4}, func(id uint64) []any {
		return []any{id, fmt.Sprintf("Branch %d", 9-id), 1 + id%3, one}
	})
	insert(t, w.conn, "manager", "manager_id, branch_id, version", []uint64{1, 2, 3, 4, 5, 6}, func(id uint64) []any { return []any{id, 1 + id%4, one} })
	insert(t, w.conn, "product", "product_id, code, name, family, version", []uint64{1, 2, 3, 4, 5, 6}, func(id uint64) []any {
		return []any{id, fmt.Sprintf("P%d", id), productName(id), family(id), one}
	})
	insert(t, w.conn, "customer", "customer_id, kind, state, region_id, branch_id, manager_id, sex, customer_since, state_since, version", w.customers, func(c customerRow) []any {
		return []any{c.id, "individual", c.state, c.region, c.branch, c.manager, c.sex, c.since, c.left, one}
	})
	insert(t, w.conn, "account", "account_id, currency, product_id, region_id, branch_id, state, opened, closed, version", w.accounts, func(a accountRow) []any {
		return []any{a.id, a.currency, a.product, one, one, "open", a.opened, a.closed, one}
	})
	insert(t, w.conn, "account_holder", "account_holder_id, account_id, customer_id, role, version", w.accounts, func(a accountRow) []any {
		return []any{a.id, a.id, a.customer, "owner", one}
	})
	// Each row comes in an older version too, which must not count.
	for _, version := range []uint64{1, 2} {
		insert(t, w.conn, "transaction", "transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, balance_after, state, version, deleted", w.moves, func(m moveRow) []any {
			balance := m.balance
			kind := m.kind
			if version == 1 {
				kind, balance = "old", balance.Add(decimal.New(1, 0))
			}
			return []any{m.id, m.account, m.day, m.direction, kind, m.amount, m.currency, m.base, "CZK", m.day, &balance, m.state, version, m.deleted}
		})
	}
	insert(t, w.conn, "contract", "contract_id, kind, state, account_id, product_id, amount, amount_currency, currency, opened, closed, version", w.contracts, func(k contractRow) []any {
		return []any{k.id, k.kind, "running", k.account, k.product, &k.amount, "CZK", "CZK", k.opened, k.closed, one}
	})
	insert(t, w.conn, "interaction", "interaction_id, customer_id, kind, channel, opened_time, business_date, version", w.contacts, func(c contactRow) []any {
		return []any{c.id, c.customer, c.kind, c.channel, c.day, c.day, one}
	})
	w.storeRFM(t)
}

func productName(id uint64) string { return fmt.Sprintf("Product %d", id) }

func family(id uint64) string { return []string{"account", "saving", "credit"}[id/2%3] }

// storeRFM stores two runs: in the second one every third customer has moved, and one is new.
func (w *world) storeRFM(t testing.TB) {
	t.Helper()
	type score struct {
		run      uuid.UUID
		asOf     time.Time
		customer uint64
		bin      uint8
	}
	var scores []score
	runs := []uuid.UUID{uuid.MustParse("00000000-0000-7000-8000-000000000001"), uuid.MustParse("00000000-0000-7000-8000-000000000002")}
	days := []time.Time{warehousetest.Day("2023-12-31"), warehousetest.Day("2024-03-31")}
	for i, run := range runs {
		for _, c := range w.customers[:40+i] {
			bin := uint8(1 + c.id%5)
			if i == 1 && c.id%3 == 0 {
				bin = bin%5 + 1
			}
			scores = append(scores, score{run, days[i], c.id, bin})
		}
	}
	insert(t, w.conn, "rfm_score", "run_id, as_of, customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place", scores, func(s score) []any {
		return []any{s.run, s.asOf, s.customer, uint32(1), uint64(2), decimal.New(100, 0), s.bin, s.bin, s.bin, s.customer}
	})
	insert(t, w.conn, "rfm_run", "run_id, as_of, window_days, customers, transactions, monetary, base_currency, computed_time", []int{0, 1}, func(i int) []any {
		return []any{runs[i], days[i], uint32(365), uint64(40), uint64(80), decimal.New(1, 0), "CZK", newest}
	})
}
