package rfm_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// score is what a run says of a customer, in plain words.
type score struct {
	Customer  int64
	Recency   int32
	Frequency int64
	Monetary  string
	Cell      int32
}

// world is a random bank and what a run over it must say, computed another way: row by row, with sorting.
type world struct {
	random   *rand.Rand
	holdings []holding
	entries  []entry
}

var kinds = []string{"", "card_payment", "cash_deposit", "transfer_in", "fee", "interest_credited", "loan_disbursement", "loan_repayment"}

const asOf, windowDays = "2024-06-30", 90

// newWorld draws holdings that begin, end and change hands around as_of, and transactions around the window's edges
// with few distinct values, so that ties are the rule.
func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1))}
	accounts := 1 + w.random.Int64N(80)
	customers := 1 + w.random.Int64N(60)
	for account := int64(1); account <= accounts; account++ {
		for range 1 + w.random.IntN(2) {
			h := holding{id: int64(len(w.holdings) + 1), account: account, customer: 1 + w.random.Int64N(customers), version: 1 + w.random.Int64N(3)}
			h.role = []string{"owner", "owner", "owner", "co_owner"}[w.random.IntN(4)]
			h.from, h.to = w.near(3), w.near(3)
			h.deleted = w.random.IntN(10) == 0
			w.holdings = append(w.holdings, h)
		}
	}
	for id := int64(1); id <= 10*accounts; id++ {
		w.entries = append(w.entries, entry{
			id: id, version: 1 + w.random.Int64N(3), account: 1 + w.random.Int64N(accounts),
			day:     warehousetest.Day(asOf).AddDate(0, 0, 2-w.random.IntN(windowDays+5)).Format(time.DateOnly),
			kind:    kinds[w.random.IntN(len(kinds))],
			state:   []string{"posted", "posted", "posted", "reversed"}[w.random.IntN(4)],
			value:   decimal.New(w.random.Int64N(40), -int32(w.random.IntN(3))).String(),
			deleted: w.random.IntN(15) == 0,
			back:    w.random.IntN(8) == 0,
		})
	}
	return w
}

// near draws no day, or one close to as_of.
func (w *world) near(spread int) string {
	if w.random.IntN(2) == 0 {
		return ""
	}
	return warehousetest.Day(asOf).AddDate(0, 0, w.random.IntN(2*spread+1)-spread).Format(time.DateOnly)
}

