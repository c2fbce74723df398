package profile_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

func band(from, points float64) *definitionv1.ProfileBand {
	return &definitionv1.ProfileBand{From: from, Points: points}
}

func word(word string, points float64) *definitionv1.ProfileWord {
	return &definitionv1.ProfileWord{Word: word, Points: points}
}

func level(name string, from float64) *definitionv1.ProfileLevel {
	return &definitionv1.ProfileLevel{Name: name, From: from}
}

// scheme has a number, a text and a fact of many values on its axes.
func scheme() *definitionv1.ProfileSchemeDefinition {
	levels := []*definitionv1.ProfileLevel{level("low", 0), level("high", 0.5)}
	return &definitionv1.ProfileSchemeDefinition{
		Filter: `kind = "organisation"`,
		Attractiveness: &definitionv1.ProfileAxis{Levels: levels, Measures: []*definitionv1.ProfileMeasure{
			{Fact: "employees", Weight: 2, UnknownPoints: 0.1, Bands: []*definitionv1.ProfileBand{band(1, 0.2), band(10, 0.5), band(30, 1)}},
			{Fact: "industry_division", Title: "Industry", Weight: 1, OtherPoints: 0.3, UnknownPoints: 0.4, Words: []*definitionv1.ProfileWord{word("62", 1), word("41", 0)}},
		}},
		Interaction: &definitionv1.ProfileAxis{Levels: levels, Measures: []*definitionv1.ProfileMeasure{
			{Fact: "interests", Weight: 1, OtherPoints: 0.1, UnknownPoints: 0, Words: []*definitionv1.ProfileWord{word("golf", 0.5), word("opera", 0.9)}},
		}},
		Risk: &definitionv1.ProfileAxis{Levels: levels, Measures: []*definitionv1.ProfileMeasure{
			{Fact: "complaints_365d", Weight: 1, Bands: []*definitionv1.ProfileBand{band(0, 0), band(2, 0.5), band(3, 1)}},
		}},
		Cells: []*definitionv1.ProfileCell{
			{Name: "avoid", Title: "Avoid", Group: definitionv1.ProfileGroup_PROFILE_GROUP_NON_TARGET, Risk: []string{"high"}},
			{Name: "invest", Title: "Invest", Group: definitionv1.ProfileGroup_PROFILE_GROUP_TARGET, Attractiveness: []string{"high"}, Interaction: []string{"high"}},
			{Name: "develop", Title: "Develop", Group: definitionv1.ProfileGroup_PROFILE_GROUP_TARGET, Attractiveness: []string{"high"}},
			{Name: "manage", Title: "Manage", Group: definitionv1.ProfileGroup_PROFILE_GROUP_SUPPORTED},
		},
	}
}

// expected computes a company's scores and cell again, by hand.
func expected(c company) (scores [3]float64, cell string) {
	size := 0.1
	switch {
	case c.employees >= 30:
		size = 1
	case c.employees >= 10:
		size = 0.5
	case c.employees >= 1:
		size = 0.2
	}
	industry := 0.3
	switch {
	case c.industry == "":
		industry = 0.4
	case strings.HasPrefix(c.industry, "62"):
		industry = 1
	case strings.HasPrefix(c.industry, "41"):
		industry = 0
	}
	scores[0] = (2*size + industry) / 3
	if len(c.interests) > 0 {
		scores[1] = 0.1
	}
	if slices.Contains(c.interests, "golf") {
		scores[1] = 0.5
	}
	if slices.Contains(c.interests, "opera") {
		scores[1] = 0.9
	}
	scores[2] = [4]float64{0, 0, 0.5, 1}[c.complains]
	switch {
	case scores[2] >= 0.5:
		cell = "avoid"
	case scores[0] >= 0.5-1e-12 && scores[1] >= 0.5:
		cell = "invest"
	case scores[0] >= 0.5-1e-12:
		cell = "develop"
	default:
		cell = "manage"
	}
	return scores, cell
}

