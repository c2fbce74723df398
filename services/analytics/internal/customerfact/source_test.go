package customerfact_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

// Every fact is computed, for today and for a past day, of everybody and of one, and a filter over any of them runs.
func TestEveryFact(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t, customer(1, 1, "2026-03-01 10:00", &eventsv1.CustomerState{Kind: "individual", State: "active"}))
	catalogue, err := b.service.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []string{"2026-03-10", "2026-03-09", "2020-01-01"} {
		for _, customers := range [][]uint64{nil, {1, 2}} {
			got := b.facts(t, on, customers, catalogue.Names()...)
			if len(got) != 1 || got[1]["kind"] != "individual" {
				t.Errorf("%s, %v: %v", on, customers, got)
			}
		}
	}
	for _, field := range catalogue.Schema() {
		condition, parameters, err := filter.ClickHouse(field.Name+":*", catalogue.Schema(), b.now)
		if err != nil || len(parameters) > 0 {
			t.Fatalf("%s: %v", field.Name, err)
		}
		if field.Name == "customer_id" {
			continue
		}
		source, err := b.service.Source(t.Context(), []string{field.Name}, b.service.Today(), []uint64{1})
		if err != nil {
			t.Fatal(err)
		}
		var rows uint64
		if err := b.conn.QueryRow(t.Context(), "SELECT count() FROM "+source.SQL+" AS f WHERE "+condition, source.Parameters...).Scan(&rows); err != nil {
			t.Errorf("%s: %v", field.Name, err)
		}
	}
}

// Figures by hand: what belongs to whom, windows, and what is unknown.
func TestFigures(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.load(t,
		customer(1, 1, "2026-03-01 10:00", &eventsv1.CustomerState{Kind: "individual", State: "active", BirthDate: "1990-03-11", CustomerSince: "2016-03-10"}),
		customer(2, 1, "2026-03-01 10:00", &eventsv1.CustomerState{Kind: "organisation", State: "prospect"}),
		account(7, 1, "2026-03-01 10:00", &eventsv1.AccountState{Currency: "EUR", State: "open", Opened: "2016-03-10"}),
		owner(7, 1, "2026-03-01 10:00"),
		entry(1, 7, "2025-12-11", "credit", "transfer_in", "100", "2026-03-01 10:00"),
		entry(2, 7, "2025-12-10", "credit", "transfer_in", "1000", "2026-03-01 10:00"),
		entry(3, 7, "2026-03-05", "debit", "card_payment", "2.5", "2026-03-05 10:00"),
		interaction(1, 1, "complaint", "2026-03-04 09:00"),
	)
	names := []string{
		"age", "age_level", "tenure_months", "accounts_open", "turnover_in_90d", "turnover_out_90d", "transactions_90d", "transaction_days_ago",
		"interactions_90d", "complaints_365d",
	}
	want := map[uint64]map[string]string{
		1: {
			"age": "35", "age_level": "adult", "tenure_months": "120", "accounts_open": "1", "turnover_in_90d": "100", "turnover_out_90d": "2.5",
			"transactions_90d": "2", "transaction_days_ago": "5", "interactions_90d": "1", "complaints_365d": "1",
		},
		2: {
			"age": "unknown", "age_level": "", "tenure_months": "unknown", "accounts_open": "0", "turnover_in_90d": "0", "turnover_out_90d": "0",
			"transactions_90d": "0", "transaction_days_ago": "unknown", "interactions_90d": "0", "complaints_365d": "0",
		},
	}
	if diff := cmp.Diff(want, b.facts(t, "2026-03-10", nil, names...)); diff != "" {
		t.Error(diff)
	}
	// What was recorded on the 5th was not known on the 4th; what lies before the first record is told from the first day's.
	before := b.facts(t, "2026-03-04", []uint64{1}, names...)
	if got := before[1]; len(before) != 1 || got["turnover_out_90d"] != "0" || got["interactions_90d"] != "1" || got["transactions_90d"] != "2" {
		t.Errorf("on the 4th: %v", before)
	}
	if got := b.facts(t, "2016-04-10", nil, names...)[1]; got["tenure_months"] != "1" || got["age"] != "26" || got["transactions_90d"] != "0" {
		t.Errorf("in 2016: %v", got)
	}
	if got := b.facts(t, "2016-03-09", nil, "kind"); len(got) != 1 || got[2] == nil {
		t.Errorf("before the customer came: %v", got)
	}
}

// Levels by quantiles have as many customers as their shares say, those who are alike are together, and the cut points tell why: for
// all and for one, today, when facts are kept, and of a past day.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	const when = "2026-03-01 10:00"
	var changes []*eventsv1.Change
	for id := int64(1); id <= 11; id++ { // one has no turnover; of ten, four have 40, and the others 10, 20, 30 and 80, 90, 100
		changes = append(changes, customer(id, 1, when, &eventsv1.CustomerState{
			Kind: "organisation", State: "active", AnnualTurnover: turnovers[id],
		}))
	}
	b.load(t, changes...)
	names := []string{"annual_turnover_quantile", "annual_turnover_quantile_edges"}
	const edges = "['20','40','40','80']"
	for _, kept := range []bool{false, true} {
		if kept {
			if err := b.keeper(t).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, on := range []string{"2026-03-10", "2026-03-05"} {
			got := b.facts(t, on, nil, names...)
			for id, want := range map[uint64]string{
				1: "lowest", 2: "lowest", 3: "low", 4: "low", 5: "low", 6: "low", 7: "low", 8: "high", 9: "highest", 10: "highest", 11: "",
			} {
				if got[id][names[0]] != want || got[id][names[1]] != edges {
					t.Errorf("kept %t, %s: customer %d is %v, want %s", kept, on, id, got[id], want)
				}
			}
			if one := b.facts(t, on, []uint64{8}, names...); len(one) != 1 || one[8][names[0]] != "high" || one[8][names[1]] != edges {
				t.Errorf("kept %t, %s: alone %v", kept, on, one)
			}
		}
	}
}

// turnovers by customer of TestQuantiles.
var turnovers = map[int64]*eventsv1.Amount{
	1: euros("10"), 2: euros("20"), 3: euros("30"), 4: euros("40"), 5: euros("40"), 6: euros("40"), 7: euros("40"), 8: euros("80"), 9: euros("90"),
	10: euros("100"),
}

func euros(value string) *eventsv1.Amount { return &eventsv1.Amount{Currency: "EUR", Value: value} }

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	for _, c := range []struct{ name, on string }{{"ages", "2026-03-10"}, {"age", "2026-03-11"}, {"age", "1970-01-01"}} {
		_, err := b.service.Source(t.Context(), []string{c.name}, day(c.on), nil)
		st, _ := apperr.Public(err)
		if st.Code() != codes.InvalidArgument {
			t.Errorf("%s on %s: %v", c.name, c.on, err)
		}
	}
}