// changes are the rows with older versions of some, in any order and sometimes twice.
func (w *world) changes() []*eventsv1.Change {
	var out []*eventsv1.Change
	for _, h := range w.holdings {
		for v := int64(1); v < h.version; v++ {
			old := h
			old.version, old.customer, old.role, old.deleted = v, 1+w.random.Int64N(99), "owner", w.random.IntN(2) == 0
			out = append(out, old.change())
		}
		out = append(out, h.change())
	}
	for _, e := range w.entries {
		for v := int64(1); v < e.version; v++ {
			old := e
			old.version, old.value, old.state = v, "777", "posted"
			out = append(out, bundle(w.random.IntN(2) == 0, "CZK", old))
		}
		out = append(out, bundle(e.deleted, "CZK", e))
		if w.random.IntN(5) == 0 {
			out = append(out, bundle(e.deleted, "CZK", e))
		}
	}
	w.random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// owners maps accounts to the customer who owns them on as_of.
func (w *world) owners() map[int64]int64 {
	chosen := map[int64]holding{}
	for _, h := range w.holdings {
		if h.deleted || h.role != "owner" || (h.from != "" && h.from > asOf) || (h.to != "" && h.to < asOf) {
			continue
		}
		if best, ok := chosen[h.account]; !ok || h.from > best.from || (h.from == best.from && h.id > best.id) {
			chosen[h.account] = h
		}
	}
	out := map[int64]int64{}
	for account, h := range chosen {
		out[account] = h.customer
	}
	return out
}

type values struct {
	last      string
	frequency int64
	monetary  decimal.Decimal
}

// expected computes the scores, by customer number.
func (w *world) expected(only []string) []score {
	first := warehousetest.Day(asOf).AddDate(0, 0, 1-windowDays).Format(time.DateOnly)
	owners, byCustomer := w.owners(), map[int64]values{}
	for _, e := range w.entries {
		customer, owned := owners[e.account]
		counts := len(only) > 0 && slices.Contains(only, e.kind) ||
			len(only) == 0 && !slices.Contains([]string{"fee", "interest_credited", "interest_charged", "loan_disbursement"}, e.kind)
		if !owned || !counts || e.deleted || e.state != "posted" || e.day < first || e.day > asOf {
			continue
		}
		v := byCustomer[customer]
		value := decimal.RequireFromString(e.value)
		if e.back && e.kind != "" {
			v.monetary = v.monetary.Sub(value)
		} else {
			v.last, v.frequency, v.monetary = max(v.last, e.day), v.frequency+1, v.monetary.Add(value)
		}
		byCustomer[customer] = v
	}
	maps.DeleteFunc(byCustomer, func(_ int64, v values) bool { return v.frequency == 0 })
	customers := slices.Sorted(maps.Keys(byCustomer))
	recency := bins(customers, func(a, b int64) int { return cmp.Compare(byCustomer[b].last, byCustomer[a].last) })
	frequency := bins(customers, func(a, b int64) int { return cmp.Compare(byCustomer[b].frequency, byCustomer[a].frequency) })
	monetary := bins(customers, func(a, b int64) int { return byCustomer[b].monetary.Cmp(byCustomer[a].monetary) })
	out := []score{}
	for _, c := range customers {
		v := byCustomer[c]
		out = append(out, score{
			Customer: c, Recency: int32(warehousetest.Day(asOf).Sub(warehousetest.Day(v.last)) / (24 * time.Hour)),
			Frequency: v.frequency, Monetary: v.monetary.String(), Cell: 100*recency[c] + 10*frequency[c] + monetary[c],
		})
	}
	return out
}

// bins places customers best first; who is as good as the one at place ceil(j·n/5) is among the best j bins.
func bins(customers []int64, better func(a, b int64) int) map[int64]int32 {
	sorted := slices.SortedStableFunc(slices.Values(customers), better)
	out := map[int64]int32{}
	for _, c := range customers {
		out[c] = 1
		for j := int32(1); j < rfm.BinsDefault; j++ {
			place := (int(j)*len(sorted) + rfm.BinsDefault - 1) / rfm.BinsDefault
			if better(c, sorted[place-1]) <= 0 {
				out[c] = rfm.BinsDefault + 1 - j
				break
			}
		}
	}
	return out
}

func (b *bank) server() *rfm.Server {
	return rfm.NewServer(b.service, warehousetest.Published{}, definition.NewStore(b.conn))
}

// all reads a list page by page.
func (b *bank) all(t testing.TB, runID string, order analyticsv1.RfmOrder, size int32) []score {
	t.Helper()
	out, token := []score{}, ""
	for {
		answer, err := b.server().ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{RunId: runID, Order: order, PageSize: size, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range answer.GetScores() {
			value := decimal.New(s.GetMonetary().GetUnits(), 0).Add(decimal.New(int64(s.GetMonetary().GetNanos()), -9))
			out = append(out, score{s.GetCustomerId(), s.GetRecencyDays(), s.GetFrequency(), value.String(), s.GetCell()})
		}
		if token = answer.GetNextPageToken(); token == "" {
			return out
		}
	}
}

// Runs over random banks equal the same computed row by row.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for seed := range uint64(25) {
		w := newWorld(seed)
		var only []string
		if seed%4 == 3 {
			only = []string{"card_payment", "fee"}
		}
		b.clear(t)
		changes := w.changes()
		half := len(changes) / 2
		b.load(t, changes[:half]...) // two inserts, so that versions also meet across parts
		b.load(t, changes[half:]...)
		settings, err := rfm.NewSettings(warehousetest.Day(asOf), windowDays, only)
		if err != nil {
			t.Fatal(err)
		}
		want := w.expected(only)
		run, err := b.service.Compute(t.Context(), settings)
		if len(want) == 0 {
			if err == nil {
				t.Fatalf("seed %d: a run without transactions gave %d customers", seed, run.Customers)
			}
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got := b.all(t, run.ID.String(), analyticsv1.RfmOrder_RFM_ORDER_UNSPECIFIED, 7)
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d: scores (-want +got):\n%s", seed, diff)
		}
		slices.SortFunc(want, bestFirst)
		got = b.all(t, run.ID.String(), analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST, 11)
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d: best first (-want +got):\n%s", seed, diff)
		}
		checkTotals(t, b, run, want)
	}
}

func bestFirst(a, b score) int {
	sum := func(s score) int32 { return s.Cell/100 + s.Cell/10%10 + s.Cell%10 }
	return cmp.Or(cmp.Compare(sum(b), sum(a)),
		decimal.RequireFromString(b.Monetary).Cmp(decimal.RequireFromString(a.Monetary)), cmp.Compare(a.Customer, b.Customer))
}

// checkTotals compares the run and its grid with the scores.
func checkTotals(t *testing.T, b *bank, run rfm.Run, scores []score) {
	t.Helper()
	answer, err := b.server().GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{RunId: run.ID.String()})
	if err != nil {
		t.Fatal(err)
	}
	transactions, monetary, cells := int64(0), decimal.Zero, map[string]int64{}
	for _, s := range scores {
		transactions += s.Frequency
		monetary = monetary.Add(decimal.RequireFromString(s.Monetary))
		cells[strconv.Itoa(int(s.Cell/10))]++
	}
	got := answer.GetRun()
	if got.GetCustomers() != int64(len(scores)) || got.GetTransactions() != transactions || !run.Monetary.Equal(monetary) || got.GetMonetary().GetCurrencyCode() != "CZK" {
		t.Fatalf("totals %v, want %d customers, %d transactions, %s", got, len(scores), transactions, monetary)
	}
	var order []string
	for _, cell := range got.GetGrid() {
		name := fmt.Sprintf("%d%d", cell.GetRecency(), cell.GetFrequency())
		order = append(order, name)
		if cells[name] != cell.GetCustomers() {
			t.Fatalf("cell %s holds %d customers, want %d", name, cell.GetCustomers(), cells[name])
		}
	}
	if want := slices.SortedFunc(maps.Keys(cells), func(a, b string) int { return strings.Compare(b, a) }); !slices.Equal(order, want) {
		t.Fatalf("grid %v, want %v", order, want)
	}
}
