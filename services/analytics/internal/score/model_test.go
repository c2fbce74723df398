package score_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/logit"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

func model(d *definitionv1.ScoreModelDefinition) *definitionv1.Spec {
	return &definitionv1.Spec{Kind: &definitionv1.Spec_ScoreModel{ScoreModel: d}}
}

// closing foretells who closes the account within 30 days.
func closing() *definitionv1.ScoreModelDefinition {
	horizon := int32(30)
	return &definitionv1.ScoreModelDefinition{
		Population: "accounts_open > 0", Target: "accounts_open = 0", HorizonDays: &horizon,
		Features: []*definitionv1.ScoreFeature{{Fact: "age", Reason: "Age"}, {Fact: "education"}, {Fact: "transactions_90d"}},
		Grades:   []*definitionv1.ScoreGrade{{Name: "high", From: 0.5}, {Name: "low", From: 0}},
	}
}

// drawn loads customers who close their accounts in February 2026 with known log-odds: −1 + 0.05·(age − 40), and 1 more for those
// with the education "c".
func (b *bank) drawn(t testing.TB, customers int64) {
	t.Helper()
	const when = "2026-03-01 10:00"
	random := rand.New(rand.NewPCG(4, 4))
	var changes []*eventsv1.Change
	for id := int64(1); id <= customers; id++ {
		age, education := 20+random.IntN(50), []string{"a", "b", "c"}[random.IntN(3)]
		odds := -1 + 0.05*float64(age-40)
		if education == "c" {
			odds++
		}
		state := &eventsv1.AccountState{Currency: "EUR", State: "open", Opened: "2020-01-01"}
		if random.Float64() < logit.Probability(odds) {
			state.State, state.Closed = "closed", "2026-02-10"
		}
		changes = append(changes, customer(id, 1, when, &eventsv1.CustomerState{
			Kind: "individual", State: "active", BirthDate: fmt.Sprintf("%d-01-01", 2026-age), EducationLevel: education,
		}))
		changes = append(changes, account(id, 1, when, state)...)
		if random.IntN(2) == 0 {
			changes = append(changes, entry(id, id, "2026-01-10", "5"))
		}
	}
	b.load(t, changes...)
}

func (b *bank) train(t testing.TB, ref *analyticsv1.DefinitionRef, asOf string) (*analyticsv1.ScoreModel, error) {
	t.Helper()
	answer, err := b.server.TrainModel(as(t, auth.RoleAnalyst), &analyticsv1.TrainModelRequest{AsOf: date.Proto(warehousetest.Day(asOf)), Definition: ref})
	return answer.GetModel(), err
}

// Known parameters come out of drawn customers; the model scores them, explains itself and is judged on customers it never saw.
func TestTrainedScore(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.drawn(t, 4000)
	ref := b.define(t, "closing", 1, model(closing()))
	m, err := b.train(t, ref, "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"age": 0.05, "education = b": 0, "education = c": 1} {
		at := slices.IndexFunc(m.GetParameters(), func(p *analyticsv1.ScoreParameter) bool { return p.GetName() == name })
		if at < 0 || math.Abs(m.GetParameters()[at].GetValue()-want) > 4*m.GetParameters()[at].GetStandardError() {
			t.Errorf("%s: %v", name, m.GetParameters())
		}
	}
	all := m.GetTraining().GetCustomers() + m.GetHoldout().GetCustomers()
	if all != 4000 || m.GetHoldout().GetCustomers() < 1000 || m.GetHoldout().GetAuc() < .68 || m.GetTraining().GetAuc() < .68 || m.GetModelVersion() != 20260131 {
		t.Errorf("%v", m)
	}
	again, err := b.train(t, ref, "2026-01-31")
	if err != nil || !again.GetComputedTime().AsTime().Equal(m.GetComputedTime().AsTime()) {
		t.Errorf("the same was trained again: %v", err)
	}
	// A day later something came in: trained again, it comes out the same.
	b.newest = at("2026-03-02 10:00")
	replayed, err := b.train(t, ref, "2026-01-31")
	if err != nil || !slices.EqualFunc(replayed.GetParameters(), m.GetParameters(), func(a, b *analyticsv1.ScoreParameter) bool {
		return a.GetValue() == b.GetValue() && a.GetStandardError() == b.GetStandardError()
	}) {
		t.Errorf("%v, before %v, %v", replayed.GetParameters(), m.GetParameters(), err)
	}
	run := b.run(t, ref, "2026-03-02")
	if run.GetModelVersion() != 20260131 || run.GetStabilityIndex() > .5 || len(run.GetFeatures()) != 3 || run.GetCustomers() >= 4000 {
		t.Errorf("%v", run)
	}
	scored := int64(0)
	for _, g := range run.GetGrades() {
		scored += g.GetCustomers()
	}
	if scored != run.GetCustomers() {
		t.Errorf("%d in grades, %d customers", scored, run.GetCustomers())
	}
	page, err := b.server.ListScores(as(t, auth.RoleAnalyst), &analyticsv1.ListScoresRequest{PageSize: 20, Order: analyticsv1.ScoreOrder_SCORE_ORDER_HIGHEST_FIRST})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range page.GetScores() {
		e := b.explain(t, "closing", s.GetCustomerId())
		sum := e.GetBase()
		for _, c := range slices.Backward(contributions(e)) {
			sum += c
		}
		if sum != e.GetTotal() || logit.Probability(sum) != s.GetValue() || e.GetRaising()[0] != "Age" {
			t.Errorf("%v adds up to %v, %v is %v", e, sum, logit.Probability(sum), s.GetValue())
		}
	}
}

