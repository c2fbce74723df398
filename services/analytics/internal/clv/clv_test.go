package clv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/btyd"
	"tandem.bank/pkg/money"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

const (
	predictive = analyticsv1.ClvOrder_CLV_ORDER_PREDICTIVE
	historic   = analyticsv1.ClvOrder_CLV_ORDER_HISTORIC
	byNumber   = analyticsv1.ClvOrder_CLV_ORDER_UNSPECIFIED
)

// random draws purchases of a number of customers, with refunds and days of several purchases.
func random(seed uint64, customers int) []movement {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []movement
	for c := range customers {
		day := warehousetest.Day("2023-01-01").AddDate(0, 0, r.IntN(200))
		for range 1 + r.IntN(12) {
			m := movement{customer: uint64(c + 1), day: day, value: decimal.New(r.Int64N(90_000), -2).String()}
			switch r.IntN(8) {
			case 0:
				m.back = "credit" // a refund
			case 1:
				m.state = "reversed"
			case 2:
				m.kind = "fee"
			case 3:
				m.kind, m.back = "transfer_in", "credit" // the way that it goes
			}
			out = append(out, m)
			day = day.AddDate(0, 0, r.IntN(60))
		}
	}
	return out
}

// Histories equal those that btyd makes of the same purchases row by row; so do P(alive) and expectations by the model.
func TestAgainstRows(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const asOf = "2024-01-15"
	movements := random(1, 300)
	b.load(t, movements[:len(movements)/2]...)
	b.load(t, movements[len(movements)/2:]...)
	run := b.run(t, asOf, &definitionv1.ClvDefinition{Models: []definitionv1.ClvModel{bgNBD}, AnnualDiscountRate: 0.1})
	purchases := map[uint64][]btyd.Purchase{}
	for _, m := range movements {
		amount, _ := decimal.RequireFromString(m.value).Float64()
		if m.state == "reversed" || m.kind == "fee" {
			continue
		}
		if m.back == "credit" && m.kind == "" {
			amount = -amount
		}
		purchases[m.customer] = append(purchases[m.customer], btyd.Purchase{Day: m.day, Amount: amount})
	}
	fit := restored(t, b.model(t, run, 0, ""))
	found := map[uint64]bool{}
	for _, v := range b.values(t, run, byNumber, 70) {
		id := uint64(v.GetCustomerId())
		found[id] = true
		want, ok := btyd.Summarize(purchases[id], warehousetest.Day(asOf))
		got := btyd.History{X: int(v.GetRepeats()), TX: int(v.GetLastDays()), T: int(v.GetAgeDays())}
		if !ok || got != want.History || math.Abs(v.GetMeanAmount()-want.Mean) > 1e-6 {
			t.Errorf("customer %d has %v, mean %g; row by row %v %v", id, got, v.GetMeanAmount(), want, ok)
		}
		expected := fit.ExpectedInterval(got, 365.0/7, math.Log(1.1)*7/365.25).Value
		if math.Abs(v.GetExpectedPurchases().GetValue()-expected) > 1e-9 || math.Abs(v.GetPAlive().GetValue()-fit.Alive(got)) > 1e-9 {
			t.Errorf("customer %d: %v, want %g", id, v, expected)
		}
		checkHistoric(t, v, purchases[id], warehousetest.Day(asOf))
	}
	for id, list := range purchases {
		if _, ok := btyd.Summarize(list, warehousetest.Day(asOf)); ok != found[id] {
			t.Errorf("customer %d is in the run: %t", id, found[id])
		}
	}
}

// checkHistoric adds up the margin row by row.
func checkHistoric(t *testing.T, v *analyticsv1.ClvValue, purchases []btyd.Purchase, asOf time.Time) {
	t.Helper()
	want := 0.0
	for _, p := range purchases {
		if p.Day.After(asOf) {
			continue
		}
		want += p.Amount * math.Exp2(-asOf.Sub(p.Day).Hours()/24/365)
	}
	got, err := money.Decimal(v.GetHistoric())
	if err != nil || math.Abs(got.InexactFloat64()-want) > 1e-3 {
		t.Errorf("customer %d earned %s, row by row %g: %v", v.GetCustomerId(), got, want, err)
	}
}

func restored(t *testing.T, m *analyticsv1.ClvFittedModel) *btyd.Fit {
	t.Helper()
	var values []float64
	for _, p := range m.GetParameters() {
		values = append(values, p.GetValue())
	}
	fit, err := btyd.Restore(btyd.BGNBD, int(m.GetUnitDays()), values)
	if err != nil {
		t.Fatal(err)
	}
	return fit
}

