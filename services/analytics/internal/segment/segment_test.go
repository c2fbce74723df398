package segment_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
)

// Snapshots: expressions, references, lists, frozen ones, and the shares of all customers.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.define(t, "far", 1, false, dynamic("region_id > 6"))
	b.define(t, "old", 1, false, dynamic("top(age, 30%)")) // 1, 2 and 3 were born first
	b.define(t, "chosen", 1, false, static(2, 7, 99))
	b.define(t, "mixed", 1, false, dynamic(`(segment("far") OR segment("old")) AND NOT segment("chosen")`))
	b.define(t, "once", 1, false, frozen("far", 1, march(5)))
	// Too long to be repeated where it is referred to, and at two levels.
	b.define(t, "long", 1, false, dynamic("in(region_id, 6, 7"+strings.Repeat(", 100", 100)+")"))
	b.define(t, "behind", 1, false, dynamic(`segment("long") AND NOT segment("chosen")`))
	b.define(t, "further", 1, false, dynamic(`NOT segment("behind") AND region_id > 4`))
	b.define(t, "least", 1, false, dynamic(`bottom(age, 11%) OR in(region_id, 4, 5) OR between(region_id, 6, 6)`))
	b.load(t, customer(1, 2, 6, person(1, 9))) // moves to the far regions
	cases := []struct {
		name string
		day  int32
		want []int64
	}{
		{"far", 5, []int64{7, 8, 9, 10}},
		{"far", 10, []int64{1, 7, 8, 9, 10}},
		{"old", 5, []int64{1, 2, 3}},
		{"chosen", 5, []int64{2, 7}},
		{"mixed", 5, []int64{1, 3, 8, 9, 10}},
		{"once", 10, []int64{7, 8, 9, 10}},
		{"least", 5, []int64{4, 5, 6, 9, 10}},
		{"long", 5, []int64{6, 7}},
		{"behind", 5, []int64{6}},
		{"further", 5, []int64{5, 7, 8, 9, 10}},
	}
	for _, c := range cases {
		run := b.run(t, c.name, march(c.day))
		if got := b.members(t, c.name, run.GetRunId()); !slices.Equal(got, c.want) || run.GetBaseCustomers() != 10 {
			t.Errorf("%s on %d has %v of %d, want %v", c.name, c.day, got, run.GetBaseCustomers(), c.want)
		}
		if again := b.run(t, c.name, march(c.day)); again.GetRunId() != run.GetRunId() {
			t.Errorf("%s was computed twice", c.name)
		}
	}
	mixed := b.run(t, "mixed", march(5))
	if mixed.GetReferenceVersions()["old"] != 1 || mixed.GetThresholds()["top(age, 30%)"] != "61" {
		t.Errorf("mixed is %v", mixed)
	}
	compared, err := b.server.CompareSegment(eva(t.Context()), &analyticsv1.CompareSegmentRequest{
		Definition: &analyticsv1.DefinitionRef{Name: "far"}, From: march(5), To: march(10),
	})
	if err != nil || !slices.Equal(compared.GetJoinedCustomerIds(), []int64{1}) || compared.GetStayedCustomers() != 4 || compared.GetLeftCustomers() != 0 {
		t.Errorf("compared %v, %v", compared, err)
	}
	for how, want := range map[analyticsv1.SegmentOperation][]int64{
		analyticsv1.SegmentOperation_SEGMENT_OPERATION_UNION:                {1, 2, 3, 7, 8, 9, 10},
		analyticsv1.SegmentOperation_SEGMENT_OPERATION_INTERSECTION:         {1},
		analyticsv1.SegmentOperation_SEGMENT_OPERATION_DIFFERENCE:           {7, 8, 9, 10},
		analyticsv1.SegmentOperation_SEGMENT_OPERATION_SYMMETRIC_DIFFERENCE: {2, 3, 7, 8, 9, 10},
	} {
		got, err := b.server.CombineSegments(eva(t.Context()), &analyticsv1.CombineSegmentsRequest{
			Segments: []string{"far", "old"}, Operation: how, AsOf: march(10),
		})
		if err != nil || !slices.Equal(got.GetCustomerIds(), want) || got.GetCustomers() != int64(len(want)) {
			t.Errorf("%s gives %v, %v", how, got, err)
		}
	}
	sizes, err := b.server.ListSegmentSizes(eva(t.Context()), &analyticsv1.ListSegmentSizesRequest{Segment: "far"})
	if err != nil || len(sizes.GetSnapshots()) != 2 || sizes.GetSnapshots()[1].GetCustomers() != 5 {
		t.Errorf("sizes are %v, %v", sizes, err)
	}
	if _, err := b.server.RunSegment(eva(t.Context()), &analyticsv1.RunSegmentRequest{
		Definition: &analyticsv1.DefinitionRef{Name: "far"}, AsOf: march(11),
	}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a day still to come gave %v", err)
	}
	stranger := auth.WithPrincipal(t.Context(), auth.Principal{Subject: "jan", Roles: []string{auth.RoleMarketer}})
	if _, err := b.server.RunSegment(stranger, &analyticsv1.RunSegmentRequest{
		Definition: &analyticsv1.DefinitionRef{Name: "far"}, AsOf: march(5),
	}); status.Code(err) != codes.NotFound {
		t.Errorf("somebody who may not read it got %v", err)
	}
}

