package performance

import (
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/report"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
	"tandem.bank/services/analytics/migrations"
)

func of(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// Worked by hand: 100 at 10 EUR were planned at 25 CZK, 90 were sold at 11 EUR for 26 CZK.
//
//	volume    (90 − 100) · 10 · 25  = −2 500
//	price     90 · (11 − 10) · 25   =  2 250
//	currency  90 · 11 · (26 − 25)   =    990
//	together  25 740 − 25 000       =    740
func TestByHand(t *testing.T) {
	t.Parallel()
	v := Of(Figures{
		Planned: of("1000"), Actual: of("990"), PlannedVolume: of("100"), ActualVolume: of("90"), HasVolume: true,
		Rate: of("25"), ActualBase: of("25740"), HasRate: true,
	})
	for name, pair := range map[string][2]decimal.Decimal{
		"volume": {v.Volume, of("-2500")}, "price": {v.Price, of("2250")}, "currency": {v.Currency, of("990")}, "total": {v.Total, of("740")},
	} {
		if !pair[0].Equal(pair[1]) {
			t.Errorf("%s is %s, want %s", name, pair[0], pair[1])
		}
	}
}

// Whatever the figures, the parts add up to the variance exactly.
func TestPartsAddUp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() decimal.Decimal { return decimal.New(r.Int64N(1_000_000_000)+1, -4) }
	for range 1000 {
		f := Figures{
			Planned: draw(), Actual: draw(), PlannedVolume: draw(), ActualVolume: draw(), HasVolume: true,
			Rate: draw(), ActualBase: draw(), HasRate: r.IntN(2) == 0,
		}
		v := Of(f)
		if !v.Volume.Add(v.Price).Add(v.Currency).Equal(v.Total) || !v.Total.Equal(v.Actual.Sub(v.Planned)) {
			t.Fatalf("%+v gave %+v", f, v)
		}
	}
}