// The same day over the same data gives the same bytes, however rows lie in parts, whatever came later; and while no
// change came the run that is there is the answer.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(2, 400)...)
	definition := &definitionv1.ClvDefinition{AnnualDiscountRate: 0.08, HoldoutDays: 120}
	first := b.run(t, "2023-12-31", definition)
	if again := b.run(t, "2023-12-31", definition); again.GetRunId() != first.GetRunId() {
		t.Error("the same run over the same data was computed twice")
	}
	b.onParts(t, "OPTIMIZE TABLE transaction FINAL")
	b.newest = b.newest.Add(time.Hour)
	b.load(t, movement{customer: 1, day: warehousetest.Day("2024-01-01"), value: "77"}, movement{customer: 999, day: warehousetest.Day("2024-01-02"), value: "5"})
	second := b.run(t, "2023-12-31", definition)
	if second.GetRunId() == first.GetRunId() {
		t.Fatal("a run over newer data is the old one")
	}
	for _, order := range []analyticsv1.ClvOrder{byNumber, predictive, historic} {
		if diff := gocmp.Diff(b.values(t, first, order, 0), b.values(t, second, order, 33), protocmp.Transform()); diff != "" {
			t.Errorf("%s:\n%s", order, diff)
		}
	}
	for _, purpose := range []analyticsv1.ClvModelPurpose{0, holdout} {
		if diff := gocmp.Diff(b.model(t, first, purpose, ""), b.model(t, second, purpose, ""), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	if diff := gocmp.Diff(b.backtest(t, first), b.backtest(t, second), protocmp.Transform(), protocmp.IgnoreFields(&analyticsv1.ClvBacktest{}, "run_id")); diff != "" {
		t.Error(diff)
	}
	var left uint64
	if err := b.conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM clv_customer) + (SELECT count() FROM clv_prediction)").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows left behind, %v", left, err)
	}
	list, err := b.server.ListClvRuns(t.Context(), &analyticsv1.ListClvRunsRequest{PageSize: 1})
	if err != nil || len(list.GetRuns()) != 1 || list.GetRuns()[0].GetRunId() != second.GetRunId() {
		t.Fatalf("the first page of runs is %v, %v", list, err)
	}
	list, err = b.server.ListClvRuns(t.Context(), &analyticsv1.ListClvRunsRequest{PageSize: 1, PageToken: list.GetNextPageToken()})
	if err != nil || len(list.GetRuns()) != 1 || !proto.Equal(list.GetRuns()[0], first) || list.GetNextPageToken() != "" {
		t.Errorf("the second page of runs is %v, %v", list, err)
	}
}

func (b *bank) backtest(t testing.TB, run *analyticsv1.ClvRun) *analyticsv1.ClvBacktest {
	t.Helper()
	answer, err := b.server.GetClvBacktest(t.Context(), &analyticsv1.GetClvBacktestRequest{RunId: run.GetRunId()})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetBacktest()
}

// Places are by value, and percentiles by places.
func TestOrder(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(3, 200)...)
	run := b.run(t, "2024-01-15", nil)
	var last *analyticsv1.ClvValue
	for i, v := range b.values(t, run, predictive, 33) {
		if v.GetRank() != int64(i+1) || last != nil && amount(t, last.GetPredictive().GetValue()).LessThan(amount(t, v.GetPredictive().GetValue())) {
			t.Errorf("%v comes after %v", v, last)
		}
		if want := 100 * float64(run.GetCustomers()-int64(i+1)) / float64(run.GetCustomers()-1); v.GetPercentile() != want {
			t.Errorf("place %d is percentile %g, want %g", i+1, v.GetPercentile(), want)
		}
		last = v
	}
	total := decimal.Zero
	for i, v := range b.values(t, run, historic, 33) {
		if v.GetHistoricRank() != int64(i+1) {
			t.Errorf("%v is at place %d", v, i+1)
		}
		total = total.Add(amount(t, v.GetHistoric()))
	}
	if !total.Equal(amount(t, run.GetHistoric())) {
		t.Errorf("historic values come to %s, the run says %v", total, run.GetHistoric())
	}
}

