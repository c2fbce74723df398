package flow

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/testkit"
	"tandem.bank/pkg/testkit/shop"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// shopMapping tells how the files of a shop become customers, accounts and card payments.
const shopMapping = `mapping: shop
description: A shop, whose customers are taken for a bank's.
source: shop
time_zone: Europe/Prague
format: {date_formats: [YYYYMMDD]}
files:
  - match: customers.csv
    columns: [id]
    feeds:
      - entity: customer
        key: {id: id}
        constants: {state: active, individual.sex: female}
      - entity: account
        key: {id: id}
        constants: {currency: CZK, state: open}
        fields: {number: id}
      - entity: account_holder
        key: {id: id}
        constants: {role: owner}
        fields:
          customer_key: {id: id}
          account_key: {id: id}
  - match: purchases.csv
    columns: [customer, day, amount]
    feeds:
      - entity: transaction
        key: {id: 'file + ":" + string(line)'}
        constants: {direction: debit, kind: card_payment}
        fields:
          account_key: {id: customer}
          business_date: date(day)
          amount: money(amount, "CZK")
`

const (
	shopCalibrationEnd = "1997-09-30"
	shopEnd            = "1998-06-30"
	// shopHoldoutDays are 39 weeks.
	shopHoldoutDays = "273"
)

// TestCDNOW takes CDNOW through the whole path: files, mapping, events, ClickHouse, runs. Every figure that was published
// comes out. Without CDNOW, a shop that is drawn with its parameters goes the same way, and they come out again.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	purchases, published := shop.Open(t)
	b := open(t)
	b.loadShop(t, purchases)
	if !published {
		b.compareDrawn(t)
		return
	}
	b.compareCounts(t)
	b.comparePareto(t)
	b.compareHoldout(t)
	b.compareExplained(t)
}

// loadShop imports purchases, and waits until ClickHouse has them.
func (b *bank) loadShop(t *testing.T, purchases []shop.Purchase) {
	t.Helper()
	folder := writeShop(t, b.work, purchases)
	b.tandem(t, 0, "import", "--mapping", filepath.Join(folder, "shop.yaml"), folder)
	b.tandem(t, 0, "wait", "--timeout", catchUpTimeout)
}

