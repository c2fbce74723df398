package report

import (
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// keeping is the service of the world with answers that are kept from so slow on.
func (w *world) keeping(t *testing.T, slower time.Duration) *world {
	t.Helper()
	s, err := New(Config{
		Warehouse: w.conn, Catalogue: w.service.catalogue, NewestChange: w.service.newestChange, TimeZone: time.UTC,
		Logger: slog.New(slog.DiscardHandler), KeepFor: time.Hour, KeepSlower: slower,
	})
	if err != nil {
		t.Fatal(err)
	}
	keeping := *w
	keeping.service = s
	return &keeping
}

func (w *world) askAs(t *testing.T, q *definitionv1.ReportQuery, caller Caller, maxAge time.Duration) *answer {
	t.Helper()
	a := &answer{}
	var err error
	if a.end, err = w.service.Run(t.Context(), q, caller, maxAge, a); err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	return a
}

// unsigned are the answer's parts without what differs by caller and by the moment of asking.
func (a *answer) unsigned() []proto.Message {
	header := proto.CloneOf(a.header)
	header.ReportToken, header.NewestEventAge = "", nil
	out := []proto.Message{header, a.end}
	for _, row := range a.rows {
		row = proto.CloneOf(row)
		for _, cell := range row.GetCells() {
			cell.Drill = ""
		}
		out = append(out, row)
	}
	return out
}

// A kept answer is the same for another reader, who can drill into it, and nobody else can by that reader's tokens.
func TestKeptAnswersAreTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 11).keeping(t, 0)
	m := newModel(w)
	r := rand.New(rand.NewPCG(5, 6))
	adam := Caller{ID: "adam"}
	for range questions {
		q := draw(r, w.service.catalogue, m).ReportQuery
		computed := w.ask(t, q)
		told := w.askAs(t, q, adam, time.Hour)
		if diff := cmp.Diff(computed.unsigned(), told.unsigned(), protocmp.Transform()); diff != "" {
			t.Fatalf("%v, -computed +told again:\n%s", q, diff)
		}
		for i, row := range told.rows {
			cell := row.GetCells()[len(row.GetCells())-1]
			if cell.GetDrill() == "" {
				continue
			}
			d := Drill{Report: told.header.GetReportToken(), Cell: cell.GetDrill()}
			if _, err := w.service.Drill(t.Context(), d, adam, &answer{}); err != nil {
				t.Errorf("%v, row %d: %v", q, i, err)
			}
			if _, err := w.service.Drill(t.Context(), d, eva, &answer{}); status.Code(err) != codes.PermissionDenied {
				t.Errorf("somebody else's drill: %v", err)
			}
			break
		}
	}
}

// An answer is told again only to who may see as much, accepts its age, and of what takes long.
func TestKeptAnswersHaveTheirLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12)
	quick, slow := w.keeping(t, time.Hour), w.keeping(t, 0)
	q := &definitionv1.ReportQuery{Measures: []string{"contacts"}, AsOf: date.Proto(warehousetest.Day("2024-05-17"))}
	limited := Caller{ID: "eva", Scope: Scope{Limited: true, Branches: []int64{2}}}
	when := func(a *answer) time.Time { return a.header.GetComputedTime().AsTime() }

	first := when(slow.ask(t, q))
	if again := when(slow.askAs(t, q, eva, time.Hour)); !again.Equal(first) {
		t.Error("was computed anew, though it may be an hour old")
	}
	ofBranch := slow.askAs(t, q, limited, time.Hour)
	if when(ofBranch).Equal(first) || proto.Equal(ofBranch.rows[0], slow.ask(t, q).rows[0]) {
		t.Error("who may see one branch was told of all")
	}
	second := when(slow.askAs(t, q, eva, time.Nanosecond))
	if !second.After(first) {
		t.Error("was told again, though it had to be new")
	}
	if again := when(slow.askAs(t, q, eva, time.Hour)); !again.Equal(second) {
		t.Error("the older answer was kept")
	}
	if first := when(quick.ask(t, q)); when(quick.askAs(t, q, eva, time.Hour)).Equal(first) {
		t.Error("what takes no time was kept")
	}
	if first := when(w.ask(t, q)); when(w.askAs(t, q, eva, time.Hour)).Equal(first) {
		t.Error("was kept without being asked to keep")
	}
}

// Ready reports are computed ahead; whoever runs one by its name is told what is kept, unless it has to be new.
func TestReadyReportsAreComputedAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 13).keeping(t, 0)
	ready, err := ReadReady()
	if err != nil {
		t.Fatal(err)
	}
	if !w.service.computeAhead(t.Context(), ready) {
		t.Error("not all ready reports were asked for")
	}
	server := NewServer(w.service, &Library{ready: ready})
	for name, d := range ready {
		request := &analyticsv1.RunReportRequest{Report: &analyticsv1.RunReportRequest_Name{Name: name}}
		q := proto.CloneOf(d.GetQuery())
		before := time.Now()
		if told := w.askAs(t, q, eva, server.maxAge(request)); !told.header.GetComputedTime().AsTime().Before(before) {
			t.Errorf("%s was not computed ahead", name)
		}
	}
	question := &analyticsv1.RunReportRequest{Report: &analyticsv1.RunReportRequest_Query{Query: &definitionv1.ReportQuery{}}}
	if got := server.maxAge(question); got != 0 {
		t.Errorf("an answer to a question may be %s old", got)
	}
}
