package rfm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"tandem.bank/pkg/apperr"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/rfm"
	"tandem.bank/services/analytics/internal/warehouse"
	"tandem.bank/services/analytics/internal/warehousetest"
)

func code(err error) codes.Code {
	st, _ := apperr.Public(err)
	return st.Code()
}

// Ten customers with recency 0…9, frequency 1…10 and value 10…100: two of them in each bin, edges by hand.
func TestTenCustomers(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	var changes []*eventsv1.Change
	id := int64(0)
	for c := int64(1); c <= 10; c++ {
		changes = append(changes, owner(c, c))
		for range c {
			id++
			changes = append(changes, bundle(false, "CZK", payment(id, c, warehousetest.Day("2024-06-30").AddDate(0, 0, int(c)-10).Format(time.DateOnly), "10")))
		}
	}
	b.load(t, changes...)
	answer, err := b.server().RunRfm(t.Context(), &analyticsv1.RunRfmRequest{AsOf: dateProto("2024-06-30")})
	if err != nil {
		t.Fatal(err)
	}
	run := answer.GetRun()
	if !slices.Equal(run.GetRecencyEdges(), []int32{1, 3, 5, 7}) || !slices.Equal(run.GetFrequencyEdges(), []int64{3, 5, 7, 9}) ||
		!slices.Equal(run.GetMonetaryEdges(), []string{"30", "50", "70", "90"}) {
		t.Errorf("edges %v %v %v", run.GetRecencyEdges(), run.GetFrequencyEdges(), run.GetMonetaryEdges())
	}
	if run.GetWindowDays() != 365 || run.GetTransactions() != 55 || run.GetMonetary().GetUnits() != 550 || !run.GetNewestEventTime().AsTime().Equal(b.newest) {
		t.Errorf("run %v", run)
	}
	var cells []string
	for _, s := range b.all(t, "", analyticsv1.RfmOrder_RFM_ORDER_UNSPECIFIED, 0) {
		cells = append(cells, fmt.Sprint(s.Cell))
	}
	if got := strings.Join(cells, " "); got != "111 111 222 222 333 333 444 444 555 555" {
		t.Errorf("cells %s", got)
	}
}

// Equal values never fall apart; those that straddle an edge go up.
func TestTies(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	cases := []struct {
		name        string
		frequencies []int
		want        string // frequency bins by customer
	}{
		{"one customer", []int{3}, "5"},
		{"two customers", []int{1, 2}, "3 5"},
		{"all equal", []int{2, 2, 2, 2, 2, 2, 2}, "5 5 5 5 5 5 5"},
		{"most at the bottom", []int{1, 1, 1, 1, 1, 1, 2, 3, 4, 5}, "3 3 3 3 3 3 4 4 5 5"},
		{"most at the top", []int{1, 2, 9, 9, 9, 9, 9, 9, 9, 9}, "1 1 5 5 5 5 5 5 5 5"},
		{"five", []int{5, 4, 3, 2, 1}, "5 4 3 2 1"},
	}
	for _, c := range cases {
		b.clear(t)
		var changes []*eventsv1.Change
		id := int64(0)
		for i, frequency := range c.frequencies {
			changes = append(changes, owner(int64(i+1), int64(i+1)))
			for range frequency {
				id++
				changes = append(changes, bundle(false, "CZK", payment(id, int64(i+1), "2024-06-30", "1")))
			}
		}
		b.load(t, changes...)
		if _, err := b.server().RunRfm(t.Context(), &analyticsv1.RunRfmRequest{AsOf: dateProto("2024-06-30")}); err != nil {
			t.Fatal(err)
		}
		var bins []string
		for _, s := range b.all(t, "", analyticsv1.RfmOrder_RFM_ORDER_UNSPECIFIED, 0) {
			bins = append(bins, fmt.Sprint(s.Cell/10%10))
		}
		if got := strings.Join(bins, " "); got != c.want {
			t.Errorf("%s: bins %s, want %s", c.name, got, c.want)
		}
	}
}

