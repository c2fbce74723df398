package score_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

func scorecard(d *definitionv1.ScorecardDefinition) *definitionv1.Spec {
	return &definitionv1.Spec{Kind: &definitionv1.Spec_Scorecard{Scorecard: d}}
}

// threeDimensions is a scorecard that uses every kind of rule.
func threeDimensions() *definitionv1.ScorecardDefinition {
	half := 0.5
	when := func(filter string, points float64) *definitionv1.ScoreCriterion_When {
		return &definitionv1.ScoreCriterion_When{When: &definitionv1.ScoreWhen{Filter: filter, Points: points}}
	}
	return &definitionv1.ScorecardDefinition{
		Population: `state != "former"`,
		Dimensions: []*definitionv1.ScoreDimension{
			{Name: "fit", Criteria: []*definitionv1.ScoreCriterion{
				{Name: "age", Reason: "The right age", Rule: &definitionv1.ScoreCriterion_Bands{Bands: &definitionv1.ScoreBands{
					Fact: "age", BelowPoints: -5, UnknownPoints: 1, Bands: []*definitionv1.ScoreBand{{From: 18, Points: 10}, {From: 40, Points: 20}},
				}}},
				{Name: "individual", Rule: when(`kind = individual`, 3)},
			}},
			{Name: "behaviour", Weight: &half, Criteria: []*definitionv1.ScoreCriterion{
				{
					Name: "active", Reason: "Uses the account",
					Rule:  &definitionv1.ScoreCriterion_Units{Units: &definitionv1.ScoreUnits{Fact: "transactions_90d", Points: 8, UnitsMax: 2}},
					Decay: &definitionv1.ScoreDecay{Fact: "transaction_days_ago", HalfLifeDays: 10},
				},
			}},
			{Name: "risk", Criteria: []*definitionv1.ScoreCriterion{
				{Name: "no_account", Reason: "Has no account", Rule: when(`accounts_open = 0`, -7)},
			}},
		},
		Grades: []*definitionv1.ScoreGrade{{Name: "A", From: 20}, {Name: "B", From: 5}},
	}
}

// customersByHand are one with an account and three transactions, the last ten days old; a prospect; and one who left.
func (b *bank) customersByHand(t *testing.T) {
	t.Helper()
	const when = "2026-03-01 10:00"
	b.load(t,
		customer(1, 1, when, &eventsv1.CustomerState{Kind: "individual", State: "active", BirthDate: "1980-01-01", BranchId: 7}),
		customer(2, 1, when, &eventsv1.CustomerState{Kind: "organisation", State: "prospect", BranchId: 8}),
		customer(3, 1, when, &eventsv1.CustomerState{Kind: "individual", State: "former", BirthDate: "1980-01-01"}),
	)
	b.load(t, account(1, 1, when, &eventsv1.AccountState{Currency: "EUR", State: "open", Opened: "2020-01-01"})...)
	b.load(t, entry(1, 1, "2026-02-28", "10"), entry(2, 1, "2026-02-20", "10"), entry(3, 1, "2026-02-10", "10"))
}

// Points by hand, in every kind of rule; explanations add up; the same again is the same run.
func TestScorecard(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.customersByHand(t)
	ref := b.define(t, "points", 1, scorecard(threeDimensions()))
	run := b.run(t, ref, "2026-03-10")
	if run.GetCustomers() != 2 || run.GetMean() != (27+-6)/2. || run.GetKind() != analyticsv1.ScoreKind_SCORE_KIND_SCORECARD {
		t.Errorf("%v", run)
	}
	if g := run.GetGrades(); len(g) != 3 || g[0].GetCustomers() != 1 || g[1].GetCustomers() != 0 || g[2].GetGrade() != "" || g[2].GetCustomers() != 1 {
		t.Errorf("%v", g)
	}
	if again := b.run(t, ref, "2026-03-10"); again.GetRunId() != run.GetRunId() {
		t.Error("the same definition, version and day over the same data made another run")
	}
	// 20 for the age, 3 for the kind, and of 16 for two units half are left after ten days, which weigh half.
	one := b.explain(t, "points", 1)
	if got := contributions(one); !slices.Equal(got, []float64{20, 3, 4, 0}) || one.GetTotal() != 27 || one.GetCustomer().GetValue() != 27 {
		t.Errorf("%v %v", got, one)
	}
	if d := one.GetCustomer().GetDimensions(); len(d) != 3 || d[0].GetPoints() != 23 || d[1].GetPoints() != 8 || d[2].GetPoints() != 0 {
		t.Errorf("%v", d)
	}
	if one.GetCustomer().GetGrade() != "A" || !slices.Equal(one.GetRaising(), []string{"The right age", "Uses the account", "individual"}) {
		t.Errorf("%v", one)
	}
	facts := one.GetContributions()[2].GetFacts()
	if len(facts) != 2 || facts[0].GetValue() != "3" || facts[1].GetFact() != "transaction_days_ago" || facts[1].GetValue() != "10" {
		t.Errorf("%v", facts)
	}
	two := b.explain(t, "points", 2)
	if got := contributions(two); !slices.Equal(got, []float64{1, 0, 0, -7}) || !slices.Equal(two.GetLowering(), []string{"Has no account"}) {
		t.Errorf("%v", two)
	}
	_, err := b.server.ExplainScore(as(t, auth.RoleAnalyst), &analyticsv1.ExplainScoreRequest{CustomerId: 3})
	wantCode(t, err, codes.NotFound)
}

