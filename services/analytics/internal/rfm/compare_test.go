package rfm_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehousetest"
)

// spending loads customers who paid so often, once a day back from a day.
func (b *bank) spending(t *testing.T, last string, id *int64, times ...int) {
	t.Helper()
	var changes []*eventsv1.Change
	for i, n := range times {
		customer := int64(i + 1)
		changes = append(changes, owner(customer, customer))
		for j := range n {
			*id++
			changes = append(changes, bundle(false, "CZK", payment(*id, customer, warehousetest.Day(last).AddDate(0, 0, -j).Format(time.DateOnly), "10")))
		}
	}
	b.load(t, changes...)
}

func (b *bank) compute(t *testing.T, asOf string, d *definitionv1.RfmDefinition) *analyticsv1.RfmRun {
	t.Helper()
	settings, err := rfm.SettingsOf(warehousetest.Day(asOf), d)
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.service.Compute(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.server().GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{RunId: run.ID.String()})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetRun()
}

// The k-th cut point of b bins is the value at place floor(k·n/b), for every number of customers.
func TestCutPoints(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	times := []int{}
	id := int64(0)
	for n := 1; n <= 13; n++ {
		b.clear(t)
		times = append(times, n)
		b.spending(t, "2024-06-30", &id, times...)
		for bins := 3; bins <= 5; bins++ {
			run := b.compute(t, "2024-06-30", &definitionv1.RfmDefinition{Bins: int32(bins)})
			var want []int64
			for k := 1; k < bins; k++ {
				want = append(want, int64(times[k*n/bins]))
			}
			if diff := gocmp.Diff(want, run.GetFrequencyEdges()); diff != "" || run.GetBins() != int32(bins) {
				t.Errorf("%d customers in %d bins (-want +got):\n%s", n, bins, diff)
			}
		}
	}
}

// Fixed edges stand whatever customers do, beside those by quantile; segments come from the cells.
func TestFixedEdgesAndSegments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := int64(0)
	b.spending(t, "2024-06-30", &id, 1, 2, 3, 4, 5, 6)
	run := b.compute(t, "2024-06-30", &definitionv1.RfmDefinition{
		Bins: 3, FrequencyEdges: []int64{2, 6}, MonetaryEdges: []string{"-1", "45.5"},
		Segments: []*definitionv1.RfmSegment{
			{Name: "best", Title: "The best", Cells: []*definitionv1.RfmCells{{FrequencyMin: 3}}},
			{Name: "nobody", Title: "Nobody", Cells: []*definitionv1.RfmCells{{RecencyMax: 1}}},
			{Name: "rest", Title: "The rest", Cells: []*definitionv1.RfmCells{{}}},
		},
	})
	var got []string
	page, err := b.server().ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range page.GetScores() {
		got = append(got, fmt.Sprint(s.GetCell(), s.GetSegment()))
	}
	if text := strings.Join(got, " "); text != "312rest 322rest 322rest 322rest 323rest 333best" {
		t.Errorf("cells %s", text)
	}
	var sums []string
	for _, s := range run.GetSegments() {
		sums = append(sums, fmt.Sprintf("%s/%s %d %d", s.GetName(), s.GetTitle(), s.GetCustomers(), s.GetMonetary().GetUnits()))
	}
	if text := strings.Join(sums, ", "); text != "best/The best 1 60, nobody/Nobody 0 0, rest/The rest 5 150" {
		t.Errorf("segments %s", text)
	}
}

// The standard map holds every cell once.
func TestStandardSegments(t *testing.T) {
	t.Parallel()
	broken, err := rfm.Compile(t.Context(), "", &definitionv1.Spec{Kind: &definitionv1.Spec_Rfm{Rfm: &definitionv1.RfmDefinition{Segments: rfm.Standard()}}})
	if err != nil || len(broken) > 0 {
		t.Errorf("%v, %v", broken, err)
	}
}

