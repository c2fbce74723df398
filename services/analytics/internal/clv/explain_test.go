package clv_test

import (
	"math"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

func (b *bank) explain(t *testing.T, run *analyticsv1.ClvRun, customer int64) *analyticsv1.ExplainClvResponse {
	t.Helper()
	answer, err := b.server.ExplainClv(t.Context(), &analyticsv1.ExplainClvRequest{RunId: run.GetRunId(), CustomerId: customer})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// The parts multiply to the value, and the bridges from last month add up to the last digit, for every customer.
func TestExplain(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(4, 60)...)
	settings := &definitionv1.ClvDefinition{Models: []definitionv1.ClvModel{bgNBD}, AnnualDiscountRate: 0.1}
	before := b.run(t, "2023-06-30", settings)
	run := b.run(t, "2023-07-31", settings)
	if run.GetPreviousRunId() != before.GetRunId() {
		t.Fatalf("the run is compared with %q, want %q", run.GetPreviousRunId(), before.GetRunId())
	}
	then := map[int64]*analyticsv1.ClvValue{}
	for _, v := range b.values(t, before, byNumber, 0) {
		then[v.GetCustomerId()] = v
	}
	newcomers := 0
	for _, v := range b.values(t, run, byNumber, 0) {
		e := b.explain(t, run, v.GetCustomerId())
		product := e.GetPurchasesWhileAlive() * v.GetPAlive().GetValue() * v.GetExpectedAmount() * v.GetMarginShare()
		if value := amount(t, v.GetPredictive().GetValue()).InexactFloat64(); math.Abs(product-value) > 1e-4+1e-9*value {
			t.Errorf("customer %d: the parts make %g, the value is %g", v.GetCustomerId(), product, value)
		}
		checkBridge(t, e, then[v.GetCustomerId()])
		if then[v.GetCustomerId()] == nil {
			newcomers++
		}
	}
	if newcomers == 0 {
		t.Error("nobody came new")
	}
	if first := b.explain(t, before, b.values(t, before, byNumber, 0)[0].GetCustomerId()); first.GetBridge() != nil || first.GetHistoricBridge() != nil {
		t.Errorf("the first run is compared with %v", first.GetBridge())
	}
	_, err := b.server.ExplainClv(t.Context(), &analyticsv1.ExplainClvRequest{CustomerId: 9_999})
	if code(err) != codes.NotFound {
		t.Errorf("an unknown customer gave %v", err)
	}
}

func checkBridge(t *testing.T, e *analyticsv1.ExplainClvResponse, then *analyticsv1.ClvValue) {
	t.Helper()
	b, h := e.GetBridge(), e.GetHistoricBridge()
	from, earned := decimal.Zero, decimal.Zero
	if then != nil {
		from, earned = amount(t, then.GetPredictive().GetValue()), amount(t, then.GetHistoric())
		if !amount(t, e.GetValue().GetPreviousPredictive()).Equal(from) || !amount(t, e.GetValue().GetPreviousHistoric()).Equal(earned) {
			t.Errorf("the values before are %v and %v, want %s and %s", e.GetValue().GetPreviousPredictive(), e.GetValue().GetPreviousHistoric(), from, earned)
		}
	}
	to := from
	for _, step := range []sum{b.GetNewCustomer(), b.GetAgeing(), b.GetActivity(), b.GetAmount(), b.GetModelChange()} {
		to = to.Add(amount(t, step))
	}
	if !amount(t, b.GetFrom()).Equal(from) || !to.Equal(amount(t, b.GetTo())) || !to.Equal(amount(t, e.GetValue().GetPredictive().GetValue())) {
		t.Errorf("customer %d: the bridge %v does not lead from %s to %v", e.GetValue().GetCustomerId(), b, from, e.GetValue().GetPredictive())
	}
	if silent := then != nil && then.GetRepeats() == e.GetValue().GetRepeats() && then.GetMeanAmount() == e.GetValue().GetMeanAmount(); silent {
		if !amount(t, b.GetActivity()).IsZero() || !amount(t, b.GetAmount()).IsZero() {
			t.Errorf("customer %d bought nothing, and yet %v", e.GetValue().GetCustomerId(), b)
		}
	}
	to = earned.Add(amount(t, h.GetAgeing())).Add(amount(t, h.GetEarned()))
	if !amount(t, h.GetFrom()).Equal(earned) || !to.Equal(amount(t, e.GetValue().GetHistoric())) || !to.Equal(amount(t, h.GetTo())) {
		t.Errorf("customer %d: the historic bridge %v does not lead to %v", e.GetValue().GetCustomerId(), h, e.GetValue().GetHistoric())
	}
}

// Slices hold every customer once, in every run, and customers stay in the slice of the moment of the run.
func TestSlices(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(5, 200)...)
	b.exec(t,
		`INSERT INTO customer (customer_id, kind, branch_id, manager_id, region_id, industry_nace, version)
			SELECT number + 1, if(number < 150, 'individual', 'organisation'), 1 + number % 3, number % 5, 1, if(number < 150, '', '47.11'), 1 FROM numbers(200)`,
		"INSERT INTO branch (branch_id, name, version) VALUES (1, 'Brno', 1), (2, 'Praha', 1), (3, 'Plzeň', 1)")
	settings := &definitionv1.ClvDefinition{
		Models: []definitionv1.ClvModel{bgNBD}, FitBy: definitionv1.ClvFitBy_CLV_FIT_BY_CUSTOMER_KIND, FitCustomersMin: 100,
	}
	var runs []*analyticsv1.ClvRun
	for _, asOf := range []string{"2023-10-31", "2023-11-30", "2023-12-31"} {
		runs = append(runs, b.run(t, asOf, settings))
	}
	last := runs[2]
	if m := b.model(t, last, 0, "individual"); m.GetCustomers() < 100 || m.GetCustomers() > 150 || m.GetRefusal() != "" {
		t.Errorf("individuals have the model %v", m)
	}
	if _, err := b.server.GetClvModel(t.Context(), &analyticsv1.GetClvModelRequest{Group: "organisation"}); code(err) != codes.NotFound {
		t.Errorf("50 organisations have a model of their own: %v", err)
	}
	models, err := b.server.ListClvModels(t.Context(), &analyticsv1.ListClvModelsRequest{PageSize: 3})
	if err != nil || len(models.GetModels()) != 3 {
		t.Fatalf("%v, %v", models, err)
	}
	models, err = b.server.ListClvModels(t.Context(), &analyticsv1.ListClvModelsRequest{PageSize: 3, PageToken: models.GetNextPageToken()})
	if err != nil || len(models.GetModels()) != 1 || models.GetModels()[0].GetPurpose() != holdout {
		t.Errorf("%v, %v", models, err)
	}
	slicesOf := map[analyticsv1.ClvSliceBy]int{
		analyticsv1.ClvSliceBy_CLV_SLICE_BY_UNSPECIFIED: 1, analyticsv1.ClvSliceBy_CLV_SLICE_BY_MANAGER: 5,
		analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH: 3, analyticsv1.ClvSliceBy_CLV_SLICE_BY_REGION: 1,
		analyticsv1.ClvSliceBy_CLV_SLICE_BY_SECTOR: 2, analyticsv1.ClvSliceBy_CLV_SLICE_BY_CUSTOMER_KIND: 2,
	}
	for by, want := range slicesOf {
		got := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: by, RunsBefore: 5})
		if len(got.GetSlices()) != want {
			t.Errorf("%s: %d slices, want %d", by, len(got.GetSlices()), want)
		}
		for i, run := range []*analyticsv1.ClvRun{last, runs[1], runs[0]} {
			customers, value := int64(0), decimal.Zero
			for _, s := range got.GetSlices() {
				customers += s.GetPoints()[i].GetCustomers()
				value = value.Add(amount(t, s.GetPoints()[i].GetPredictive()))
			}
			if customers != run.GetCustomers() || !value.Equal(amount(t, run.GetPredictive())) {
				t.Errorf("%s in run %d: %d customers worth %s, the run has %v", by, i, customers, value, run)
			}
		}
	}
	branches := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH, SlicesMax: 2})
	if s := branches.GetSlices(); len(s) != 2 || s[0].GetName() == "" || len(s[0].GetPoints()) != 1 ||
		amount(t, s[0].GetPoints()[0].GetPredictive()).LessThan(amount(t, s[1].GetPoints()[0].GetPredictive())) {
		t.Errorf("%v", branches)
	}
	// Shares are of the whole bank, not of what is listed.
	whole := amount(t, last.GetPredictive()).InexactFloat64()
	if p := branches.GetSlices()[0].GetPoints()[0]; math.Abs(p.GetShare()-amount(t, p.GetPredictive()).InexactFloat64()/whole) > 1e-12 {
		t.Errorf("a share of %g", p.GetShare())
	}
	b.checkGoals(t)
	b.checkSegments(t, last)
	b.checkCampaigns(t, runs[1], last)
	// Everybody moves: what was known stays.
	b.exec(t, "INSERT INTO customer (customer_id, branch_id, version) SELECT number + 1, 1, 2 FROM numbers(200)")
	again := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH})
	if len(again.GetSlices()) != 3 {
		t.Errorf("the past changed: %v", again)
	}
}