func contributions(e *analyticsv1.ExplainScoreResponse) []float64 {
	var out []float64
	for _, c := range e.GetContributions() {
		out = append(out, c.GetValue())
	}
	return out
}

func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if status, _ := apperr.Public(err); err == nil || status.Code() != want {
		t.Errorf("%v, want %v", err, want)
	}
}

// Earlier days are told, newest first; lists go on in either order, and stay within the branches of who asks.
func TestListAndTrend(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.customersByHand(t)
	ref := b.define(t, "points", 1, scorecard(threeDimensions()))
	b.run(t, ref, "2026-02-28")
	b.newest = at("2026-03-02 10:00")
	b.run(t, ref, "2026-03-10")
	if trend := b.explain(t, "points", 1).GetTrend(); len(trend) != 1 || trend[0].GetValue() != 23+8 || trend[0].GetGrade() != "A" {
		t.Errorf("%v", trend)
	}
	for order, want := range map[analyticsv1.ScoreOrder][]int64{
		analyticsv1.ScoreOrder_SCORE_ORDER_UNSPECIFIED: {1, 2}, analyticsv1.ScoreOrder_SCORE_ORDER_HIGHEST_FIRST: {1, 2},
	} {
		request := &analyticsv1.ListScoresRequest{Score: "points", PageSize: 1, Order: order}
		var got []int64
		for {
			page, err := b.server.ListScores(as(t, auth.RoleAnalyst), request)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.GetScores() {
				got = append(got, s.GetCustomerId())
			}
			if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %v", order, got)
		}
	}
	page, err := b.server.ListScores(as(t, auth.RoleManager, 8), &analyticsv1.ListScoresRequest{})
	if err != nil || len(page.GetScores()) != 1 || page.GetScores()[0].GetCustomerId() != 2 {
		t.Errorf("%v %v", page, err)
	}
	_, err = b.server.ExplainScore(as(t, auth.RoleManager, 8), &analyticsv1.ExplainScoreRequest{CustomerId: 1})
	wantCode(t, err, codes.NotFound)
	_, err = b.server.ListScores(as(t, auth.RoleManager), &analyticsv1.ListScoresRequest{})
	wantCode(t, err, codes.PermissionDenied)
	runs, err := b.server.ListScoreRuns(t.Context(), &analyticsv1.ListScoreRunsRequest{Score: "points", PageSize: 1})
	if err != nil || len(runs.GetRuns()) != 1 || runs.GetNextPageToken() == "" {
		t.Errorf("%v %v", runs, err)
	}
}