func TestMigration(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := int64(0)
	definition := &definitionv1.RfmDefinition{Bins: 3, WindowDays: 20, FrequencyEdges: []int64{3, 6}}
	b.spending(t, "2024-06-20", &id, 1, 3, 6, 6)
	b.compute(t, "2024-06-20", definition)
	b.spending(t, "2024-07-20", &id, 6, 3, 1, 0, 2)
	b.compute(t, "2024-07-20", definition)
	b.compute(t, "2024-07-20", &definitionv1.RfmDefinition{}) // other settings do not mix in
	runs, err := b.server().GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	again := b.compute(t, "2024-07-20", definition)
	ask := func(from, to, run string) (*analyticsv1.GetRfmMigrationResponse, error) {
		return b.server().GetRfmMigration(t.Context(), &analyticsv1.GetRfmMigrationRequest{
			RunId: run, From: dateProto(from), To: dateProto(to), By: analyticsv1.RfmMeasure_RFM_MEASURE_FREQUENCY,
		})
	}
	answer, err := ask("2024-06-30", "2024-07-31", again.GetRunId()) // the newest snapshots before these days
	if err != nil {
		t.Fatal(err)
	}
	var moves []string
	for _, m := range answer.GetMoves() {
		moves = append(moves, fmt.Sprintf("%s>%s %d %d %d", m.GetFrom(), m.GetTo(), m.GetCustomers(), m.GetMonetaryFrom().GetUnits(), m.GetMonetaryTo().GetUnits()))
	}
	if text := strings.Join(moves, ", "); text != ">1 1 0 20, 1>3 1 10 60, 2>2 1 30 30, 3> 1 60 0, 3>1 1 60 10" {
		t.Errorf("moves %s", text)
	}
	if answer.GetToRunId() != again.GetRunId() || answer.GetFromAsOf().GetDay() != 20 {
		t.Errorf("%v", answer)
	}
	if _, err := ask("2024-06-19", "2024-07-31", again.GetRunId()); code(err) != codes.NotFound {
		t.Errorf("a day before all snapshots gave %v", err)
	}
	if _, err := ask("2024-06-30", "2024-07-31", runs.GetRun().GetRunId()); code(err) != codes.NotFound {
		t.Errorf("settings without a snapshot then gave %v", err)
	}
}

func TestResponseRates(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := int64(0)
	b.spending(t, "2024-06-30", &id, 1, 2, 6)
	insert := func(id int, customer int, day, kind, outcome string) {
		sql := fmt.Sprintf("INSERT INTO interaction (interaction_id, customer_id, kind, business_date, outcome, version) VALUES (%d, %d, '%s', '%s', '%s', 1)",
			id, customer, kind, day, outcome)
		if err := b.conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		insert(i+1, 3, "2024-06-01", "campaign_contact", []string{"sold", "interested", "no answer", "no interest", "interested"}[i%5])
		insert(i+101, 1, "2024-06-01", "campaign_contact", []string{"sold", "no answer", "no answer", "no answer", "no answer"}[i%5])
	}
	insert(201, 3, "2024-07-01", "campaign_contact", "sold") // after the run's day
	insert(202, 3, "2024-06-01", "call", "sold")             // no contact
	insert(203, 3, "2023-05-01", "campaign_contact", "sold") // before the window
	b.compute(t, "2024-06-30", &definitionv1.RfmDefinition{FrequencyEdges: []int64{2, 3, 4, 5}})
	answer, err := b.server().GetRfmResponseRates(t.Context(), &analyticsv1.GetRfmResponseRatesRequest{By: analyticsv1.RfmMeasure_RFM_MEASURE_FREQUENCY})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range append(answer.GetRates(), answer.GetOverall()) {
		got = append(got, fmt.Sprintf("%s: %d %d %d %.2f %.4f-%.4f ×%.2f", r.GetKey(), r.GetCustomers(), r.GetContacts(), r.GetResponses(), r.GetRate(), r.GetLow(), r.GetHigh(), r.GetLift()))
	}
	// The bounds by hand, from the formula in the literature.
	want := "1: 1 10 2 0.20 0.0567-0.5098 ×0.50, 2: 1 0 0 0.00 0.0000-1.0000 ×0.00, 5: 1 10 6 0.60 0.3127-0.8318 ×1.50, : 3 20 8 0.40 0.2188-0.6134 ×1.00"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("rates\n%s, want\n%s", text, want)
	}
}

