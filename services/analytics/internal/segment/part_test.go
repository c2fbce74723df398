package segment_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/customerfact"
)

// divide saves the definition of a clustering over a filter.
func (b *bank) divide(t *testing.T, name, filter string) *definitionv1.Spec {
	t.Helper()
	b.ids[name] = int64(len(b.ids) + 1)
	at := timestamppb.New(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	spec := &definitionv1.Spec{Kind: &definitionv1.Spec_Clustering{Clustering: &definitionv1.ClusteringDefinition{Filter: filter, ClustersMax: 3}}}
	b.load(t, &eventsv1.Change{
		Entity: "definition", EntityId: b.ids[name], Version: 1, ChangeTime: at,
		Payload: &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
			Name: name, Title: name, Kind: "clustering", State: "active", Owner: "eva", SpecVersion: 1, SpecTime: at, Spec: spec,
		}},
	})
	return spec
}

// ranAs stores what a run leaves of a cluster.
func (b *bank) ranAs(t *testing.T, segment, asOf string, computed time.Time, members ...int64) {
	t.Helper()
	run := uuid.NewString()
	for _, id := range members {
		if err := b.conn.Exec(t.Context(), "INSERT INTO segment_member (segment, as_of, run_id, customer_id) VALUES (?, ?, ?, ?)", segment, asOf, run, uint64(id)); err != nil {
			t.Fatal(err)
		}
	}
	err := b.conn.Exec(t.Context(), "INSERT INTO segment_run (run_id, segment, definition_version, as_of, customers, computed_time) VALUES (?, ?, 1, ?, ?, ?)",
		run, segment, asOf, uint64(len(members)), computed)
	if err != nil {
		t.Fatal(err)
	}
}

// A cluster is a segment to others: by its newest run, which they follow; in the past by the run of then.
func TestPart(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.people(t)
	b.divide(t, "habits", `segment("far")`)
	b.ranAs(t, "habits/2", "2026-03-05", time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC), 1, 8, 9)
	b.define(t, "near", 1, false, dynamic(`segment("habits/2") AND NOT region_id > 8`))
	_, stop := b.follow(t)
	defer stop()
	b.awaitMembers(t, "near", 1, 8)
	b.ranAs(t, "habits/2", "2026-03-09", time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC), 2, 9)
	b.service.EverybodyChanged([]string{customerfact.CauseDivision})
	b.awaitMembers(t, "near", 2)
	events := b.events(t, "near")
	if changed := events[len(events)-1].GetChanged(); !slices.Equal(changed, []string{customerfact.CauseDivision}) {
		t.Errorf("changed by %v", changed)
	}

	explained, err := b.server.ExplainMembership(eva(t.Context()), &analyticsv1.ExplainMembershipRequest{CustomerId: 2, Segment: "near"})
	if err != nil || !explained.GetMember() {
		t.Fatalf("explained %v, %v", explained, err)
	}
	if clause := explained.GetRule().GetParts()[0]; clause.GetSegment() != "habits/2" || clause.GetParts()[0].GetText() != "in habits/2 by its newest run" {
		t.Errorf("clause %v", clause)
	}
	then, err := b.server.ExplainMembership(eva(t.Context()), &analyticsv1.ExplainMembershipRequest{
		CustomerId: 8, Segment: "near", At: timestamppb.New(time.Date(2026, 3, 6, 10, 0, 0, 0, time.UTC)),
	})
	if err != nil || !then.GetMember() {
		t.Errorf("on 6 March %v, %v", then, err)
	}
	preview, err := b.server.PreviewSegment(eva(t.Context()), &analyticsv1.PreviewSegmentRequest{Expression: "age > 0", OverlapSegments: []string{"habits/2"}})
	if err != nil || preview.GetOverlaps()[0].GetBothCustomers() != 2 {
		t.Errorf("preview %v, %v", preview, err)
	}

	for expression, want := range map[string]string{
		`segment("habits/x")`:           `there is no segment "habits/x"; did you mean "habits/1"?`,
		`segment("habbits/2")`:          `there is no segment "habbits/2"; did you mean "habits/2"?`,
		`NOT segment("habits/7")`:       "", // numbers go on from run to run
		`segment("far") OR region_id:*`: `there is no segment "far"`,
	} {
		found, err := b.service.Compile(eva(t.Context()), "other", &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{Segment: dynamic(expression)}})
		if err != nil || want == "" && len(found) > 0 || want != "" && (len(found) != 1 || !strings.Contains(found[0].Description, want)) {
			t.Errorf("%s: %v, %v", expression, found, err)
		}
	}
	found, err := b.service.Compile(eva(t.Context()), "far", &definitionv1.Spec{Kind: &definitionv1.Spec_Segment{Segment: dynamic(`segment("habits/1")`)}})
	if err != nil || len(found) != 1 || !strings.Contains(found[0].Description, "circle: far → habits → far") {
		t.Errorf("circle: %v, %v", found, err)
	}
}