// Each customer is where a computation by hand puts them, the explanation adds up, and cells are segments.
func TestPlacesAgainstHand(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	companies := random(1, 300)
	b.load(t, companies...)
	b.define(t, "scheme", 1, scheme())
	run := b.run(t, today, "scheme")
	counts := map[string]int64{}
	for _, c := range companies {
		scores, cell := expected(c)
		counts[cell]++
		e, err := b.server.ExplainProfile(analyst(t), &analyticsv1.ExplainProfileRequest{CustomerId: c.id})
		if err != nil {
			t.Fatal(err)
		}
		if e.GetCell().GetName() != cell {
			t.Errorf("%+v is in %s instead of %s", c, e.GetCell().GetName(), cell)
		}
		for i, p := range []*analyticsv1.ProfilePosition{e.GetAttractiveness(), e.GetInteraction(), e.GetRisk()} {
			checkPosition(t, p, scores[i])
		}
	}
	var customers int64
	for _, cell := range run.GetCells() {
		if cell.GetCustomers() != counts[cell.GetName()] || math.Abs(cell.GetShare()-float64(counts[cell.GetName()])/300) > 1e-12 {
			t.Errorf("%v should have %d customers", cell, counts[cell.GetName()])
		}
		members := b.count(t, "SELECT count() FROM segment_member WHERE segment = ?", cell.GetSegment())
		if int64(members) != cell.GetCustomers() {
			t.Errorf("%s has %d members", cell.GetSegment(), members)
		}
	}
	for _, c := range run.GetCombinations() {
		customers += c.GetCustomers()
	}
	if customers != 300 || run.GetCustomers() != 300 {
		t.Errorf("%d customers, %d in combinations", run.GetCustomers(), customers)
	}
}

func checkPosition(t *testing.T, p *analyticsv1.ProfilePosition, score float64) {
	t.Helper()
	sum := 0.0
	for _, m := range p.GetMeasures() {
		sum += m.GetContribution()
		if m.GetTitle() == "" || m.GetWeight() == 0 {
			t.Errorf("%v", m)
		}
	}
	if math.Abs(p.GetScore()-score) > 1e-9 || math.Abs(sum-score) > 1e-9 {
		t.Errorf("score %v, contributions %v, by hand %v", p.GetScore(), sum, score)
	}
	want := "low"
	if p.GetScore() >= 0.5 {
		want = "high"
	}
	if p.GetLevel() != want || (want == "low") != (p.GetNextLevel() == "high") || want == "low" && math.Abs(p.GetMissing()-0.5+p.GetScore()) > 1e-12 {
		t.Errorf("%v", p)
	}
}