// A preview counts, shows, breaks down and compares, and keeps nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.define(t, "far", 1, false, dynamic("region_id > 6"))
	request := &analyticsv1.PreviewSegmentRequest{
		Expression: `region_id >= 5 AND NOT (segment("far") AND region_id = 7)`, SampleSize: 3, BreakdownFacts: []string{"region_id", "age_level"},
		OverlapSegments: []string{"far"},
	}
	got, err := b.server.PreviewSegment(eva(t.Context()), request)
	if err != nil {
		t.Fatal(err)
	}
	if got.GetCustomers() != 5 || got.GetBaseCustomers() != 10 || got.GetShare() != 0.5 || len(got.GetSampleCustomerIds()) != 3 {
		t.Errorf("preview %v", got)
	}
	if o := got.GetOverlaps()[0]; o.GetCustomers() != 4 || o.GetBothCustomers() != 3 || o.GetSimilarity() != 0.5 {
		t.Errorf("overlap %v", o)
	}
	if v := got.GetBreakdowns()[0].GetValues(); len(v) != 5 || v[0].GetCustomers() != 1 || v[0].GetIndex() != 2 {
		t.Errorf("breakdown %v", v)
	}
	again, err := b.server.PreviewSegment(eva(t.Context()), request)
	if err != nil || !slices.Equal(again.GetSampleCustomerIds(), got.GetSampleCustomerIds()) {
		t.Errorf("another sample: %v, %v", again, err)
	}
	var runs uint64
	if err := b.conn.QueryRow(t.Context(), "SELECT count() FROM segment_run").Scan(&runs); err != nil || runs != 0 {
		t.Errorf("%d runs were kept, %v", runs, err)
	}
	for expression, want := range map[string]string{
		"regoin_id > 5":     `at character 1: "regoin_id" is not a field of this list; did you mean "region_id"?`,
		`segment("fra")`:    `at character 9: segment: there is no segment "fra"; did you mean "far"?`,
		"top(state, 10%)":   "only numbers",
		`segments:"far"`:    "is not a field",
		"region_id > 5 AND": "at character",
	} {
		_, err := b.server.PreviewSegment(eva(t.Context()), &analyticsv1.PreviewSegmentRequest{Expression: expression})
		var refused *apperr.Error
		if !errors.As(err, &refused) || refused.Violations[0].Field != "expression" || !strings.Contains(refused.Violations[0].Description, want) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// Bad definitions are told with place, cause and nearest name, before anything is saved.
// Before there are customers, or values, nobody is among the greatest and nothing breaks.
func TestNobody(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for range 2 {
		got, err := b.server.PreviewSegment(eva(t.Context()), &analyticsv1.PreviewSegmentRequest{Expression: "top(balance, 10%)"})
		if err != nil || got.GetCustomers() != 0 {
			t.Errorf("%v, %v", got, err)
		}
		b.people(t)
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.define(t, "a", 1, false, dynamic("region_id > 6"))
	b.define(t, "b", 1, false, dynamic(`segment("a") AND region_id > 7`))
	b.define(t, "gone", 1, true, dynamic("region_id > 1"))
	cases := []struct {
		name        string
		spec        *definitionv1.SegmentDefinition
		field, want string
	}{
		{"c", dynamic(`segment("b") AND age > 30`), "", ""},
		{"a", dynamic(`segment("b")`), "dynamic.expression", "circle: a → b → a"},
		{"a", dynamic(`NOT segment("a")`), "dynamic.expression", "circle: a → a"},
		{"c", dynamic(`age > 30 AND segment("bb")`), "dynamic.expression", `at character 22: segment: there is no segment "bb"; did you mean "b"?`},
		{"c", dynamic(`segment("gone")`), "dynamic.expression", "segment gone is archived"},
		{"c", dynamic(`age > "x"`), "dynamic.expression", `"x" is not a whole number`},
		{"c", dynamic(`top(agee, 5%)`), "dynamic.expression", `at character 5: "agee" is not a field of this list; did you mean "age"?`},
		{"c", static(1, 2), "", ""},
		{"c", frozen("a", 1, march(5)), "", ""},
		{"c", frozen("a", 2, march(5)), "frozen.definition_version", "version 2"},
		{"c", frozen("aa", 1, march(5)), "frozen.segment", `did you mean "a"?`},
		{"c", frozen("a", 1, march(11)), "frozen.as_of", "has not come yet"},
	}
	for _, c := range cases {
		found, err := b.service.Compile(eva(t.Context()), c.name, &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{Segment: c.spec}})
		switch {
		case err != nil:
			t.Errorf("%v: %v", c.spec, err)
		case c.want == "" && len(found) > 0 || c.want != "" && len(found) != 1:
			t.Errorf("%v: %v, want %q", c.spec, found, c.want)
		case c.want != "" && (found[0].Field != c.field || !strings.Contains(found[0].Description, c.want)):
			t.Errorf("%v: %v, want %q", c.spec, found, c.want)
		}
	}
}

// An explanation shows every clause with what was observed, now and then, and what is one clause away.
func TestExplain(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.define(t, "far", 3, false, dynamic("region_id > 6"))
	b.define(t, "rule", 3, false, dynamic(`segment("far") AND (age >= 60 OR top(region_id, 20%)) AND NOT state = former`))
	b.define(t, "far", 9, false, dynamic("region_id > 8"))
	explain := func(id int64, at time.Time) *analyticsv1.ExplainMembershipResponse {
		request := &analyticsv1.ExplainMembershipRequest{CustomerId: id, Segment: "rule"}
		if !at.IsZero() {
			request.At = timestamppb.New(at)
		}
		out, err := b.server.ExplainMembership(eva(t.Context()), request)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := explain(8, time.Time{})
	parts := got.GetRule().GetParts()
	if got.GetMember() || got.GetRule().GetOperator() != "AND" || len(parts) != 3 {
		t.Fatalf("explained %v", got)
	}
	far := parts[0]
	if far.GetHolds() || far.GetSegment() != "far" || far.GetSegmentVersion() != 9 || far.GetParts()[0].GetObserved() != "8" || far.GetParts()[0].GetComparedWith() != "8" {
		t.Errorf("the reference is %v", far)
	}
	if either := parts[1].GetParts(); either[0].GetObserved() != "36" || either[1].GetComparedWith() != "9" || either[1].GetHolds() {
		t.Errorf("the alternative is %v", either)
	}
	if len(got.GetNearMisses()) != 0 {
		t.Errorf("two clauses away, and yet %v", got.GetNearMisses())
	}
	if nine := explain(9, time.Time{}); !nine.GetMember() || len(nine.GetNearMisses()) != 3 {
		t.Errorf("nine is %v", nine)
	}
	if miss := explain(2, time.Time{}).GetNearMisses(); len(miss) != 1 || miss[0].GetSegment() != "far" || miss[0].GetFact() != "region_id" || miss[0].GetObserved() != "2" {
		t.Errorf("two misses by %v", miss)
	}
	// On the fifth the first version of "far" was in force: eight was far, and is out by the other clause only.
	then := explain(8, time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC))
	if then.GetRule().GetParts()[0].GetSegmentVersion() != 3 || !then.GetRule().GetParts()[0].GetHolds() || len(then.GetNearMisses()) != 2 {
		t.Errorf("then %v", then)
	}
	manager := auth.WithPrincipal(t.Context(), auth.Principal{Subject: "eva", Roles: []string{auth.RoleManager}, Branches: []int64{3}})
	for caller, id := range map[context.Context]int64{eva(t.Context()): 77, manager: 8} {
		_, err := b.server.ExplainMembership(caller, &analyticsv1.ExplainMembershipRequest{CustomerId: id, Segment: "rule"})
		if status.Code(err) != codes.NotFound {
			t.Errorf("%d gave %v", id, err)
		}
	}
}

// The segments that come with the command line find who they should; here, that they can be evaluated.
func TestReady(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../cli/internal/definitionfile/ready/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := newBank(t)
	b.people(t)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ready struct {
			Spec struct {
				Segment struct {
					Dynamic struct {
						Expression string `yaml:"expression"`
					} `yaml:"dynamic"`
				} `yaml:"segment"`
			} `yaml:"spec"`
		}
		if err := yaml.Unmarshal(text, &ready); err != nil {
			t.Fatal(err)
		}
		expression := ready.Spec.Segment.Dynamic.Expression
		if expression == "" {
			continue
		}
		found++
		if _, err := b.server.PreviewSegment(eva(t.Context()), &analyticsv1.PreviewSegmentRequest{Expression: expression}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if found == 0 {
		t.Error("there is none")
	}
}