// A champion is what the definition says, also when the registry has lost it; a challenger scores beside it.
func TestChampionAndChallenger(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.drawn(t, 1500)
	ref := b.define(t, "closing", 1, model(closing()))
	for _, asOf := range []string{"2026-01-31", "2026-01-20"} {
		if _, err := b.train(t, ref, asOf); err != nil {
			t.Fatal(err)
		}
	}
	promote := func(asOf string, role analyticsv1.ScoreModelRole, version int64) {
		answer, err := b.server.PromoteModel(as(t, auth.RoleAnalyst), &analyticsv1.PromoteModelRequest{
			Definition: ref, TrainedAsOf: date.Proto(warehousetest.Day(asOf)), Role: role,
		})
		if err != nil {
			t.Fatal(err)
		}
		b.define(t, "closing", version, answer.GetSpec())
	}
	promote("2026-01-20", analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHAMPION, 2)
	promote("2026-01-31", analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHALLENGER, 3)
	run := b.run(t, ref, "2026-03-02")
	if c := run.GetChallenger(); run.GetModelVersion() != 20260120 || c.GetModelVersion() != 20260131 || c.GetCorrelation() < .9 || c.GetMean() <= 0 {
		t.Errorf("%v", run)
	}
	models, err := b.server.ListModels(as(t, auth.RoleManager), &analyticsv1.ListModelsRequest{Definition: ref})
	if err != nil || len(models.GetModels()) != 2 || models.GetModels()[0].GetRole() != analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHALLENGER ||
		models.GetModels()[1].GetRole() != analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHAMPION {
		t.Errorf("%v %v", models, err)
	}
	before := b.explain(t, "closing", run.GetCustomers())
	lost(t, b)
	b.newest = at("2026-03-03 10:00")
	replayed := b.run(t, ref, "2026-03-02")
	after := b.explain(t, "closing", run.GetCustomers())
	if replayed.GetRunId() == run.GetRunId() || replayed.GetMean() != run.GetMean() || after.GetTotal() != before.GetTotal() {
		t.Errorf("%v, before %v", replayed, run)
	}
	_, err = b.server.PromoteModel(as(t, auth.RoleAnalyst), &analyticsv1.PromoteModelRequest{
		Definition: ref, TrainedAsOf: date.Proto(warehousetest.Day("2025-01-01")), Role: analyticsv1.ScoreModelRole_SCORE_MODEL_ROLE_CHAMPION,
	})
	wantCode(t, err, codes.NotFound)
}

// Held out by time, the model is trained on an earlier day and judged on the one asked for; weights of evidence tell their bins.
func TestSplitByTimeAndEvidence(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.drawn(t, 2000)
	d := closing()
	d.Split = &definitionv1.ScoreSplit{Kind: definitionv1.ScoreSplitKind_SCORE_SPLIT_KIND_TIME, HoldoutDays: 5}
	for _, f := range d.GetFeatures() {
		f.Encoding = definitionv1.ScoreEncoding_SCORE_ENCODING_WOE
	}
	m, err := b.train(t, b.define(t, "closing", 1, model(d)), "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	if m.GetDataFrom().GetDay() != 26 || m.GetHoldout().GetCustomers() != 2000 || m.GetTraining().GetCustomers() != 2000 || len(m.GetParameters()) != 4 {
		t.Errorf("%v", m)
	}
	if f := m.GetFeatures()[0]; f.GetInformation() < .1 || len(f.GetBins()) < 3 || !strings.HasPrefix(f.GetBins()[0].GetName(), "up to ") {
		t.Errorf("%v", f)
	}
	if math.Abs(m.GetHoldout().GetAuc()-m.GetTraining().GetAuc()) > .01 {
		t.Errorf("%v and %v", m.GetTraining(), m.GetHoldout())
	}
}