// New thresholds are tried without storing anything, and come out as a run of them does; the migration between two days adds up.
func TestDryRunAndMigration(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(2, 200)...)
	b.define(t, "scheme", 1, scheme())
	first := b.run(t, "2026-03-01", "scheme")
	stricter := proto.CloneOf(scheme())
	stricter.Attractiveness.Levels = []*definitionv1.ProfileLevel{level("low", 0), level("high", 0.7)}
	rows := b.count(t, "SELECT count() FROM profile_place")
	would, err := b.server.DryRunProfileScheme(analyst(t), &analyticsv1.DryRunProfileSchemeRequest{Scheme: stricter, Definition: "scheme"})
	if err != nil {
		t.Fatal(err)
	}
	if again := b.count(t, "SELECT count() FROM profile_place"); again != rows || would.GetRunId() != first.GetRunId() || would.GetMoved() == 0 {
		t.Errorf("a dry run stored %d rows: %v", again-rows, would)
	}
	b.define(t, "scheme", 2, stricter)
	b.newest = b.newest.Add(time.Hour)
	second := b.run(t, today, "scheme")
	if second.GetDefinitionVersion() != 2 {
		t.Errorf("version %d", second.GetDefinitionVersion())
	}
	if diff := gocmp.Diff(would.GetCells(), second.GetCells(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	moves, err := b.server.GetProfileMigration(analyst(t), &analyticsv1.GetProfileMigrationRequest{
		Definition: "scheme", From: date.Proto(warehousetest.Day("2026-03-05")), To: date.Proto(warehousetest.Day(today)),
	})
	if err != nil || moves.GetFromRunId() != first.GetRunId() || moves.GetToRunId() != second.GetRunId() {
		t.Fatalf("%v, %v", moves, err)
	}
	if diff := gocmp.Diff(would.GetMoves(), moves.GetMoves(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	from, to := map[string]int64{}, map[string]int64{}
	for _, m := range moves.GetMoves() {
		from[m.GetFrom()] += m.GetCustomers()
		to[m.GetTo()] += m.GetCustomers()
	}
	for i, cell := range first.GetCells() {
		if from[cell.GetName()] != cell.GetCustomers() || to[cell.GetName()] != second.GetCells()[i].GetCustomers() {
			t.Errorf("%s: %d left from, %d arrived at", cell.GetName(), from[cell.GetName()], to[cell.GetName()])
		}
	}
	if _, err := b.server.GetProfileMigration(analyst(t), &analyticsv1.GetProfileMigrationRequest{
		Definition: "scheme", From: date.Proto(warehousetest.Day("2025-01-01")), To: date.Proto(warehousetest.Day(today)),
	}); code(err) != codes.NotFound {
		t.Errorf("a day before all runs: %v", err)
	}
	list, err := b.server.ListProfileRuns(analyst(t), &analyticsv1.ListProfileRunsRequest{})
	if err != nil || len(list.GetRuns()) != 2 || list.GetRuns()[0].GetRunId() != second.GetRunId() {
		t.Errorf("%v, %v", list, err)
	}
}

// The customers of a scheme are found by segments, also in a dry run.
func TestFilterAsksForSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	companies := random(4, 60)
	b.load(t, companies...)
	warehousetest.Load(t, b.conn, warehousetest.Dynamic("small", "employees < 10"))
	small := 0
	for _, c := range companies {
		if c.employees > 0 && c.employees < 10 {
			small++
		}
	}
	spec := scheme()
	spec.Filter = `segment("small")`
	b.define(t, "scheme", 1, spec)
	if run := b.run(t, today, "scheme"); small == 0 || run.GetCustomers() != int64(small) {
		t.Errorf("%d customers, not %d", run.GetCustomers(), small)
	}
	spec.Filter = `NOT segment("small")`
	dry, err := b.server.DryRunProfileScheme(analyst(t), &analyticsv1.DryRunProfileSchemeRequest{Definition: "scheme", Scheme: spec})
	if err != nil || dry.GetCustomers() != int64(60-small) {
		t.Errorf("%d customers without the %d small ones: %v", dry.GetCustomers(), small, err)
	}
	spec.Filter = `segment("smal")`
	_, err = b.server.DryRunProfileScheme(analyst(t), &analyticsv1.DryRunProfileSchemeRequest{Definition: "scheme", Scheme: spec})
	if code(err) != codes.InvalidArgument {
		t.Error(err)
	}
}

// The same run over the same data is computed once, newer data leave the same places, and members go home.
func TestRunsAreRepeatable(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, random(3, 120)...)
	b.define(t, "scheme", 1, scheme())
	first := b.run(t, "2026-03-01", "scheme")
	if again := b.run(t, "2026-03-01", "scheme"); again.GetRunId() != first.GetRunId() {
		t.Error("the same run over the same data was computed twice")
	}
	b.newest = b.newest.Add(time.Hour)
	second := b.run(t, "2026-03-01", "scheme")
	different := b.count(t, `SELECT count() FROM (SELECT * EXCEPT run_id FROM profile_place WHERE run_id = ?
		EXCEPT SELECT * EXCEPT run_id FROM profile_place WHERE run_id = ?)`, first.GetRunId(), second.GetRunId())
	if second.GetRunId() == first.GetRunId() || different != 0 {
		t.Errorf("%d places differ", different)
	}
	var members, left int
	err := b.service.Runs().Bundles(t.Context(), second.GetRunId(), func(bundle *eventsv1.InsightBundle) error {
		cell, named := strings.CutPrefix(bundle.GetSegments().GetSegment(), "scheme/") // a name that crm takes
		if !named || !slices.ContainsFunc(scheme().GetCells(), func(c *definitionv1.ProfileCell) bool { return c.GetName() == cell }) {
			t.Errorf("a cell goes home as %q", bundle.GetSegments().GetSegment())
		}
		for _, member := range bundle.GetSegments().GetMembers() {
			if member {
				members++
			} else {
				left++
			}
		}
		return nil
	})
	if err != nil || members != 120 || left != 0 {
		t.Errorf("%d members and %d who left go home, %v", members, left, err)
	}
	as := func(branches ...int64) context.Context {
		return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "max", Roles: []string{auth.RoleManager}, Branches: branches})
	}
	if _, err := b.server.ExplainProfile(as(2), &analyticsv1.ExplainProfileRequest{CustomerId: 3}); code(err) != codes.NotFound {
		t.Errorf("a customer of another branch: %v", err)
	}
	if _, err := b.server.ExplainProfile(as(3), &analyticsv1.ExplainProfileRequest{CustomerId: 3}); err != nil {
		t.Error(err)
	}
}

