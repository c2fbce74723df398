package show

import (
	"io"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// RfmMigration prints the moves between two snapshots.
func RfmMigration(w io.Writer, m *analyticsv1.GetRfmMigrationResponse) error {
	line, flush := table(w)
	line("from %s\tto %s\tcustomers\tthen\tnow\t", Date(m.GetFromAsOf()), Date(m.GetToAsOf()))
	for _, move := range m.GetMoves() {
		line("%s\t%s\t%s\t%s\t%s\t", orNone(move.GetFrom()), orNone(move.GetTo()), Count(move.GetCustomers()),
			Money(move.GetMonetaryFrom()), Money(move.GetMonetaryTo()))
	}
	return flush()
}

// RfmResponseRates prints how often customers responded.
func RfmResponseRates(w io.Writer, r *analyticsv1.GetRfmResponseRatesResponse) error {
	line, flush := table(w)
	line("contacts from %s to %s\tcustomers\tcontacts\tresponses\trate\t95 %% from\tto\tlift\t", Date(r.GetFirstDate()), Date(r.GetAsOf()))
	row := func(name string, rate *analyticsv1.RfmResponseRate) {
		line("%s\t%s\t%s\t%s\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f\t", name, Count(rate.GetCustomers()), Count(rate.GetContacts()),
			Count(rate.GetResponses()), 100*rate.GetRate(), 100*rate.GetLow(), 100*rate.GetHigh(), rate.GetLift())
	}
	for _, rate := range r.GetRates() {
		row(orNone(rate.GetKey()), rate)
	}
	row("together", r.GetOverall())
	return flush()
}

// RfmExplanation prints where a customer stands, and what would move the customer up.
func RfmExplanation(w io.Writer, e *analyticsv1.ExplainRfmResponse) error {
	line, flush := table(w)
	line("Customer %d as of %s: cell %d %s, place %s of %s", e.GetScore().GetCustomerId(), Date(e.GetAsOf()), e.GetScore().GetCell(),
		e.GetScore().GetSegment(), Count(e.GetPlace()), Count(e.GetCustomers()))
	line("")
	line("\tvalue\tbin\tfrom\tnext bin\tmissing\twould be\t\t")
	currency := e.GetScore().GetMonetary().GetCurrencyCode()
	for _, p := range []struct {
		name string
		*analyticsv1.RfmPosition
	}{{"recency, days", e.GetRecency()}, {"frequency", e.GetFrequency()}, {"monetary, " + currency, e.GetMonetary()}} {
		next := none
		if p.GetNextCell() != 0 {
			next = Count(p.GetNextCell())
		}
		line("%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t", p.name, p.GetValue(), p.GetBin(), orNone(p.GetBinEdge()), orNone(p.GetNextEdge()),
			orNone(p.GetMissing()), next, p.GetNextSegment())
	}
	return flush()
}
