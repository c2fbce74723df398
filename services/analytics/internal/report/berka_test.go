package report

import (
	"encoding/csv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/date"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// berkaFile reads a file of the Berka bank, which lies beside the project; false where it does not.
func berkaFile(t *testing.T, name string, comma rune) ([][]string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		file, err := os.Open(filepath.Join(dir, "..", "shared", "data", "berka", name))
		if err != nil {
			continue
		}
		defer func() { _ = file.Close() }()
		reader := csv.NewReader(file)
		reader.Comma = comma
		records, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return records[1:], true
	}
	return nil, false
}

// berkaMove is a transaction of 1993 and 1994.
type berkaMove struct {
	id, account     uint64
	day             time.Time
	direction, kind string
	amount, balance decimal.Decimal
}

// Totals of a bank are those that Go adds up from its movements: of a real one where its files are at hand, else of a drawn one.
func TestBerka(t *testing.T) {
	t.Parallel()
	moves := berkaMoves(t)
	w := newWorld(t, 2)
	for _, table := range []string{"transaction", "contract", "account"} {
		if err := w.conn.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	insert(t, w.conn, "transaction",
		"transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, balance_after, state, version", moves,
		func(m berkaMove) []any {
			return []any{m.id, m.account, m.day, m.direction, m.kind, m.amount, "CZK", m.amount, "CZK", m.day, &m.balance, "posted", uint64(1)}
		})
	byKind, byMonth, accounts := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}, map[uint64]bool{}
	var total, last decimal.Decimal
	newestOf := map[uint64]berkaMove{}
	for _, m := range moves {
		total, accounts[m.account] = total.Add(m.amount), true
		byKind[m.kind] = byKind[m.kind].Add(m.amount)
		month := date.Text(start(definitionv1.TimeGrain_TIME_GRAIN_MONTH, m.day))
		byMonth[month] = byMonth[month].Add(m.amount)
		if before := newestOf[m.account]; !m.day.Before(before.day) {
			newestOf[m.account] = m
		}
	}
	for _, m := range newestOf {
		last = last.Add(m.balance)
	}
	insert(t, w.conn, "account", "account_id, currency, state, version", slices.Collect(maps.Keys(accounts)), func(id uint64) []any {
		return []any{id, "CZK", "open", uint64(1)}
	})
	w.reload(t)
	asOf := date.Proto(warehousetest.Day("1994-12-31"))
	kinds := w.ask(t, &definitionv1.ReportQuery{
		Measures: []string{"turnover"}, Dimensions: []string{"transaction_kind"}, AsOf: asOf, Subtotals: definitionv1.Subtotals_SUBTOTALS_TOTAL,
	})
	if len(kinds.rows) != len(byKind)+1 {
		t.Errorf("%d kinds", len(kinds.rows))
	}
	for _, row := range kinds.rows {
		want := total
		if !row.GetSubtotal() {
			want = byKind[row.GetCells()[0].GetKey()]
		}
		if got := numberOf(row.GetCells()[1]); !got.Equal(want) {
			t.Errorf("%v: %s, want %s", row.GetCells()[0], got, want)
		}
	}
	months := w.ask(t, &definitionv1.ReportQuery{Measures: []string{"turnover"}, AsOf: asOf, Grain: definitionv1.TimeGrain_TIME_GRAIN_MONTH})
	if len(months.rows) != len(byMonth) {
		t.Errorf("%d months, want %d", len(months.rows), len(byMonth))
	}
	for _, row := range months.rows {
		first, _ := date.Time(row.GetCells()[0].GetDay())
		if got := numberOf(row.GetCells()[1]); !got.Equal(byMonth[date.Text(first)]) {
			t.Errorf("%v: %s, want %s", first, got, byMonth[date.Text(first)])
		}
	}
	whole := w.ask(t, &definitionv1.ReportQuery{Measures: []string{"transactions", "active_accounts", "balance"}, AsOf: asOf, Currency: "CZK"})
	for i, want := range []decimal.Decimal{decimal.New(int64(len(moves)), 0), decimal.New(int64(len(accounts)), 0), last} {
		if got := numberOf(whole.rows[0].GetCells()[i]); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", whole.header.GetColumns()[i].GetName(), got, want)
		}
	}
}

func berkaMoves(t *testing.T) []berkaMove {
	t.Helper()
	records, found := berkaFile(t, "trans_1993-01-01_1994-04-20.csv", ',')
	if !found {
		t.Log("on a drawn bank: the files of the Berka bank are not in ../shared/data/berka beside the project")
		return drawnMoves(rand.New(rand.NewPCG(7, 7)))
	}
	t.Log("on the Berka bank")
	var out []berkaMove
	for i, r := range records {
		account, err := strconv.ParseUint(r[0][1:], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		amount, err := decimal.NewFromString(r[4])
		if err != nil {
			t.Fatal(err)
		}
		balance, err := decimal.NewFromString(r[5])
		if err != nil {
			t.Fatal(err)
		}
		direction := "debit"
		if r[2] == "credit" {
			direction = "credit"
		}
		out = append(out, berkaMove{uint64(i + 1), account, warehousetest.Day(r[1]), direction, r[3], amount, balance})
	}
	return out
}

// drawnMoves are those of sixty accounts over the same days as the file, in the order of account and day, as there.
func drawnMoves(r *rand.Rand) []berkaMove {
	first := warehousetest.Day("1993-01-01")
	days := int(warehousetest.Day("1994-04-20").Sub(first).Hours() / 24)
	var out []berkaMove
	for account := uint64(1); account <= 60; account++ {
		balance := decimal.Zero
		for at := r.IntN(90); at <= days; at += r.IntN(9) {
			m := berkaMove{
				id: uint64(len(out) + 1), account: account, day: first.AddDate(0, 0, at), direction: "credit",
				kind: []string{"cash_deposit", "transfer_in", "interest_credited"}[r.IntN(3)], amount: decimal.New(1+r.Int64N(9_999_999), -2),
			}
			if r.IntN(2) == 0 {
				m.direction, m.kind = "debit", []string{"cash_withdrawal", "transfer_out", "fee"}[r.IntN(3)]
				balance = balance.Sub(m.amount)
			} else {
				balance = balance.Add(m.amount)
			}
			m.balance = balance
			out = append(out, m)
		}
	}
	return out
}