// writeShop writes the files that are imported, and their mapping.
func writeShop(t *testing.T, work string, purchases []shop.Purchase) string {
	t.Helper()
	folder := filepath.Join(work, "shop")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "shop.yaml"), []byte(shopMapping), 0o600); err != nil {
		t.Fatal(err)
	}
	known, customers, movements := map[uint64]bool{}, [][]string{{"id"}}, [][]string{{"customer", "day", "amount"}}
	for _, p := range purchases {
		id := strconv.FormatUint(p.Customer, 10)
		if !known[p.Customer] {
			known[p.Customer] = true
			customers = append(customers, []string{id})
		}
		movements = append(movements, []string{id, p.Day.Format("20060102"), p.Amount})
	}
	for name, rows := range map[string][][]string{"customers.csv": customers, "purchases.csv": movements} {
		file, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := csv.NewWriter(file).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// json runs a command and reads its answer.
func (b *bank) json(t *testing.T, into proto.Message, args ...string) {
	t.Helper()
	out := b.tandem(t, 0, append([]string{"--json"}, args...)...)
	if err := (protojson.UnmarshalOptions{}).Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("tandem %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// runShop makes a run and returns the model of its values, or of its backtest.
func (b *bank) runShop(t *testing.T, asOf, horizonDays, model string, more ...string) *analyticsv1.ClvFittedModel {
	t.Helper()
	b.tandem(t, 0, "run", "clv", "--as-of", asOf, "--model", model, "--horizon-days", horizonDays, "--holdout-days", shopHoldoutDays)
	var answer analyticsv1.GetClvModelResponse
	b.json(t, &answer, append([]string{"clv", "model"}, more...)...)
	return answer.GetModel()
}

// compareCounts checks the model of purchases and that of amounts, and what they expect of single customers.
func (b *bank) compareCounts(t *testing.T) {
	t.Helper()
	model := b.runShop(t, shopCalibrationEnd, "273", "bg_nbd")
	digits(t, model.GetParameters(), ".2426", "4.4136", ".7929", "2.4259")
	digit(t, "log-likelihood", model.GetLogLikelihood(), "-9582.429")
	digits(t, model.GetAmounts().GetParameters(), "6.25", "3.74", "15.44")
	digit(t, "log-likelihood of amounts", model.GetAmounts().GetLogLikelihood(), "-4055.9177")
	if model.GetAmounts().GetCustomers() != 946 || model.GetCustomers() != 2357 {
		t.Errorf("%d customers, %d of them with amounts", model.GetCustomers(), model.GetAmounts().GetCustomers())
	}
	values := b.shopValues(t)
	classes := make([]int, 8)
	for _, v := range values {
		classes[min(int(v["repeats"]), 7)]++
	}
	if got := fmt.Sprint(classes); got != "[1411 439 214 100 62 38 29 64]" {
		t.Errorf("customers by repeat purchases: %s", got)
	}
	digit(t, "E[Y(39)] of x = 2, t_x = 30.43, T = 38.86", find(t, values, 2, 213, 272)["expected_purchases"], "1.226")

	// 52 weeks. These were published with more digits than an optimizer of then had reached.
	model = b.runShop(t, shopCalibrationEnd, "364", "bg_nbd")
	near(t, "E[X(52)] of a new customer", model.GetExpectedNew(), 1.444004)
	heavy := find(t, b.shopValues(t), 26, 216, 217)
	near(t, "E[Y(52)] of a heavy buyer", heavy["expected_purchases"], 25.75659)
	near(t, "P(alive) of a heavy buyer", heavy["p_alive"], .9688523)
}

func (b *bank) comparePareto(t *testing.T) {
	t.Helper()
	model := b.runShop(t, shopCalibrationEnd, "273", "pareto_nbd")
	digits(t, model.GetParameters(), ".553", "10.578", ".606", "11.669")
	digit(t, "log-likelihood of Pareto/NBD", model.GetLogLikelihood(), "-9595.0")
}

// compareHoldout checks the table of the holdout: a run at the end of the data, whose backtest saw the first 39 weeks.
func (b *bank) compareHoldout(t *testing.T) {
	t.Helper()
	model := b.runShop(t, shopEnd, "364", "bg_nbd", "--holdout")
	digits(t, model.GetParameters(), ".2426", "4.4136", ".7929", "2.4259")
	var answer analyticsv1.GetClvBacktestResponse
	b.json(t, &answer, "clv", "backtest")
	backtest := answer.GetBacktest()
	actual := []string{".2367", ".6970", "1.3925", "1.5600", "2.5323", "2.9474", "3.8621", "6.3594"}
	expected := []float64{.2251, .5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570}
	for x, class := range backtest.GetClasses() {
		digit(t, fmt.Sprintf("actual mean of x = %d", x), class.GetActual(), actual[x])
		near(t, fmt.Sprintf("expected mean of x = %d", x), class.GetExpected(), expected[x])
	}
	forecasts := backtest.GetForecasts()
	for _, naive := range forecasts[1:] {
		if forecasts[0].GetMeanAbsoluteError() >= naive.GetMeanAbsoluteError() || forecasts[0].GetRootMeanSquareError() >= naive.GetRootMeanSquareError() {
			t.Errorf("the model does not beat %s: %v", naive.GetName(), forecasts)
		}
	}
}

// compareExplained checks that the bridge from the run of September leads to that of June.
func (b *bank) compareExplained(t *testing.T) {
	t.Helper()
	var run analyticsv1.GetClvSlicesResponse
	b.json(t, &run, "clv", "slices")
	points := run.GetSlices()[0].GetPoints()
	if len(points) != 2 || points[0].GetCustomers() != 2357 || points[1].GetCustomers() != 2357 {
		t.Fatalf("%v", points)
	}
	var best analyticsv1.ExplainClvResponse
	rows := strings.Split(b.tandem(t, 0, "clv", "list", "--csv", "--order", "best", "--limit", "1"), "\n")
	customer, _, _ := strings.Cut(rows[1], ",")
	b.json(t, &best, "clv", "explain", customer)
	bridge := best.GetBridge()
	sum := int64(0)
	for _, step := range []interface {
		GetUnits() int64
		GetNanos() int32
	}{bridge.GetFrom(), bridge.GetAgeing(), bridge.GetActivity(), bridge.GetAmount(), bridge.GetModelChange()} {
		sum += step.GetUnits()*1_000_000_000 + int64(step.GetNanos())
	}
	if to := best.GetValue().GetPredictive().GetValue(); sum != to.GetUnits()*1_000_000_000+int64(to.GetNanos()) || to.GetUnits() == 0 {
		t.Errorf("the bridge %v does not lead to %v", bridge, to)
	}
	// The result comes to stand beside the customer.
	testkit.Eventually(t, testkit.Patience, func() error {
		if screen := b.tandem(t, 0, "customer", "360", customer); !strings.Contains(screen, "CLV  place 1 of 2 357 as of "+shopEnd) {
			return fmt.Errorf("the screen of the best customer:\n%s", screen)
		}
		return nil
	})
}

// compareDrawn checks that the parameters behind a drawn shop come out: each within four standard errors.
func (b *bank) compareDrawn(t *testing.T) {
	t.Helper()
	model := b.runShop(t, shopEnd, "364", "bg_nbd")
	within := func(parameters []*analyticsv1.ClvParameter, want []float64) {
		for i, p := range parameters {
			if !(math.Abs(math.Log(p.GetValue()/want[i])) < 4*p.GetStandardError()/p.GetValue()) {
				t.Errorf("%s is %g ± %g, drawn with %g", p.GetName(), p.GetValue(), p.GetStandardError(), want[i])
			}
		}
	}
	within(model.GetParameters(), shop.Counts[:])
	within(model.GetAmounts().GetParameters(), shop.Spends[:])
	var answer analyticsv1.GetClvBacktestResponse
	b.json(t, &answer, "clv", "backtest")
	backtest := answer.GetBacktest()
	if f := backtest.GetForecasts(); math.Abs(f[0].GetTotal()/backtest.GetActual()-1) > 0.15 {
		t.Errorf("%.0f purchases were foretold, %.0f came", f[0].GetTotal(), backtest.GetActual())
	}
}

// shopValues reads the values of the last run.
func (b *bank) shopValues(t *testing.T) []map[string]float64 {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(b.tandem(t, 0, "clv", "list", "--csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]float64
	for _, row := range rows[1:] {
		value := map[string]float64{}
		for i, cell := range row {
			if number, err := strconv.ParseFloat(cell, 64); err == nil {
				value[rows[0][i]] = number
			}
		}
		out = append(out, value)
	}
	return out
}

// find returns a customer with a history.
func find(t *testing.T, values []map[string]float64, x, tx, days float64) map[string]float64 {
	t.Helper()
	for _, v := range values {
		if v["repeats"] == x && v["last_days"] == tx && v["age_days"] == days {
			return v
		}
	}
	t.Fatalf("nobody has x = %g, t_x = %g, T = %g", x, tx, days)
	return nil
}

func digits(t *testing.T, got []*analyticsv1.ClvParameter, published ...string) {
	t.Helper()
	if len(got) != len(published) {
		t.Fatalf("parameters %v, published are %v", got, published)
	}
	for i, p := range got {
		digit(t, p.GetName(), p.GetValue(), published[i])
	}
}

// digit compares with a figure to the digits that it was published with.
func digit(t *testing.T, what string, got float64, published string) {
	t.Helper()
	want, err := strconv.ParseFloat(published, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, decimals, _ := strings.Cut(published, ".")
	if math.Abs(got-want) > 0.5000001*math.Pow10(-len(decimals)) {
		t.Errorf("%s is %.8g, published is %s", what, got, published)
	}
}

// near is for figures that were published with more digits than the parameters behind them had: an optimizer that stopped
// at a gradient of 1e-3 moves the fifth digit.
func near(t *testing.T, what string, got, published float64) {
	t.Helper()
	if math.Abs(got-published) > 5e-5+4e-5*published {
		t.Errorf("%s is %.8g, published is %.8g", what, got, published)
	}
}