// Wilson's interval of 0 of 10 and 10 of 10 mirror each other and stay within bounds.
func TestWilson(t *testing.T) {
	t.Parallel()
	_, low, high := rfm.Wilson(0, 10)
	_, otherLow, otherHigh := rfm.Wilson(10, 10)
	if low != 0 || math.Abs(high-0.2775) > 1e-4 || otherHigh != 1 || math.Abs(otherLow-(1-high)) > 1e-12 {
		t.Errorf("%g-%g and %g-%g", low, high, otherLow, otherHigh)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := int64(0)
	b.spending(t, "2024-06-30", &id, 1, 2, 2, 2, 6)
	b.compute(t, "2024-07-10", &definitionv1.RfmDefinition{RecencyEdges: []int32{5, 10, 15, 20}, Segments: rfm.Standard()})
	answer, err := b.server().ExplainRfm(t.Context(), &analyticsv1.ExplainRfmRequest{CustomerId: 2})
	if err != nil {
		t.Fatal(err)
	}
	text := func(p *analyticsv1.RfmPosition) string {
		return fmt.Sprintf("%s in %d from %s, next %s by %s: %d %s", p.GetValue(), p.GetBin(), p.GetBinEdge(), p.GetNextEdge(), p.GetMissing(), p.GetNextCell(), p.GetNextSegment())
	}
	// Frequencies 1 2 2 2 6 cut at 2, 2, 2 and 6: two payments are in bin 4.
	if got := text(answer.GetRecency()); got != "10 in 4 from 10, next 5 by 5: 544 champions" {
		t.Error(got)
	}
	if got := text(answer.GetFrequency()); got != "2 in 4 from 2, next 6 by 4: 454 loyal" {
		t.Error(got)
	}
	if got := text(answer.GetMonetary()); got != "20 in 4 from 20, next 60 by 40: 445 loyal" {
		t.Error(got)
	}
	first, err := b.server().ExplainRfm(t.Context(), &analyticsv1.ExplainRfmRequest{CustomerId: 1})
	if err != nil || text(first.GetFrequency()) != "1 in 1 from , next 2 by 1: 441 loyal" || first.GetPlace() != 5 || first.GetCustomers() != 5 {
		t.Errorf("%v, %v", first, err)
	}
	best, err := b.server().ExplainRfm(t.Context(), &analyticsv1.ExplainRfmRequest{CustomerId: 5})
	if err != nil || text(best.GetFrequency()) != "6 in 5 from 6, next  by : 0 " {
		t.Errorf("%v, %v", best, err)
	}
	if _, err := b.server().ExplainRfm(t.Context(), &analyticsv1.ExplainRfmRequest{CustomerId: 77}); code(err) != codes.NotFound {
		t.Errorf("an unknown customer gave %v", err)
	}
}

// The same definition on the same day over the same data is done once; over other data it is done again, and the first stays.
func TestOnceOverTheSameData(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := int64(0)
	b.spending(t, "2024-06-30", &id, 1, 2, 3)
	definition := &definitionv1.RfmDefinition{Bins: 3}
	first := b.compute(t, "2024-06-30", definition)
	if again := b.compute(t, "2024-06-30", definition); again.GetRunId() != first.GetRunId() {
		t.Errorf("the run %s was done again as %s", first.GetRunId(), again.GetRunId())
	}
	named := &definitionv1.RfmDefinition{Bins: 3, Segments: []*definitionv1.RfmSegment{{Name: "all", Title: "All", Cells: []*definitionv1.RfmCells{{}}}}}
	if other := b.compute(t, "2024-06-30", named); other.GetRunId() == first.GetRunId() || len(other.GetSegments()) != 1 {
		t.Errorf("other names for cells gave the run %v", other)
	}
	b.load(t, bundle(false, "CZK", payment(100, 1, "2024-06-29", "10")))
	late := b.compute(t, "2024-06-30", definition)
	if late.GetRunId() == first.GetRunId() || late.GetTransactions() != first.GetTransactions()+1 {
		t.Errorf("a late transaction gave the run %v", late)
	}
	kept, err := b.server().GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{RunId: first.GetRunId()})
	if err != nil || !gocmp.Equal(kept.GetRun(), first, protocmp.Transform()) {
		t.Errorf("the first run is now %v, %v", kept, err)
	}
}