// What is wrong with a scheme is said with the field and the nearest name.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for want, wrong := range map[string]func(*definitionv1.ProfileSchemeDefinition){
		`attractiveness.measures[0].fact: "employes" is not a fact of customers; did you mean "employees"?`: func(d *definitionv1.ProfileSchemeDefinition) {
			d.Attractiveness.Measures[0].Fact = "employes"
		},
		`attractiveness.measures[0].words: "employees" is a number: give it bands`: func(d *definitionv1.ProfileSchemeDefinition) {
			d.Attractiveness.Measures[0].Bands, d.Attractiveness.Measures[0].Words = nil, []*definitionv1.ProfileWord{word("x", 1)}
		},
		`interaction.measures[0].bands: "interests" is a text: give it words`: func(d *definitionv1.ProfileSchemeDefinition) {
			d.Interaction.Measures[0].Words, d.Interaction.Measures[0].Bands = nil, []*definitionv1.ProfileBand{band(0, 1)}
		},
		"attractiveness.measures[0].bands[1].from: must be greater": func(d *definitionv1.ProfileSchemeDefinition) {
			d.Attractiveness.Measures[0].Bands[1].From = 1
		},
		"risk.levels[0].from: the lowest level begins at 0": func(d *definitionv1.ProfileSchemeDefinition) {
			d.Risk.Levels = []*definitionv1.ProfileLevel{level("low", 0.1), level("high", 0.5)}
		},
		`cells[1].interaction[0]: "hihg" is no level of interaction; did you mean "high"?`: func(d *definitionv1.ProfileSchemeDefinition) {
			d.Cells[1].Interaction = []string{"hihg"}
		},
		"cells[2]: every combination of levels that it holds belongs to a cell before it": func(d *definitionv1.ProfileSchemeDefinition) {
			d.Cells[1].Interaction = nil
		},
		"cells: none holds the combination low, ": func(d *definitionv1.ProfileSchemeDefinition) { d.Cells = d.Cells[:3] },
		"filter: ": func(d *definitionv1.ProfileSchemeDefinition) { d.Filter = "knd = 1" },
	} {
		d := proto.CloneOf(scheme())
		wrong(d)
		violations, err := b.service.Compile(t.Context(), "x", &definitionv1.Spec{Kind: &definitionv1.Spec_ProfileScheme{ProfileScheme: d}})
		if err != nil || len(violations) == 0 {
			t.Errorf("%s: %v, %v", want, violations, err)
			continue
		}
		if got := violations[0].Field + ": " + violations[0].Description; !strings.HasPrefix(got, want) {
			t.Errorf("%s\nis not\n%s", got, want)
		}
	}
	b.define(t, "scheme", 1, scheme())
	run := b.run(t, today, "scheme")
	if run.GetCustomers() != 0 || len(run.GetCells()) != 4 {
		t.Errorf("a bank without customers: %v", run)
	}
}