// The same settings over the same data give the same rows, however they lie in parts.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, newWorld(5).changes()...)
	compute := func() (*analyticsv1.RfmRun, []score) {
		t.Helper()
		answer, err := b.server().RunRfm(t.Context(), &analyticsv1.RunRfmRequest{AsOf: dateProto(asOf), WindowDays: windowDays})
		if err != nil {
			t.Fatal(err)
		}
		scores := b.all(t, answer.GetRun().GetRunId(), analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST, 0)
		answer.GetRun().RunId, answer.GetRun().ComputedTime, answer.GetRun().NewestEventTime = "", nil, nil
		b.load(t) // with nothing new the run would be the one that is there
		return answer.GetRun(), scores
	}
	run, scores := compute()
	if err := warehouse.OnParts(t.Context(), b.conn, "OPTIMIZE TABLE transaction FINAL"); err != nil {
		t.Fatal(err)
	}
	again, scoresAgain := compute()
	if diff := gocmp.Diff(run, again, protocmp.Transform()); diff != "" {
		t.Errorf("runs differ:\n%s", diff)
	}
	if diff := gocmp.Diff(scores, scoresAgain); diff != "" {
		t.Errorf("scores differ:\n%s", diff)
	}
	var left uint64
	if err := b.conn.QueryRow(t.Context(), "SELECT count() FROM rfm_value").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d values left behind, %v", left, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	server := b.server()
	run := func(change func(*analyticsv1.RunRfmRequest)) error {
		req := &analyticsv1.RunRfmRequest{AsOf: dateProto("2024-06-30")}
		change(req)
		_, err := server.RunRfm(t.Context(), req)
		return err
	}
	if err := run(func(*analyticsv1.RunRfmRequest) {}); code(err) != codes.FailedPrecondition {
		t.Errorf("an empty bank gave %v", err)
	}
	b.load(t, owner(1, 1), bundle(false, "CZK", payment(1, 1, "2024-06-30", "1")))
	if err := run(func(r *analyticsv1.RunRfmRequest) { r.TransactionKinds = []string{"fee"} }); code(err) != codes.FailedPrecondition {
		t.Errorf("kinds that nobody used gave %v", err)
	}
	if err := run(func(r *analyticsv1.RunRfmRequest) { r.TransactionKinds = []string{"fee", "' OR 1"} }); code(err) != codes.InvalidArgument ||
		!strings.Contains(err.Error(), "transaction_kinds[1]") {
		t.Errorf("an unknown kind gave %v", err)
	}
	for _, bad := range []string{"1969-12-31", "2149-06-07"} {
		if err := run(func(r *analyticsv1.RunRfmRequest) { r.AsOf = dateProto(bad) }); code(err) != codes.InvalidArgument {
			t.Errorf("as_of %s gave %v", bad, err)
		}
	}
	if err := run(func(r *analyticsv1.RunRfmRequest) { r.WindowDays = 36500 }); err != nil {
		t.Errorf("a window that begins before 1970 gave %v", err)
	}
	b.load(t, bundle(false, "EUR", payment(2, 1, "2024-06-29", "1")))
	if err := run(func(*analyticsv1.RunRfmRequest) {}); code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "CZK, EUR") {
		t.Errorf("two base currencies gave %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	server := b.server()
	if _, err := server.GetRfmRun(t.Context(), &analyticsv1.GetRfmRunRequest{}); code(err) != codes.NotFound {
		t.Errorf("no run gave %v", err)
	}
	b.load(t, owner(1, 1), owner(2, 2), bundle(false, "CZK", payment(1, 1, "2024-06-30", "1"), payment(2, 2, "2024-06-30", "1")))
	settings, err := rfm.NewSettings(warehousetest.Day("2024-06-30"), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := b.service.Compute(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{RunId: uuid.NewString()}); code(err) != codes.NotFound {
		t.Errorf("an unknown run gave %v", err)
	}
	page, err := server.ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{
		PageToken: page.GetNextPageToken(), Order: analyticsv1.RfmOrder_RFM_ORDER_BEST_FIRST,
	}); code(err) != codes.InvalidArgument {
		t.Errorf("a token of another order gave %v", err)
	}
	// A newer run in the middle of a list does not mix in.
	if _, err := b.service.Compute(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	next, err := server.ListRfmScores(t.Context(), &analyticsv1.ListRfmScoresRequest{PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || next.GetRunId() != first.ID.String() || len(next.GetScores()) != 1 || next.GetNextPageToken() != "" {
		t.Errorf("the second page is %v, %v", next, err)
	}
	if proto.Equal(page.GetScores()[0], next.GetScores()[0]) {
		t.Error("the second page repeats the first")
	}
}

// Pages in both orders read ranges of a key and not the whole run.
func TestPagesUseIndexes(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const customers = 60_000
	seed := fmt.Sprintf(`INSERT INTO rfm_score SELECT '01890000-0000-7000-8000-000000000000', toDate('2024-06-30'), number + 1, 1, 1, 1, 1, 1, 1,
		%d - number FROM numbers(%d)`, customers, customers)
	if err := b.conn.Exec(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	arrange := "ALTER TABLE rfm_score MATERIALIZE PROJECTION best_first IN PARTITION 2024 SETTINGS mutations_sync = 2"
	if err := warehouse.OnParts(t.Context(), b.conn, arrange); err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"customer_id", "place"} {
		rows, err := b.conn.Query(t.Context(), `EXPLAIN indexes = 1, projections = 1 SELECT customer_id, place FROM rfm_score
			WHERE run_id = '01890000-0000-7000-8000-000000000000' AND as_of = toDate('2024-06-30') AND `+column+` > 59000 ORDER BY `+column+` LIMIT 50`)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(plan, "\n")
		// In a cluster only the servers with the parts see the granules; the tables' keys are the same.
		if !strings.Contains(text, "Granules: 1/7") && !strings.Contains(text, "ReadFromRemote") {
			t.Errorf("a page by %s:\n%s", column, text)
		}
	}
}
