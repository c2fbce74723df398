package insight_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/record"
)

// rowsMax is more than anybody has in these tests.
const rowsMax = 10

// moved says of each customer whether they are in a segment.
func moved(asOf string, computedAt time.Time, segment string, members map[int64]bool) *eventsv1.InsightBundle {
	results := &eventsv1.SegmentResults{Segment: segment, DefinitionVersion: 3}
	for id, member := range members {
		results.CustomerIds, results.Members = append(results.CustomerIds, id), append(results.Members, member)
	}
	return &eventsv1.InsightBundle{
		RunId: runA, AsOf: asOf, ComputedTime: timestamppb.New(computedAt), BundleCount: 1,
		Results: &eventsv1.InsightBundle_Segments{Segments: results},
	}
}

// scored gives one customer a value; NaN takes it.
func scored(asOf string, computedAt time.Time, score string, customer int64, value float64, grade string) *eventsv1.InsightBundle {
	results := &eventsv1.ScoreResults{
		Score: score, DefinitionVersion: 2, ModelVersion: 5, CustomerIds: []int64{customer}, Values: []float64{value},
	}
	if grade != "" {
		results.Grades = []string{grade}
	}
	return &eventsv1.InsightBundle{
		RunId: runB, AsOf: asOf, ComputedTime: timestamppb.New(computedAt), BundleCount: 1,
		Results: &eventsv1.InsightBundle_Scores{Scores: results},
	}
}

func (b *bank) now(t *testing.T) (now time.Time) {
	t.Helper()
	if err := b.pool.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		t.Fatal(err)
	}
	return now
}

// read takes one part of a screen.
func (b *bank) read(t *testing.T, part record.Part) {
	t.Helper()
	if err := record.Read(t.Context(), b.pool, part); err != nil {
		t.Fatal(err)
	}
}

// segments of a customer, now or at a moment, as one text.
func (b *bank) segments(t *testing.T, customer int64, at *time.Time) string {
	t.Helper()
	var found []*crmv1.SegmentInsight
	part := insight.SegmentsForCustomer(&found, customer, rowsMax)
	if at != nil {
		part = insight.SegmentsStoodAt(&found, customer, rowsMax, *at)
	}
	b.read(t, part)
	var names []string
	for _, s := range found {
		names = append(names, s.GetName())
	}
	return strings.Join(names, " ")
}

// scores of a customer, now or at a moment, as one text.
func (b *bank) scores(t *testing.T, customer int64, at *time.Time) string {
	t.Helper()
	var found []*crmv1.ScoreInsight
	part := insight.ScoresForCustomer(&found, customer, rowsMax)
	if at != nil {
		part = insight.ScoresStoodAt(&found, customer, rowsMax, *at)
	}
	b.read(t, part)
	var texts []string
	for _, s := range found {
		texts = append(texts, fmt.Sprintf("%s=%g%s", s.GetName(), s.GetValue(), s.GetGrade()))
	}
	return strings.Join(texts, " ")
}

// step is a bundle and what stands of customer 1 after it.
type step struct {
	name   string
	bundle *eventsv1.InsightBundle
	want   string
}

