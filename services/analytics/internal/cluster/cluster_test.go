package cluster_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// Three kinds of customers come out as three clusters, by each method, two of which find their number, too; who is no individual is left out, and the rule of a cluster
// holds whom it says it holds, by the filter language.
func TestKindsOfCustomersAreFound(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, kinds := people(1, 1_500)
	b.load(t, append(persons, person{id: 9_000, age: 3, tenure: 20, kind: "organisation"})...)
	for name, method := range map[string]definitionv1.ClusteringMethod{
		"k": definitionv1.ClusteringMethod_CLUSTERING_METHOD_K_MEANS, "diagonal": 0,
		"full": definitionv1.ClusteringMethod_CLUSTERING_METHOD_GAUSSIAN_FULL,
	} {
		spec, trials := habits(), 4
		spec.Method = method
		if name == "k" { // its criterion takes groups to be equally wide, which these are not
			spec.Clusters, spec.ClustersMax, trials = 3, 0, 1
		}
		b.define(t, name, 1, spec)
		run := b.run(t, today, name)
		if len(run.GetClusters()) != 3 || run.GetCustomers() != 1_500 || len(run.GetTrials()) != trials || !run.GetConverged() {
			t.Fatalf("%s: %v", name, run)
		}
		b.checkMembers(t, run, kinds)
		for _, c := range run.GetClusters() {
			b.checkCluster(t, run, c)
		}
	}
}

// checkMembers wants each kind of customers to be one cluster, but for a few.
func (b *bank) checkMembers(t *testing.T, run *analyticsv1.ClusteringRun, kinds []int) {
	t.Helper()
	where := map[[2]int32]int{}
	members := b.members(t, run, 400)
	for i, m := range members {
		if m.GetCustomerId() != int64(i+1) {
			t.Fatalf("customer %d stands at place %d", m.GetCustomerId(), i+1)
		}
		where[[2]int32{int32(kinds[i]), m.GetCluster()}]++
		sum := 0.0
		for _, p := range m.GetProbabilities() {
			sum += p.GetProbability()
		}
		if math.Abs(sum-1) > 1e-9 || m.GetProbabilities()[0].GetCluster() != m.GetCluster() || m.GetProbability() != m.GetProbabilities()[0].GetProbability() {
			t.Fatalf("%v", m)
		}
	}
	right := 0
	for kind := range int32(3) {
		most := 0
		for cluster := range int32(4) {
			most = max(most, where[[2]int32{kind, cluster}])
		}
		right += most
	}
	if right < 1_485 {
		t.Errorf("%s: only %d of 1500 are where they belong: %v", run.GetDefinition(), right, where)
	}
}

func (b *bank) checkCluster(t *testing.T, run *analyticsv1.ClusteringRun, c *analyticsv1.Cluster) {
	t.Helper()
	known := b.count(t, "SELECT count() FROM cluster_member WHERE run_id = ? AND cluster = ?", run.GetRunId(), c.GetNumber())
	if known != uint64(c.GetCustomers()) || math.Abs(c.GetShare()-float64(known)/1_500) > 1e-12 || !c.GetIsNew() {
		t.Errorf("cluster %d has %d members: %v", c.GetNumber(), known, c)
	}
	members := b.count(t, `SELECT count() FROM segment_member AS m INNER JOIN segment_run AS r ON r.run_id = m.run_id AND r.segment = m.segment
		WHERE m.segment = ? AND r.customers = ?`, c.GetSegment(), known)
	if members != known {
		t.Errorf("segment %s has %d members instead of %d", c.GetSegment(), members, known)
	}
	rule := c.GetRule()
	if rule.GetPrecision() < 0.9 || rule.GetRecall() < 0.9 {
		t.Errorf("cluster %d: rule %v", c.GetNumber(), rule)
	}
	of, err := population.Of(t.Context(), b.segments, []string{"age"}, `kind = "individual" AND `+rule.GetFilter(), warehousetest.Day(today))
	if err != nil {
		t.Fatal(err)
	}
	if held := b.count(t, "SELECT count() FROM "+of.From, of.Args...); held != uint64(rule.GetCustomers()) {
		t.Errorf("%s holds %d customers instead of %d", rule.GetFilter(), held, rule.GetCustomers())
	}
	hits := b.count(t, "SELECT count() FROM "+of.From+" AND f.customer_id IN (SELECT customer_id FROM cluster_member WHERE run_id = {run:UUID} AND cluster = {c:UInt32})",
		append(of.Args, warehouse.Named("run", run.GetRunId()), warehouse.Named("c", c.GetNumber()))...)
	if math.Abs(rule.GetPrecision()-float64(hits)/float64(rule.GetCustomers())) > 1e-12 || math.Abs(rule.GetRecall()-float64(hits)/float64(known)) > 1e-12 {
		t.Errorf("%v has %d hits", rule, hits)
	}
	if facts := c.GetFacts(); len(facts) != 2 || math.Abs(facts[0].GetDifference()) < math.Abs(facts[1].GetDifference()) {
		t.Errorf("%v", facts)
	}
}

