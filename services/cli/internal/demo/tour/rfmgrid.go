package tour

import (
	"bytes"
	"fmt"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/cli/internal/show"
)

const bins = 5

// writeGrid shows the customers of each cell and, below, what they are worth: rows are recency, the latest first, columns
// frequency, the most frequent last.
func writeGrid(b *bytes.Buffer, run *analyticsv1.RfmRun) {
	cells := map[[2]int32]*analyticsv1.RfmGridCell{}
	for _, cell := range run.GetGrid() {
		cells[[2]int32{cell.GetRecency(), cell.GetFrequency()}] = cell
	}
	columns := []column{{title: "last seen"}}
	for f := 1; f <= bins; f++ {
		columns = append(columns, column{fmt.Sprintf("F%d: %s", f, frequencyRange(run.GetFrequencyEdges(), f)), true})
	}
	t := newTable(columns...)
	for r := int32(bins); r >= 1; r-- {
		counts := []string{fmt.Sprintf("R%d: %s", r, recencyRange(run.GetRecencyEdges(), int(r)))}
		values := []string{""}
		for f := int32(1); f <= bins; f++ {
			cell := cells[[2]int32{r, f}]
			if cell == nil {
				counts, values = append(counts, "–"), append(values, "")
				continue
			}
			counts, values = append(counts, show.Count(cell.GetCustomers())), append(values, show.Thousands(cell.GetMonetary()))
		}
		t.row(counts...)
		t.row(values...)
	}
	fmt.Fprintf(b, "\n")
	t.write(b)
	fmt.Fprintf(b, "\nEach cell: customers, and below them thousands of %s. Together %s customers, %s transactions, %s.\n",
		run.GetMonetary().GetCurrencyCode(), show.Count(run.GetCustomers()), show.Count(run.GetTransactions()), show.Money(run.GetMonetary()))
}

// recencyRange writes the days of a recency bin: the edges are the most days of bins 5, 4, 3 and 2.
func recencyRange(edges []int32, bin int) string {
	if len(edges) != bins-1 {
		return ""
	}
	position := bins - bin
	switch {
	case position == 0:
		return fmt.Sprintf("≤ %s days", show.Count(edges[0]))
	case position == bins-1:
		return fmt.Sprintf("> %s days", show.Count(edges[bins-2]))
	case edges[position-1] == edges[position]:
		return "nobody"
	default:
		return fmt.Sprintf("%s–%s days", show.Count(edges[position-1]+1), show.Count(edges[position]))
	}
}

// frequencyRange writes the counts of a frequency bin: the edges are the least counts of bins 2 to 5.
func frequencyRange(edges []int64, bin int) string {
	if len(edges) != bins-1 {
		return ""
	}
	switch {
	case bin == 1:
		return "< " + show.Count(edges[0])
	case bin == bins:
		return "≥ " + show.Count(edges[bins-2])
	case edges[bin-2] == edges[bin-1]:
		return "nobody"
	case edges[bin-2] == edges[bin-1]-1:
		return show.Count(edges[bin-2])
	default:
		return show.Count(edges[bin-2]) + "–" + show.Count(edges[bin-1]-1)
	}
}

// writeCells says whether a run before this one gave the same cells.
func writeCells(b *bytes.Buffer, f Fingerprint) {
	switch f.Before {
	case "":
		fmt.Fprintf(b, "Fingerprint of all cells: %s\n", f.Now)
	case f.Now:
		fmt.Fprintf(b, "Fingerprint of all cells: %s, the same as the time before.\n", f.Now)
	default:
		fmt.Fprintf(b, "Fingerprint of all cells: %s; the time before it was %s.\n", f.Now, f.Before)
	}
}