// follow sends bundles one after the other; afterwards every moment in between still shows what stood then.
func (b *bank) follow(t *testing.T, steps []step, stands func(at *time.Time) string) {
	t.Helper()
	moments := make([]time.Time, len(steps))
	for i, s := range steps {
		b.send(t, s.bundle)
		b.settled(t)
		if got := stands(nil); got != s.want {
			t.Errorf("after %s: %q, want %q", s.name, got, s.want)
		}
		moments[i] = b.now(t)
	}
	for i, s := range steps {
		if got := stands(&moments[i]); got != s.want {
			t.Errorf("later, of the moment after %s: %q, want %q", s.name, got, s.want)
		}
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	joined, left := map[int64]bool{1: true, 2: true}, map[int64]bool{1: false}
	b.follow(t, []step{
		{"joining", moved("2026-02-28", computed, "affluent", joined), "affluent"},
		{"the same again", moved("2026-02-28", computed, "affluent", left), "affluent"},
		{"an earlier day", moved("2026-02-27", computed.Add(time.Hour), "affluent", left), "affluent"},
		{"another segment", moved("2026-01-31", computed, "young", joined), "affluent young"},
		{"leaving", moved("2026-02-28", computed.Add(time.Second), "affluent", left), "young"},
		{"an older run that comes late", moved("2026-02-28", computed.Add(time.Millisecond), "affluent", joined), "young"},
		{"joining again", moved("2026-03-31", computed, "affluent", joined), "affluent young"},
		{"a cluster", moved("2026-03-31", computed, "habits/12", joined), "affluent habits/12 young"},
		{"another one", moved("2026-04-30", computed, "habits/12", left), "affluent young"},
		{"a cell of a profile scheme", moved("2026-04-30", computed, "bank_profile/"+strings.Repeat("a", 64), joined), "affluent bank_profile/" +
			strings.Repeat("a", 64) + " young"},
	}, func(at *time.Time) string { return b.segments(t, 1, at) })

	var found []*crmv1.SegmentInsight
	b.read(t, insight.SegmentsForCustomer(&found, 2, rowsMax))
	want := &crmv1.SegmentInsight{
		Name: "affluent", AsOf: &date.Date{Year: 2026, Month: 3, Day: 31}, DefinitionVersion: 3, RunId: runA, ComputedTime: timestamppb.New(computed),
	}
	if diff := cmp.Diff(want, found[0], protocmp.Transform(), protocmp.IgnoreFields(want, "applied_time")); diff != "" {
		t.Errorf("insight (-want +got):\n%s", diff)
	}
}

func TestScores(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	b.follow(t, []step{
		{"the first", scored("2026-02-28", computed, "fit", 1, 12, "B"), "fit=12B"},
		{"an earlier day", scored("2026-02-27", computed.Add(time.Hour), "fit", 1, 99, "A"), "fit=12B"},
		{"another score", scored("2026-02-28", computed, "churn", 1, 0.25, ""), "churn=0.25 fit=12B"},
		{"a newer value", scored("2026-03-31", computed, "fit", 1, 20, "A"), "churn=0.25 fit=20A"},
		{"none any more", scored("2026-03-31", computed.Add(time.Second), "churn", 1, math.NaN(), ""), "fit=20A"},
		{"an older run that comes late", scored("2026-03-31", computed, "churn", 1, 0.5, ""), "fit=20A"},
	}, func(at *time.Time) string { return b.scores(t, 1, at) })

	var found []*crmv1.ScoreInsight
	b.read(t, insight.ScoresForCustomer(&found, 1, rowsMax))
	want := &crmv1.ScoreInsight{
		Name: "fit", Value: 20, Grade: "A", AsOf: &date.Date{Year: 2026, Month: 3, Day: 31}, DefinitionVersion: 2, ModelVersion: 5, RunId: runB,
		ComputedTime: timestamppb.New(computed),
	}
	if diff := cmp.Diff(want, found[0], protocmp.Transform(), protocmp.IgnoreFields(want, "applied_time")); diff != "" {
		t.Errorf("insight (-want +got):\n%s", diff)
	}
}

// changes are a page of the changes of customer 1 as texts, and the token of the next.
func (b *bank) changes(t *testing.T, req *crmv1.ListInsightHistoryRequest) (texts []string, next string) {
	t.Helper()
	req.CustomerId = 1
	answer, err := insight.ListChanges(t.Context(), b.pool, req)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.GetChanges() {
		text := fmt.Sprintf("%s %t", c.GetName(), c.GetPresent())
		if c.GetKind() == crmv1.InsightKind_INSIGHT_KIND_SCORE {
			text += fmt.Sprintf(" %g→%g%s", c.GetPreviousValue(), c.GetValue(), c.GetGrade())
		}
		if c.GetReplacedTime() == nil {
			text += " stands"
		} else if c.GetReplacedTime().AsTime().Before(c.GetAppliedTime().AsTime()) {
			t.Errorf("replaced before it stood: %v", c)
		}
		age := time.Since(c.GetComputedTime().AsTime()).Seconds()
		if c.GetRunId() == "" || c.GetAsOf() == nil || c.GetDefinitionVersion() == 0 || math.Abs(age-float64(c.GetAgeSeconds())) > 3600 {
			t.Errorf("no run or age: %v", c)
		}
		texts = append(texts, text)
	}
	return texts, answer.GetNextPageToken()
}

// The history tells joins, leaves and values with their runs and ages, the last first, in pages; what gave way is not in it.
func TestHistoryOfSegmentsAndScores(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	in, out := map[int64]bool{1: true, 2: true}, map[int64]bool{1: false}
	for _, m := range []*eventsv1.InsightBundle{
		moved("2026-01-31", computed, "habits/2", in), scored("2026-01-31", computed, "fit", 1, 12, "B"), moved("2026-02-28", computed, "habits/2", out),
		moved("2026-01-31", computed, "habits/2", in), scored("2026-02-28", computed, "fit", 1, 20, "A"), moved("2026-02-28", computed, "affluent", in),
		scored("2026-03-31", computed, "fit", 1, math.NaN(), ""),
	} {
		b.send(t, m)
		b.settled(t)
	}
	all := []string{
		"fit false 20→0 stands", "affluent true stands", "fit true 12→20A", "habits/2 false stands", "fit true 0→12B", "habits/2 true",
	}
	for _, c := range []struct {
		req  *crmv1.ListInsightHistoryRequest
		want []string
	}{
		{&crmv1.ListInsightHistoryRequest{PageSize: 2}, all},
		{&crmv1.ListInsightHistoryRequest{PageSize: 1, Kind: crmv1.InsightKind_INSIGHT_KIND_SEGMENT}, []string{all[1], all[3], all[5]}},
		{&crmv1.ListInsightHistoryRequest{Kind: crmv1.InsightKind_INSIGHT_KIND_SCORE}, []string{all[0], all[2], all[4]}},
		{&crmv1.ListInsightHistoryRequest{Name: "habits/2"}, []string{all[3], all[5]}},
	} {
		var got []string
		for {
			texts, next := b.changes(t, c.req)
			got = append(got, texts...)
			if c.req.PageToken = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.req, diff)
		}
	}
}