// Margins of families, and the default; amounts in a foreign currency count in the base one.
func TestMargin(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.exec(t,
		"INSERT INTO product (product_id, family, margin, version) VALUES (1, 'loan', 0.5, 1), (2, 'loan', NULL, 1), (3, 'card', NULL, 1)",
		"INSERT INTO account (account_id, product_id, version) VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1)")
	for c := uint64(1); c <= 4; c++ {
		b.load(t, movement{customer: c, day: warehousetest.Day("2024-01-31"), value: "100", currency: "EUR", amount: "4"})
	}
	margin := &definitionv1.ClvMargin{DefaultShare: new(0.01), FamilyShares: map[string]float64{"loan": 0.2}}
	for name, c := range map[string]struct {
		ignore bool
		want   string
	}{"known": {false, "0 20 1 1"}, "ignored": {true, "20 20 1 1"}} {
		margin.IgnoreProductMargins = c.ignore
		run := b.run(t, "2024-01-31", &definitionv1.ClvDefinition{Margin: margin})
		got := ""
		for _, v := range b.values(t, run, byNumber, 0) {
			got += fmt.Sprint(amount(t, v.GetHistoric()), " ")
		}
		if got != c.want+" " {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A product's margin is a part of the balance in a year: of each day's balance as it stood, decayed by the age of the day.
func TestMarginOfBalances(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.exec(t,
		"INSERT INTO product (product_id, family, margin, version) VALUES (1, 'current_account', 0.02, 1)",
		"INSERT INTO account (account_id, product_id, currency, version) VALUES (1, 1, 'CZK', 1), (2, 1, 'CZK', 1), (3, 1, 'EUR', 1), (4, 1, 'USD', 1)",
		// Account 1: 1 000 from January 1, -500 from January 11. Account 2: before the window, and a balance stated at the close of a day.
		`INSERT INTO account_balance (account_id, business_date, currency, ledger, closing, version) VALUES
			(1, '2024-01-01', 'CZK', 1000, 0, 1), (1, '2024-01-11', 'CZK', -500, 1, 1), (2, '2023-06-01', 'CZK', 300, 1, 1),
			(2, '2024-02-01', 'CZK', 9999, 1, 1), (3, '2024-01-31', 'EUR', 100, 1, 1), (4, '2024-01-31', 'USD', 100, 1, 1)`)
	for c := uint64(1); c <= 4; c++ {
		b.load(t, movement{customer: c, day: warehousetest.Day("2024-01-30"), value: "100"})
	}
	// A rate of the euro, made by somebody without a product.
	b.load(t, movement{customer: 5, day: warehousetest.Day("2024-01-15"), value: "100", currency: "EUR", amount: "4"})
	run := b.run(t, "2024-01-31", &definitionv1.ClvDefinition{
		WindowDays: 31, HoldoutDays: 10, HalfLifeDays: 30, Margin: &definitionv1.ClvMargin{DefaultShare: new(0.5)},
	})
	balance := func(day int, one float64) float64 { // what a customer's balance of a day in January earned, as of its end
		return one * 0.02 / 365.25 * math.Exp2(float64(day-31)/30)
	}
	want := map[int64]float64{5: 50 * math.Exp2(-16.0/30), 3: balance(31, 2500), 4: 0}
	for day := 1; day <= 31; day++ {
		if day < 11 {
			want[1] += balance(day, 1000)
		} else {
			want[1] += balance(day, 500)
		}
		want[2] += balance(day, 300)
	}
	plain := map[int64]float64{1: (10*1000 + 21*500) * 0.02 / 365.25 / 100, 2: 31 * 300 * 0.02 / 365.25 / 100, 3: 2500 * 0.02 / 365.25 / 100, 4: 0, 5: 0.5}
	for _, v := range b.values(t, run, byNumber, 0) {
		id := v.GetCustomerId()
		if got := amount(t, v.GetHistoric()).InexactFloat64(); math.Abs(got-want[id]) > 1e-4 {
			t.Errorf("customer %d: %g, want %g", id, got, want[id])
		}
		if math.Abs(v.GetMarginShare()-plain[id]) > 1e-9 {
			t.Errorf("customer %d: margin share %g, want %g", id, v.GetMarginShare(), plain[id])
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	if _, err := b.tryRun(t, "2024-01-31", nil); code(err) != codes.FailedPrecondition {
		t.Errorf("a bank without transactions gave %v", err)
	}
	b.load(t, movement{customer: 1, day: warehousetest.Day("2024-01-31"), value: "100", back: "credit"})
	if _, err := b.tryRun(t, "2024-01-31", nil); code(err) != codes.FailedPrecondition {
		t.Errorf("money back only gave %v", err)
	}
	for name, definition := range map[string]*definitionv1.ClvDefinition{
		"kind": {TransactionKinds: []string{"' OR 1"}}, "window": {WindowDays: 30, HoldoutDays: 60},
	} {
		if _, err := b.tryRun(t, "2024-01-31", definition); code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.tryRun(t, "1969-12-31", nil); code(err) != codes.InvalidArgument {
		t.Errorf("a day before all days gave %v", err)
	}
	if _, err := b.server.GetClvRun(t.Context(), &analyticsv1.GetClvRunRequest{}); code(err) != codes.NotFound {
		t.Errorf("no run gave %v", err)
	}
	b.load(t, movement{customer: 1, day: warehousetest.Day("2024-01-30"), value: "1", baseCurrency: "EUR"})
	if _, err := b.tryRun(t, "2024-01-31", nil); code(err) != codes.FailedPrecondition {
		t.Errorf("two base currencies gave %v", err)
	}
}

// sum is an amount of money.
type sum interface {
	GetUnits() int64
	GetNanos() int32
}

func amount(t *testing.T, m sum) decimal.Decimal {
	t.Helper()
	return decimal.New(m.GetUnits(), 0).Add(decimal.New(int64(m.GetNanos()), -9))
}