// What can't be trained is refused with a reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.drawn(t, 600)
	reason := func(err error) string {
		t.Helper()
		status, _ := apperr.Public(err)
		return fmt.Sprint(status.Code(), " ", status.Message())
	}
	few := closing()
	few.EventsMin = 1000
	knows := closing()
	zero := int32(0)
	knows.HorizonDays, knows.Population, knows.Features = &zero, "", []*definitionv1.ScoreFeature{{Fact: "accounts_open"}}
	for i, test := range []struct {
		d    *definitionv1.ScoreModelDefinition
		asOf string
		want string
	}{
		{closing(), "2026-03-01", "InvalidArgument as_of: targets are those of 2026-03-31"},
		{few, "2026-01-31", "FailedPrecondition of "},
		{knows, "2026-03-02", "FailedPrecondition accounts_open separates"},
	} {
		_, err := b.train(t, b.define(t, strings.Repeat("x", i+1), 1, model(test.d)), test.asOf)
		if err == nil || !strings.HasPrefix(reason(err), test.want) {
			t.Errorf("%v, want %v", reason(err), test.want)
		}
	}
	ridge := closing()
	ridge.HorizonDays, ridge.Population, ridge.Features, ridge.Ridge = knows.HorizonDays, "", knows.GetFeatures(), 1
	if _, err := b.train(t, b.define(t, "ridge", 1, model(ridge)), "2026-03-02"); err != nil {
		t.Error(err)
	}
}

// What is wrong with a definition is told with its field and the nearest name.
func TestWrongModels(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for _, test := range []struct {
		edit func(*definitionv1.ScoreModelDefinition)
		want string
	}{
		{func(d *definitionv1.ScoreModelDefinition) { d.Target = "account_open = 0" }, `target: at character 1: "account_open" is not a field of this list; did you mean "accounts_open"?`},
		{func(d *definitionv1.ScoreModelDefinition) { d.Features[1].Fact = "educatio" }, `features[1].fact: "educatio" is not a fact of customers; did you mean "education"?`},
		{func(d *definitionv1.ScoreModelDefinition) { d.Features[1].Fact = "age" }, "features[1].fact: age is a feature already"},
		{func(d *definitionv1.ScoreModelDefinition) {
			d.Features[1].Encoding = definitionv1.ScoreEncoding_SCORE_ENCODING_LINEAR
		}, "features[1].encoding: education holds texts"},
		{func(d *definitionv1.ScoreModelDefinition) { d.Features[0].Reference = "x" }, "features[0].reference: only a fact that is encoded by levels"},
		{func(d *definitionv1.ScoreModelDefinition) {
			d.Champion = &definitionv1.ScoreModelRef{TrainedAsOf: "2026-02-30"}
		}, `champion.trained_as_of: "2026-02-30" is no day`},
		{func(d *definitionv1.ScoreModelDefinition) {
			d.Challenger = &definitionv1.ScoreModelRef{TrainedAsOf: "2026-02-28"}
		}, "challenger: there is no champion"},
		{func(d *definitionv1.ScoreModelDefinition) {
			d.CustomersMax = 10_000_000
			for _, name := range []string{"kind", "state", "sex", "occupation", "marital_status", "tenure_months", "region_id", "branch_id"} {
				d.Features = append(d.Features, &definitionv1.ScoreFeature{Fact: name})
			}
		}, "customers_max: "},
	} {
		d := closing()
		test.edit(d)
		if got := b.compile(t, model(d)); len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
}

// lost empties the registry, as a ClickHouse does that is filled again from the stream.
func lost(t *testing.T, b *bank) {
	t.Helper()
	if err := warehouse.OnParts(t.Context(), b.conn, "TRUNCATE TABLE score_model"); err != nil {
		t.Fatal(err)
	}
}