// What ExplainRfm says would move a customer up does, for each measure: it is done, and the run of the next moment says so.
func TestWhatMovesUp(t *testing.T) {
	t.Parallel()
	const customer = 4
	for measure, bring := range map[string]func(*analyticsv1.ExplainRfmResponse) (position *analyticsv1.RfmPosition, payments []entry){
		"recency": func(e *analyticsv1.ExplainRfmResponse) (*analyticsv1.RfmPosition, []entry) {
			// A later one in the place of another: neither more, nor for more.
			edge, err := strconv.Atoi(e.GetRecency().GetNextEdge())
			if err != nil {
				t.Fatal(err)
			}
			day := warehousetest.Day("2024-06-30").AddDate(0, 0, -edge).Format(time.DateOnly)
			other := payment(firstOf(customer)+1, customer, "2024-04-30", "10")
			other.version, other.state = 2, "reversed"
			return e.GetRecency(), []entry{other, payment(1000, customer, day, "10")}
		},
		"frequency": func(e *analyticsv1.ExplainRfmResponse) (*analyticsv1.RfmPosition, []entry) {
			missing, err := strconv.Atoi(e.GetFrequency().GetMissing())
			if err != nil {
				t.Fatal(err)
			}
			var payments []entry
			for i := range missing {
				payments = append(payments, payment(int64(1000+i), customer, "2024-01-01", "0"))
			}
			return e.GetFrequency(), payments
		},
		"monetary": func(e *analyticsv1.ExplainRfmResponse) (*analyticsv1.RfmPosition, []entry) {
			// More for what was bought already: neither another transaction nor a later one.
			value := decimal.RequireFromString(e.GetMonetary().GetMissing()).Add(decimal.NewFromInt(10)).String()
			more := payment(firstOf(customer), customer, "2024-05-01", value)
			more.version = 2
			return e.GetMonetary(), []entry{more}
		},
	} {
		b := newBank(t)
		b.staircase(t)
		definition := &definitionv1.RfmDefinition{Bins: 5, Segments: rfm.Standard()}
		before := b.explain(t, b.compute(t, "2024-06-30", definition), customer)
		position, payments := bring(before)
		b.load(t, bundle(false, "CZK", payments...))
		after := b.explain(t, b.compute(t, "2024-06-30", definition), customer)
		if got := after.GetScore(); got.GetCell() != position.GetNextCell() || got.GetSegment() != position.GetNextSegment() {
			t.Errorf("%s: cell %d was promised, and became %d (%s)\nbefore %v\nafter %v", measure, position.GetNextCell(), got.GetCell(), got.GetSegment(), before, after)
		}
	}
}

// firstOf is the number of a customer's first transaction on the staircase.
func firstOf(customer int64) int64 { return 20 * customer }

// staircase loads ten customers, each of whom paid more often, for more, and later than the one before.
func (b *bank) staircase(t *testing.T) {
	t.Helper()
	var changes []*eventsv1.Change
	for customer := int64(1); customer <= 10; customer++ {
		changes = append(changes, owner(customer, customer))
		last := warehousetest.Day("2024-05-01").AddDate(0, 0, int(customer-4))
		for i := range customer {
			changes = append(changes, bundle(false, "CZK", payment(firstOf(customer)+i, customer, last.AddDate(0, 0, -int(i)).Format(time.DateOnly), "10")))
		}
	}
	b.load(t, changes...)
}

func (b *bank) explain(t *testing.T, run *analyticsv1.RfmRun, customer int64) *analyticsv1.ExplainRfmResponse {
	t.Helper()
	answer, err := b.server().ExplainRfm(t.Context(), &analyticsv1.ExplainRfmRequest{RunId: run.GetRunId(), CustomerId: customer})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
