package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
)

// bins is the number of bins of each measure in runs that do not say.
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
	highest := run.GetBins()
	if highest == 0 {
		highest = bins
	}
	if err := rfmGrid(w, currency, highest, cells); err != nil {
		return err
	}
	return rfmSegments(w, run.GetSegments())
}

// rfmSegments prints the named segments.
func rfmSegments(w io.Writer, segments []*analyticsv1.RfmSegmentSum) error {
	if len(segments) == 0 {
		return nil
	}
	line, flush := table(w)
	line("")
	line("segment\tcustomers\tmonetary\t")
	for _, s := range segments {
		line("%s\t%s\t%s\t", s.GetTitle(), Count(s.GetCustomers()), Money(s.GetMonetary()))
	}
	return flush()
}

func rfmEdges(w io.Writer, run *analyticsv1.RfmRun) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, edges []string) {
		_, _ = fmt.Fprintf(t, "%s\t%s\t\n", name, strings.Join(edges, "\t"))
	}
	recency, frequency := texts(run.GetRecencyEdges(), "≤ "), texts(run.GetFrequencyEdges(), "≥ ")
	numbers := make([]string, len(recency)+1)
	for i := range numbers {
		numbers[i] = fmt.Sprint(i + 1)
	}
	line("bin", numbers)
	// Recency is best when small: its edges run from the best bin down to the second.
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
func rfmGrid(w io.Writer, currency string, highest int32, cells map[[2]int32]*analyticsv1.RfmGridCell) error {
	_, _ = fmt.Fprintf(w, "\nCustomers (and thousands of %s) by recency and frequency bin, %d is best:\n", currency, highest)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "\t")
	for f := range highest {
		_, _ = fmt.Fprintf(t, "F%d\t\t", f+1)
	}
	_, _ = fmt.Fprintln(t)
	for r := highest; r >= 1; r-- {
		_, _ = fmt.Fprintf(t, "R%d\t", r)
		for f := int32(1); f <= highest; f++ {
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