// The same day over the same data gives the same bytes, whatever came later; while no change came the run that is there is the
// answer; and numbers stay with their customers from run to run, also when the groups change their sizes.
func TestRunsAreRepeatableAndNumbersStay(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, _ := people(2, 900)
	b.load(t, persons...)
	b.define(t, "habits", 1, habits())
	first := b.run(t, "2026-03-01", "habits")
	if again := b.run(t, "2026-03-01", "habits"); again.GetRunId() != first.GetRunId() {
		t.Error("the same run over the same data was computed twice")
	}
	if err := warehouse.OnParts(t.Context(), b.conn, "OPTIMIZE TABLE customer FINAL"); err != nil {
		t.Fatal(err)
	}
	b.newest = b.newest.Add(time.Hour)
	second := b.run(t, "2026-03-01", "habits")
	if second.GetRunId() == first.GetRunId() {
		t.Fatal("a run over newer data is the old one")
	}
	if diff := gocmp.Diff(b.members(t, first, 0), b.members(t, second, 333), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	same := protocmp.IgnoreFields(&analyticsv1.ClusteringRun{}, "run_id", "computed_time", "newest_event_time", "previous_run_id")
	if diff := gocmp.Diff(first, second, protocmp.Transform(), same, protocmp.IgnoreFields(&analyticsv1.Cluster{}, "is_new")); diff != "" {
		t.Error(diff)
	}
	b.moreOfTheOld(t, second)
	if left := b.count(t, "SELECT count() FROM cluster_value"); left != 0 {
		t.Errorf("%d rows left behind", left)
	}
	list, err := b.server.ListClusteringRuns(analyst(t), &analyticsv1.ListClusteringRunsRequest{PageSize: 2, Definition: "habits"})
	if err != nil || len(list.GetRuns()) != 2 || list.GetNextPageToken() == "" || list.GetRuns()[0].GetClusters() != nil {
		t.Errorf("%v, %v", list, err)
	}
	list, err = b.server.ListClusteringRuns(analyst(t), &analyticsv1.ListClusteringRunsRequest{PageSize: 2, Definition: "habits", PageToken: list.GetNextPageToken()})
	if err != nil || len(list.GetRuns()) != 1 || list.GetRuns()[0].GetRunId() != first.GetRunId() || list.GetNextPageToken() != "" {
		t.Errorf("%v, %v", list, err)
	}
}

// moreOfTheOld turns the order of sizes round: the smallest group becomes the greatest, and keeps its number.
func (b *bank) moreOfTheOld(t *testing.T, before *analyticsv1.ClusteringRun) {
	t.Helper()
	more, kinds := people(3, 4_000)
	var old []person
	for i, p := range more {
		if kinds[i] == 2 {
			p.id += 100_000
			old = append(old, p)
		}
	}
	b.load(t, old...)
	b.newest = b.newest.Add(time.Hour)
	now := b.run(t, today, "habits")
	if now.GetPreviousRunId() != before.GetRunId() {
		t.Errorf("run %s goes on from %q instead of %s", now.GetRunId(), now.GetPreviousRunId(), before.GetRunId())
	}
	for i, c := range now.GetClusters() {
		then := before.GetClusters()[i]
		if c.GetNumber() != then.GetNumber() || c.GetIsNew() || math.Abs(age(c)-age(then)) > 5 {
			t.Errorf("cluster %d was of age %.1f and is of %.1f", c.GetNumber(), age(then), age(c))
		}
	}
	if sizes := now.GetClusters(); sizes[2].GetCustomers() < sizes[0].GetCustomers() {
		t.Errorf("the old are not the most: %v", sizes)
	}
}

func age(c *analyticsv1.Cluster) float64 {
	for _, f := range c.GetFacts() {
		if f.GetFact() == "age" {
			return f.GetMean()
		}
	}
	return math.NaN()
}

// An explanation adds up, and tells the facts as they are.
func TestExplanation(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, _ := people(4, 600)
	b.load(t, persons...)
	for name, method := range map[string]definitionv1.ClusteringMethod{"k": 1, "diagonal": 2, "full": 3} {
		spec := habits()
		spec.Method = method
		b.define(t, name, 1, spec)
		run := b.run(t, today, name)
		for _, m := range b.members(t, run, 0)[:40] {
			e, err := b.server.ExplainCluster(analyst(t), &analyticsv1.ExplainClusterRequest{CustomerId: m.GetCustomerId(), RunId: run.GetRunId()})
			if err != nil {
				t.Fatal(err)
			}
			sum := e.GetPrior()
			for _, f := range e.GetFacts() {
				sum += f.GetContribution()
				if f.GetFact() == "age" && math.Abs(f.GetValue()-persons[m.GetCustomerId()-1].age) > 1.1 {
					t.Errorf("customer %d is %v years old, not %v", m.GetCustomerId(), persons[m.GetCustomerId()-1].age, f.GetValue())
				}
			}
			if math.Abs(sum-e.GetLogOdds()) > 1e-9*(1+math.Abs(sum)) || e.GetLogOdds() < 0 {
				t.Errorf("%s: prior and contributions come to %v, log-odds are %v", name, sum, e.GetLogOdds())
			}
			if p := m.GetProbabilities(); p[1].GetProbability() > 1e-200 {
				if want := math.Log(p[0].GetProbability() / p[1].GetProbability()); math.Abs(e.GetLogOdds()-want) > 1e-6 {
					t.Errorf("%s: log-odds are %v, of the probabilities %v", name, e.GetLogOdds(), want)
				}
			}
			if diff := gocmp.Diff(m, e.GetMember(), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// Who is limited to branches sees their customers only.
func TestBranches(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, _ := people(5, 300)
	b.load(t, persons...)
	b.define(t, "habits", 1, habits())
	b.run(t, today, "habits")
	as := func(branches ...int64) context.Context {
		return auth.WithPrincipal(t.Context(), auth.Principal{Subject: "max", Roles: []string{auth.RoleManager}, Branches: branches})
	}
	list, err := b.server.ListClusterMembers(as(2), &analyticsv1.ListClusterMembersRequest{PageSize: 1000})
	if err != nil || len(list.GetMembers()) != 100 || list.GetMembers()[0].GetCustomerId() != 2 {
		t.Errorf("%d members, %v", len(list.GetMembers()), err)
	}
	if _, err := b.server.ExplainCluster(as(2), &analyticsv1.ExplainClusterRequest{CustomerId: 2}); err != nil {
		t.Error(err)
	}
	if _, err := b.server.ExplainCluster(as(2), &analyticsv1.ExplainClusterRequest{CustomerId: 3}); code(err) != codes.NotFound {
		t.Errorf("a customer of another branch: %v", err)
	}
	if _, err := b.server.ListClusterMembers(as(), &analyticsv1.ListClusterMembersRequest{}); code(err) != codes.PermissionDenied {
		t.Errorf("a manager of no branch: %v", err)
	}
}

// The customers of a clustering are found by segments, and by shares of everybody.
func TestFilterAsksForSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, _ := people(7, 300)
	b.load(t, persons...)
	warehousetest.Load(t, b.conn, warehousetest.Dynamic("grown", "age >= 30"),
		warehousetest.Dynamic("settled", `segment("grown") AND top(tenure_months, 40%)`))
	spec := habits()
	spec.Filter, spec.Clusters, spec.ClustersMax = `segment("settled") AND NOT bottom(age, 5%)`, 2, 0
	b.define(t, "habits", 1, spec)
	for _, on := range []string{today, "2026-03-01"} {
		const plainly = `age >= 30 AND top(tenure_months, 40%) AND NOT bottom(age, 5%)`
		plain, err := population.Of(t.Context(), b.segments, nil, plainly, warehousetest.Day(on))
		if err != nil {
			t.Fatal(err)
		}
		want := b.count(t, "SELECT count() FROM "+plain.From, plain.Args...)
		if run := b.run(t, on, "habits"); run.GetCustomers() != int64(want) || want < 50 || want > 125 {
			t.Errorf("%s: a run over %d customers, not %d", on, run.GetCustomers(), want)
		}
	}
	spec.Filter = `segment("settle")`
	violations, err := b.service.Compile(t.Context(), "x", &definitionv1.Spec{Kind: &definitionv1.Spec_Clustering{Clustering: spec}})
	if err != nil || len(violations) != 1 || violations[0].Field != "filter" ||
		violations[0].Description != `at character 9: segment: there is no segment "settle"; did you mean "settled"?` {
		t.Errorf("%v, %v", violations, err)
	}
}

// Members go home as those of segments, and those who left a cluster leave its segment.
func TestMembersGoHome(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	persons, _ := people(6, 1_200)
	b.load(t, persons...)
	b.define(t, "habits", 1, habits())
	first := b.run(t, "2026-03-01", "habits")
	b.define(t, "habits", 2, &definitionv1.ClusteringDefinition{Facts: []*definitionv1.ClusteringFact{{Fact: "age"}}, Clusters: 2, Seed: 1})
	b.newest = b.newest.Add(time.Hour)
	second := b.run(t, today, "habits")
	crm := map[string]map[int64]bool{}
	for _, run := range []*analyticsv1.ClusteringRun{first, second} {
		index := int32(0)
		err := b.service.Runs().Bundles(t.Context(), run.GetRunId(), func(bundle *eventsv1.InsightBundle) error {
			results := bundle.GetSegments()
			if bundle.GetBundleIndex() != index || len(results.GetCustomerIds()) > 1000 || results.GetDefinitionVersion() != run.GetDefinitionVersion() {
				t.Errorf("bundle %v", bundle)
			}
			index++
			if !slices.Contains([]string{"habits/1", "habits/2", "habits/3"}, results.GetSegment()) { // names that crm takes
				t.Errorf("a cluster goes home as %q", results.GetSegment())
			}
			if crm[results.GetSegment()] == nil {
				crm[results.GetSegment()] = map[int64]bool{}
			}
			for i, id := range results.GetCustomerIds() {
				crm[results.GetSegment()][id] = results.GetMembers()[i]
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	in := map[int64]string{}
	for segment, members := range crm {
		for id, member := range members {
			if member {
				if in[id] != "" {
					t.Errorf("customer %d is in %s and %s", id, in[id], segment)
				}
				in[id] = segment
			}
		}
	}
	for _, m := range b.members(t, second, 1000) {
		want := second.GetClusters()[0].GetSegment()
		for _, c := range second.GetClusters() {
			if c.GetNumber() == m.GetCluster() {
				want = c.GetSegment()
			}
		}
		if in[m.GetCustomerId()] != want {
			t.Errorf("customer %d is in %q at home, not in %s", m.GetCustomerId(), in[m.GetCustomerId()], want)
		}
	}
	if err := b.service.Runs().MarkPublished(t.Context(), first.GetRunId()); err != nil {
		t.Fatal(err)
	}
	left, err := b.service.Runs().Unpublished(t.Context())
	if err != nil || len(left) != 1 || left[0] != second.GetRunId() {
		t.Errorf("%v are left to go home, %v", left, err)
	}
}

// What is wrong with a definition is said with the field and the nearest fact; what can't be computed is refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	spec := habits()
	spec.Filter = `knid = "individual"`
	for _, fact := range []string{"agee", "age_level", "branch_id", "kind", "age"} {
		spec.Facts = append(spec.Facts, &definitionv1.ClusteringFact{Fact: fact})
	}
	violations, err := b.service.Compile(t.Context(), "x", &definitionv1.Spec{Kind: &definitionv1.Spec_Clustering{Clustering: spec}})
	if err != nil || len(violations) != 6 {
		t.Fatalf("%v, %v", violations, err)
	}
	for i, want := range []string{
		`facts[2].fact: "agee" is not a fact of customers; did you mean "age"?`, `facts[3].fact: "age_level" is a word; take the number that it is the level of, "age"`,
		"facts[4].fact: \"branch_id\" is a number by which things are named", "facts[5].fact: \"kind\" is of the type text", "facts[6].fact: \"age\" stands twice", "filter: ",
	} {
		if got := violations[i].Field + ": " + violations[i].Description; !strings.HasPrefix(got, want) {
			t.Errorf("%s\nis not\n%s", got, want)
		}
	}
	b.define(t, "habits", 1, habits())
	if _, err := b.tryRun(t, today, "habits"); code(err) != codes.FailedPrecondition {
		t.Errorf("a bank without customers: %v", err)
	}
	b.load(t, person{id: 1, age: 40, tenure: 10}, person{id: 2, age: 40, tenure: 10}, person{id: 3, age: 40, tenure: 10})
	if _, err := b.tryRun(t, today, "habits"); code(err) != codes.FailedPrecondition {
		t.Errorf("customers who are all alike: %v", err)
	}
	if _, err := b.tryRun(t, today, "nobody"); code(err) != codes.NotFound {
		t.Errorf("no definition: %v", err)
	}
	if _, err := b.tryRun(t, "2026-03-11", "habits"); code(err) != codes.InvalidArgument {
		t.Errorf("a day that has not come: %v", err)
	}
	if _, err := b.server.GetClusteringRun(analyst(t), &analyticsv1.GetClusteringRunRequest{}); code(err) != codes.NotFound {
		t.Errorf("no run: %v", err)
	}
	b.load(t, person{id: 4, age: 20, tenure: 100})
	run := b.run(t, today, "habits")
	if len(run.GetClusters()) != 2 || run.GetTrials()[1].GetRefusal() == "" {
		t.Errorf("two kinds of customers: %v", run)
	}
}