func (b *bank) slices(t *testing.T, req *analyticsv1.GetClvSlicesRequest) *analyticsv1.GetClvSlicesResponse {
	t.Helper()
	answer, err := b.server.GetClvSlices(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkGoals plans for branches by quarter and month: the month stands before the quarter.
func (b *bank) checkGoals(t *testing.T) {
	t.Helper()
	b.exec(t, `INSERT INTO plan_value (plan_id, name, indicator, unit_kind, unit_id, period, period_start, amount, currency, plan_version, plan_time, version)
		VALUES (1, 'sales', 'clv', 'branch', 1, 'quarter', '2023-10-01', 1000000, 'CZK', 1, '2023-01-01 00:00:00', 1),
			(1, 'sales', 'clv', 'branch', 1, 'month', '2023-12-01', 500000, 'CZK', 1, '2023-01-01 00:00:00', 1),
			(1, 'sales', 'turnover', 'branch', 2, 'month', '2023-12-01', 1, 'CZK', 1, '2023-01-01 00:00:00', 1)`)
	planned := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_BRANCH, RunsBefore: 1, Plan: "sales"})
	for _, s := range planned.GetSlices() {
		p := s.GetPoints()
		if s.GetKey() != "1" {
			if p[0].GetGoal() != nil || p[0].Attainment != nil {
				t.Errorf("branch %s has a goal: %v", s.GetKey(), p[0])
			}
			continue
		}
		want := amount(t, p[0].GetPredictive()).InexactFloat64() / 500_000
		if p[0].GetGoal().GetUnits() != 500_000 || p[1].GetGoal().GetUnits() != 1_000_000 || math.Abs(p[0].GetAttainment()-want) > 1e-12 {
			t.Errorf("the goals of branch 1 are %v", p)
		}
	}
}