// A bundle is written in steps: all of it, whatever its length, and again without another effect.
func TestLongBundles(t *testing.T) {
	t.Parallel()
	failures := 0
	b := newBank(t, &failures)
	const members = 3*50 + 7
	all := map[int64]bool{customersMax + 1: true}
	for id := range int64(members) {
		all[id+1] = true
	}
	failures = 1 // the first step fails once; the bundle comes again
	for range 2 {
		b.send(t, moved("2026-02-28", computed, "all", all))
		b.settled(t)
		for _, table := range []string{"customer_segment", "customer_segment_history"} {
			var count int
			err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE member").Scan(&count)
			if err != nil || count != members {
				t.Errorf("%s: %d rows (%v), want %d", table, count, err, members)
			}
		}
	}
}

func TestMalformedNamedResultsArePutAside(t *testing.T) {
	t.Parallel()
	b := newBank(t, new(int))
	segment := func(damage func(*eventsv1.SegmentResults)) *eventsv1.InsightBundle {
		m := moved("2026-02-28", computed, "affluent", map[int64]bool{1: true, 2: true})
		damage(m.GetSegments())
		return m
	}
	score := func(damage func(*eventsv1.ScoreResults)) *eventsv1.InsightBundle {
		m := scored("2026-02-28", computed, "fit", 1, 1, "A")
		damage(m.GetScores())
		return m
	}
	broken := []*eventsv1.InsightBundle{
		segment(func(r *eventsv1.SegmentResults) { r.Segment = "" }),
		segment(func(r *eventsv1.SegmentResults) { r.Segment = "Affluent!" }),
		segment(func(r *eventsv1.SegmentResults) { r.Segment = "habits/" }),
		segment(func(r *eventsv1.SegmentResults) { r.Segment = "habits/1/2" }),
		segment(func(r *eventsv1.SegmentResults) { r.DefinitionVersion = 0 }),
		segment(func(r *eventsv1.SegmentResults) { r.Members = r.Members[:1] }),
		segment(func(r *eventsv1.SegmentResults) { r.CustomerIds[0] = r.CustomerIds[1] }),
		score(func(r *eventsv1.ScoreResults) { r.Score = "a b" }),
		score(func(r *eventsv1.ScoreResults) { r.Score = "habits/1" }),
		score(func(r *eventsv1.ScoreResults) { r.DefinitionVersion = -1 }),
		score(func(r *eventsv1.ScoreResults) { r.ModelVersion = -1 }),
		score(func(r *eventsv1.ScoreResults) { r.Values = nil }),
		score(func(r *eventsv1.ScoreResults) { r.Values[0] = math.Inf(1) }),
		score(func(r *eventsv1.ScoreResults) { r.Grades[0] = strings.Repeat("A", 65) }),
		score(func(r *eventsv1.ScoreResults) { r.Grades = append(r.Grades, "B") }),
	}
	for _, m := range broken {
		b.send(t, m)
	}
	b.settled(t)
	stream, err := b.js.Stream(t.Context(), natsx.StreamCRMDLQ)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got != uint64(len(broken)) {
		t.Errorf("%d dead letters, want %d", got, len(broken))
	}
	if b.segments(t, 1, nil)+b.scores(t, 1, nil) != "" {
		t.Errorf("a part of a bundle was written: %q and %q", b.segments(t, 1, nil), b.scores(t, 1, nil))
	}
}
