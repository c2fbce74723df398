package rfm

import (
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/kind"
)

// Compile checks a definition of RFM as a run would; it is a definition.Compiler.
func Compile(_ context.Context, _ string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	return problems(spec.GetRfm()), nil
}

// problems are what the contract's rules do not see.
func problems(d *definitionv1.RfmDefinition) []apperr.Violation {
	var broken violations
	broken.kinds(d.GetTransactionKinds())
	broken.monetaryEdges(d.GetMonetaryEdges())
	broken.segments(d)
	return broken
}

// violations collects what is wrong with a definition.
type violations []apperr.Violation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, apperr.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

func (v *violations) kinds(kinds []string) {
	*v = append(*v, kind.Problems("transaction_kinds", kinds)...)
}

// monetaryEdges must ascend; the contract's rules can't compare decimals.
func (v *violations) monetaryEdges(edges []string) {
	var before decimal.Decimal
	for i, text := range edges {
		edge, err := decimal.NewFromString(text)
		switch field := fmt.Sprintf("monetary_edges[%d]", i); {
		case err != nil:
			v.add(field, "is not a decimal number")
		case i > 0 && edge.LessThanOrEqual(before):
			v.add(field, "must be greater than the edge before it, %s", before)
		}
		before = edge
	}
}

// segments must have different names, cells that exist, and at least one cell that no segment before them holds; together
// they must hold every cell.
func (v *violations) segments(d *definitionv1.RfmDefinition) {
	if len(d.GetSegments()) == 0 {
		return
	}
	bins := int32(BinsDefault)
	if d.GetBins() != 0 {
		bins = d.GetBins()
	}
	free, names := allCells(bins), map[string]bool{}
	for i, s := range d.GetSegments() {
		field := fmt.Sprintf("segments[%d]", i)
		if names[s.GetName()] {
			v.add(field+".name", "%q is the name of another segment", s.GetName())
		}
		names[s.GetName()] = true
		taken := 0
		for j, c := range s.GetCells() {
			if highestBin(c) > bins {
				v.add(fmt.Sprintf("%s.cells[%d]", field, j), "there is no bin above %d", bins)
			}
			taken += free.take(c, bins)
		}
		if taken == 0 {
			v.add(field+".cells", "every cell belongs to a segment before this one")
		}
	}
	if left := free.names(); len(left) > 0 {
		v.add("segments", "%d cells belong to no segment: %s", len(left), shortList(left))
	}
}

func highestBin(c *definitionv1.RfmCells) int32 {
	return max(c.GetRecencyMin(), c.GetRecencyMax(), c.GetFrequencyMin(), c.GetFrequencyMax(), c.GetMonetaryMin(), c.GetMonetaryMax())
}

// cells are those that no segment has yet, in order.
type cells []cellBins

type cellBins struct {
	r, f, m int32
	taken   bool
}

func allCells(bins int32) cells {
	var out cells
	for r := int32(1); r <= bins; r++ {
		for f := int32(1); f <= bins; f++ {
			for m := int32(1); m <= bins; m++ {
				out = append(out, cellBins{r: r, f: f, m: m})
			}
		}
	}
	return out
}

// take marks the free cells of a block, and counts them.
func (c cells) take(block *definitionv1.RfmCells, bins int32) int {
	taken := 0
	for i := range c {
		if !c[i].taken && Holds(block, c[i].r, c[i].f, c[i].m, bins) {
			c[i].taken = true
			taken++
		}
	}
	return taken
}

func (c cells) names() []string {
	var out []string
	for _, cell := range c {
		if !cell.taken {
			out = append(out, fmt.Sprintf("%d%d%d", cell.r, cell.f, cell.m))
		}
	}
	return out
}

// Holds says whether a block of cells holds one, given the number of bins.
func Holds(block *definitionv1.RfmCells, recency, frequency, monetary, bins int32) bool {
	within := func(bin, lowest, highest int32) bool {
		if highest == 0 {
			highest = bins
		}
		return bin >= lowest && bin <= highest
	}
	return within(recency, block.GetRecencyMin(), block.GetRecencyMax()) &&
		within(frequency, block.GetFrequencyMin(), block.GetFrequencyMax()) &&
		within(monetary, block.GetMonetaryMin(), block.GetMonetaryMax())
}

// shortList shows the first few names.
func shortList(names []string) string {
	const shown = 10
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:shown], ", ") + " …"
}
