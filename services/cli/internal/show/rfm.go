package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// bins is the number of bins of each measure.
const bins = 5

// RfmRun prints a run: what it looked at, where it cut, and how customers and their money spread over the grid.
func RfmRun(w io.Writer, run *analyticsv1.RfmRun) error {
	_, _ = fmt.Fprintf(w, "RFM as of %s, %d days back; run %s, computed %s\n",
		Date(run.GetAsOf()), run.GetWindowDays(), run.GetRunId(), Time(run.GetComputedTime()))
	_, _ = fmt.Fprintf(w, "%s customers, %s transactions, %s; newest event of %s\n",
		Count(run.GetCustomers()), Count(run.GetTransactions()), Money(run.GetMonetary()), Time(run.GetNewestEventTime()))
	kinds := "those that customers make themselves"
	if named := run.GetTransactionKinds(); len(named) > 0 {
		kinds = strings.Join(named, ", ")
	}
	_, _ = fmt.Fprintf(w, "kinds: %s\n\n", kinds)
	if err := rfmEdges(w, run); err != nil {
		return err
	}
	cells := map[[2]int32]*analyticsv1.RfmGridCell{}
	for _, cell := range run.GetGrid() {
		cells[[2]int32{cell.GetRecency(), cell.GetFrequency()}] = cell
	}
	currency := run.GetMonetary().GetCurrencyCode()
	return rfmGrid(w, currency, cells)
}

func rfmEdges(w io.Writer, run *analyticsv1.RfmRun) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, edges []string) {
		_, _ = fmt.Fprintf(t, "%s\t%s\t\n", name, strings.Join(edges, "\t"))
	}
	recency, frequency := texts(run.GetRecencyEdges(), "≤ "), texts(run.GetFrequencyEdges(), "≥ ")
	line("bin", []string{"1", "2", "3", "4", "5"})
	// Recency is best when small: its edges run from bin 5 down to bin 2.
	reversed := make([]string, 0, len(recency))
	for _, edge := range slices.Backward(recency) {
		reversed = append(reversed, edge)
	}
	line("recency, days", append([]string{"more"}, reversed...))
	line("frequency", append([]string{"less"}, frequency...))
	line("monetary, "+run.GetMonetary().GetCurrencyCode(), append([]string{"less"}, texts(run.GetMonetaryEdges(), "≥ ")...))
	return t.Flush()
}

// rfmGrid prints one line a recency bin, best first, with customers and thousands for each frequency bin.
func rfmGrid(w io.Writer, currency string, cells map[[2]int32]*analyticsv1.RfmGridCell) error {
	_, _ = fmt.Fprintf(w, "\nCustomers (and thousands of %s) by recency and frequency bin, 5 is best:\n", currency)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "\t")
	for f := range bins {
		_, _ = fmt.Fprintf(t, "F%d\t\t", f+1)
	}
	_, _ = fmt.Fprintln(t)
	for r := int32(bins); r >= 1; r-- {
		_, _ = fmt.Fprintf(t, "R%d\t", r)
		for f := int32(1); f <= bins; f++ {
			cell := cells[[2]int32{r, f}]
			if cell == nil {
				_, _ = fmt.Fprintf(t, "%s\t\t", none)
				continue
			}
			_, _ = fmt.Fprintf(t, "%s\t(%s)\t", Count(cell.GetCustomers()), Thousands(cell.GetMonetary()))
		}
		_, _ = fmt.Fprintln(t)
	}
	return t.Flush()
}

func texts[T any](values []T, prefix string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = prefix + fmt.Sprint(v)
	}
	return out
}