// checkCampaigns slices by the campaign that a customer was last told of, as it was on the day of each run.
func (b *bank) checkCampaigns(t *testing.T, before, last *analyticsv1.ClvRun) {
	t.Helper()
	b.exec(t, `INSERT INTO interaction (interaction_id, customer_id, kind, campaign, business_date, version, deleted) VALUES
			(1, 1, 'campaign_contact', 'loans', '2023-11-10', 1, 0), (2, 1, 'campaign_contact', 'cards', '2023-12-10', 1, 0),
			(3, 1, 'call', '', '2023-12-20', 1, 0), (4, 2, 'call', 'loans', '2023-12-31', 1, 0), (5, 3, 'campaign_contact', 'loans', '2024-01-01', 1, 0),
			(6, 4, 'campaign_contact', 'loans', '2023-11-10', 1, 0), (6, 4, 'campaign_contact', 'loans', '2023-11-10', 2, 1)`,
		`INSERT INTO plan_value (plan_id, name, indicator, unit_kind, unit_name, period, period_start, amount, currency, plan_version, plan_time, version)
			VALUES (1, 'sales', 'clv', 'campaign', 'loans', 'year', '2023-01-01', 1000, 'CZK', 1, '2023-01-01 00:00:00', 1)`)
	by := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_CAMPAIGN, RunsBefore: 1, Plan: "sales"})
	got := map[string][]int64{}
	for _, s := range by.GetSlices() {
		for _, p := range s.GetPoints() {
			got[s.GetKey()] = append(got[s.GetKey()], p.GetCustomers())
		}
		if planned := s.GetPoints()[0].GetGoal() != nil; planned != (s.GetKey() == "loans") {
			t.Errorf("the goal of %q is %v", s.GetKey(), s.GetPoints()[0].GetGoal())
		}
	}
	want := map[string][]int64{"": {last.GetCustomers() - 2, before.GetCustomers() - 1}, "cards": {1}, "loans": {1, 1}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("customers by campaign: %s", diff)
	}
}

// checkSegments slices by the segments of the newest RFM run.
func (b *bank) checkSegments(t *testing.T, run *analyticsv1.ClvRun) {
	t.Helper()
	b.exec(t,
		`INSERT INTO rfm_run (run_id, as_of, computed_time, cell_segments) VALUES ('01890000-0000-7000-8000-000000000001', '2023-12-01', now64(6), map(555, 'champions'))`,
		`INSERT INTO rfm_score (run_id, as_of, customer_id, recency_bin, frequency_bin, monetary_bin)
			SELECT '01890000-0000-7000-8000-000000000001', '2023-12-01', customer_id, 5, 5, if(customer_id <= 20, 5, 4) FROM clv_value WHERE run_id = '`+run.GetRunId()+`'`)
	by := b.slices(t, &analyticsv1.GetClvSlicesRequest{By: analyticsv1.ClvSliceBy_CLV_SLICE_BY_RFM_SEGMENT})
	counts := map[string]int64{}
	for _, s := range by.GetSlices() {
		counts[s.GetKey()] = s.GetPoints()[0].GetCustomers()
	}
	if len(counts) != 2 || counts["champions"] < 15 || counts["champions"] > 20 || counts["champions"]+counts[""] != run.GetCustomers() {
		t.Errorf("customers by segment: %v", counts)
	}
}