// newService is a warehouse with 90 loans of 11 EUR each at branch 1, worth 26 CZK a euro, and a plan for them.
func newService(t *testing.T) *Service {
	t.Helper()
	url := warehousetest.Migrated(t)
	conn := warehousetest.Connect(t, url)
	name, err := warehouse.Database(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"INSERT INTO branch (branch_id, name, version) VALUES (1, 'Centre', 1), (2, 'Suburb', 1)",
		"INSERT INTO customer (customer_id, kind, state, branch_id, version) VALUES (1, 'individual', 'active', 1, 1)",
		"INSERT INTO account (account_id, currency, version) VALUES (1, 'EUR', 1)",
		"INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version) VALUES (1, 1, 1, 'owner', 1)",
		`INSERT INTO transaction (transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, state, version)
			VALUES (1, 1, '2024-01-01', 'credit', 'transfer', 1, 'EUR', 26, 'CZK', '2024-01-01', 'posted', 1)`,
		`INSERT INTO contract (contract_id, kind, state, account_id, amount, amount_currency, currency, opened, version)
			SELECT number + 1, 'loan', 'running', 1, 11, 'EUR', 'EUR', toDate('2024-01-10') + number % 10, 1 FROM numbers(90)`,
		`INSERT INTO segment_run (run_id, segment, as_of, computed_time) VALUES ('00000000-0000-7000-8000-000000000001', 'young', '2024-01-01', now())`,
		`INSERT INTO segment_member (segment, as_of, run_id, customer_id) VALUES ('young', '2024-01-01', '00000000-0000-7000-8000-000000000001', 1)`,
		`INSERT INTO plan_value (plan_id, name, indicator, unit_kind, unit_id, unit_name, period, period_start, amount, currency, volume, plan_version, plan_time, version)
			SELECT 1, 'budget', 'sales_amount', unit, id, name, 'month', '2024-01-01', amount, 'EUR', 100, v, toDateTime64('2024-01-01 00:00:00', 6) + v, v
			FROM values('unit String, id UInt64, name String, amount Decimal(38, 4), v UInt64',
				('branch', 1, '', 1, 1), ('branch', 1, '', 1000, 2), ('branch', 2, '', 500, 2), ('bank', 0, '', 1000, 2), ('segment', 0, 'young', 1000, 2))`,
		"SYSTEM RELOAD DICTIONARY " + name + ".account_lookup", "SYSTEM RELOAD DICTIONARY " + name + ".customer_lookup",
		"SYSTEM RELOAD DICTIONARY " + name + ".currency_lookup", "SYSTEM RELOAD DICTIONARY " + migrations.BIDatabase(name) + ".lookup_branch",
	} {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	catalogue, err := report.Builtin(migrations.BIDatabase(name))
	if err != nil {
		t.Fatal(err)
	}
	reports, err := report.New(report.Config{
		Warehouse: conn, Catalogue: catalogue, NewestChange: time.Now, TimeZone: time.UTC, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(conn, reports)
}

func january(unit analyticsv1.PlanUnit) *analyticsv1.CompareWithPlanRequest {
	return &analyticsv1.CompareWithPlanRequest{
		Plan: "budget", Indicator: "sales_amount", Volume: "sales", Unit: unit, Period: definitionv1.TimeGrain_TIME_GRAIN_MONTH, Currency: "EUR", PlannedRate: "25",
		From: &date.Date{Year: 2024, Month: 1, Day: 1}, To: &date.Date{Year: 2024, Month: 1, Day: 31},
	}
}

// The example worked by hand comes out of the warehouse, for the bank, a branch and a segment.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for unit, lines := range map[analyticsv1.PlanUnit]int{1: 1, 3: 2, 6: 1} {
		out, err := s.Compare(t.Context(), january(unit), report.Caller{ID: "eva"})
		if err != nil || len(out.GetLines()) != lines || out.GetCurrency() != "CZK" {
			t.Fatalf("%v: %v, %v", unit, out, err)
		}
		line := out.GetLines()[0]
		p := line.GetParts()
		if line.GetPlanned() != "25000.0000" || line.GetActual() != "25740.0000" || line.GetVariance() != "740.0000" || line.GetVarianceRate() != 0.0296 ||
			p.GetVolume() != "-2500.0000" || p.GetPrice() != "2250.0000" || p.GetCurrency() != "990.0000" || p.GetActualPrice() != "11" || p.GetPlannedPrice() != "10" {
			t.Errorf("%v: %v", unit, line)
		}
		if unit == analyticsv1.PlanUnit_PLAN_UNIT_BRANCH {
			if other := out.GetLines()[1]; line.GetUnitName() != "Centre" || other.GetActual() != "0.0000" || other.GetVariance() != "-12500.0000" {
				t.Errorf("%v", out)
			}
		}
	}
	// A manager sees the own branch only, and nothing of the bank.
	mine := report.Caller{ID: "jan", Scope: report.Scope{Limited: true, Branches: []int64{2}}}
	out, err := s.Compare(t.Context(), january(3), mine)
	if err != nil || len(out.GetLines()) != 1 || out.GetLines()[0].GetUnitId() != 2 {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := s.Compare(t.Context(), january(1), mine); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v", err)
	}
	// Wrong names are named.
	for want, change := range map[string]func(*analyticsv1.CompareWithPlanRequest){
		`indicator: "sale_amount" is not a measure; near ones are sales_amount`: func(r *analyticsv1.CompareWithPlanRequest) { r.Indicator = "sale_amount" },
		`volume: "slaes" is not a measure; near ones are sales`:                 func(r *analyticsv1.CompareWithPlanRequest) { r.Volume = "slaes" },
		`plan "budgets" has no figures`:                                         func(r *analyticsv1.CompareWithPlanRequest) { r.Plan = "budgets" },
		`planned_rate: goes only with a currency`:                               func(r *analyticsv1.CompareWithPlanRequest) { r.Currency = "" },
	} {
		request := january(3)
		change(request)
		if _, err := s.Compare(t.Context(), request, report.Caller{ID: "eva"}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