// Contributions add up to the score exactly, in whatever order.
func TestContributionsAddUp(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	random := rand.New(rand.NewPCG(1, 1))
	var changes []*eventsv1.Change
	for id := int64(1); id <= 50; id++ {
		changes = append(changes, customer(id, 1, "2026-03-01 10:00", &eventsv1.CustomerState{Kind: "individual", State: "active", BirthDate: "1980-01-01"}))
		changes = append(changes, account(id, 1, "2026-03-01 10:00", &eventsv1.AccountState{Currency: "EUR", State: "open", Opened: "2020-01-01"})...)
		changes = append(changes, entry(id, id, "2026-02-"+string(rune('0'+id%2))+string(rune('1'+id%8)), "10"))
	}
	b.load(t, changes...)
	d := threeDimensions()
	for i, dimension := range d.GetDimensions() {
		weight := 0.1 + float64(i)/3
		dimension.Weight = &weight
	}
	d.Dimensions[1].Criteria[0].Decay.HalfLifeDays = 7.3
	b.run(t, b.define(t, "points", 1, scorecard(d)), "2026-03-10")
	for id := int64(1); id <= 50; id += 7 {
		e := b.explain(t, "points", id)
		for range 5 {
			values := contributions(e)
			random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
			sum := e.GetBase()
			for _, v := range values {
				sum += v
			}
			if sum != e.GetTotal() || sum != e.GetCustomer().GetValue() {
				t.Fatalf("customer %d: %v add up to %v, the score is %v", id, values, sum, e.GetCustomer().GetValue())
			}
		}
	}
}

// What goes home: every score with its grade and, as NaN, who was scored before and is not any more.
func TestScoresGoHome(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.customersByHand(t)
	ref := b.define(t, "points", 1, scorecard(threeDimensions()))
	first := b.run(t, ref, "2026-03-09")
	open, err := b.service.Unpublished(t.Context())
	if err != nil || !slices.Equal(open, []string{first.GetRunId()}) {
		t.Fatalf("%v %v", open, err)
	}
	if err := b.service.MarkPublished(t.Context(), first.GetRunId()); err != nil {
		t.Fatal(err)
	}
	d := threeDimensions()
	d.Population = "kind = organisation"
	ref = b.define(t, "points", 2, scorecard(d))
	second := b.run(t, ref, "2026-03-10")
	var sent []*eventsv1.InsightBundle
	if err := b.service.Bundles(t.Context(), second.GetRunId(), func(bundle *eventsv1.InsightBundle) error {
		sent = append(sent, bundle)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 1 {
		t.Fatalf("%d bundles", len(sent))
	}
	r := sent[0].GetScores()
	if !slices.Equal(r.GetCustomerIds(), []int64{1, 2}) || !math.IsNaN(r.GetValues()[0]) || r.GetValues()[1] != -6 || r.GetDefinitionVersion() != 2 ||
		r.GetScore() != "points" || r.GetModelVersion() != 0 {
		t.Errorf("%v", r)
	}
}

// What is wrong with a definition is told with its field, the position and the nearest name.
func TestWrongScorecards(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for _, test := range []struct {
		edit func(*definitionv1.ScorecardDefinition)
		want []string
	}{
		{func(d *definitionv1.ScorecardDefinition) { d.Population = `stat = "x"` }, []string{"population: ", "character 1", `did you mean "state"?`}},
		{func(d *definitionv1.ScorecardDefinition) {
			d.Dimensions[0].Criteria[1].GetWhen().Filter = "kind = individual AND ages > 3"
		}, []string{"dimensions[0].criteria[1].when.filter: ", "character 23", `did you mean "age"?`}},
		{func(d *definitionv1.ScorecardDefinition) { d.Dimensions[0].Criteria[0].GetBands().Fact = "agee" }, []string{
			"dimensions[0].criteria[0].bands.fact: ", `did you mean "age"?`,
		}},
		{func(d *definitionv1.ScorecardDefinition) { d.Dimensions[0].Criteria[0].GetBands().Bands[1].From = 18 }, []string{
			"dimensions[0].criteria[0].bands.bands[1].from: must be greater",
		}},
		{func(d *definitionv1.ScorecardDefinition) { d.Dimensions[1].Criteria[0].Decay.Fact = "kind" }, []string{
			"dimensions[1].criteria[0].decay.fact: ", "holds texts",
		}},
		{func(d *definitionv1.ScorecardDefinition) { d.Dimensions[1].Name = "fit" }, []string{"dimensions[1].name: "}},
		{func(d *definitionv1.ScorecardDefinition) { d.Dimensions[2].Criteria[0].Name = "age" }, []string{"dimensions[2].criteria[0].name: "}},
		{func(d *definitionv1.ScorecardDefinition) { d.Grades[1].Name = "A" }, []string{"grades[1].name: "}},
	} {
		d := threeDimensions()
		test.edit(d)
		got := b.compile(t, scorecard(d))
		if len(got) != 1 {
			t.Errorf("%v, want %v", got, test.want)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(got[0], want) {
				t.Errorf("%q has no %q", got[0], want)
			}
		}
	}
}
