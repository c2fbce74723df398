package cluster

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"tandem.bank/services/analytics/internal/customerfact"
)

const (
	// ruleSample is how many customers of the sample rules are found with.
	ruleSample = 10_000
	// cutsMax is how many places of a fact are tried.
	cutsMax = 24
	// gainMin is the least gain of F1 that is worth another comparison.
	gainMin = 0.01
	// cutDigits is how many digits a cut has: rules are for people.
	cutDigits = 3
)

// Comparison of a fact with a number, in a rule.
type Comparison struct {
	Fact string `json:"fact"`
	// Less: the fact is less than the cut; otherwise it is at least the cut.
	Less bool    `json:"less,omitempty"`
	Cut  float64 `json:"cut"`
	// Boolean: the fact is true or false, 1 or 0 here.
	Boolean bool `json:"boolean,omitempty"`

	column int
}

// holds says whether the comparison is true; of what is not known it is not.
func (c Comparison) holds(values []*float64) bool {
	v := values[c.column]
	return v != nil && (*v < c.Cut) == c.Less
}

// text is the comparison in the filter language.
func (c Comparison) text() string {
	if c.Boolean {
		return c.Fact + " = " + strconv.FormatBool(!c.Less)
	}
	cut := strconv.FormatFloat(c.Cut, 'f', -1, 64)
	if c.Cut < 0 {
		cut = `"` + cut + `"`
	}
	if c.Less {
		return c.Fact + " < " + cut
	}
	return c.Fact + " >= " + cut
}

// Rule is a conjunction that nearly holds a cluster.
type Rule struct {
	Comparisons []Comparison `json:"comparisons"`
	// Customers that it holds, and Hits, the members of the cluster among them.
	Customers uint64 `json:"customers"`
	Hits      uint64 `json:"hits"`
}

func (r *Rule) holds(values []*float64) bool {
	for _, c := range r.Comparisons {
		if !c.holds(values) {
			return false
		}
	}
	return true
}

// text is the rule in the filter language.
func (r *Rule) text() string {
	parts := make([]string, len(r.Comparisons))
	for i, c := range r.Comparisons {
		parts[i] = c.text()
	}
	return strings.Join(parts, " AND ")
}

// locate finds the columns of a rule that was stored.
func (r *Rule) locate(space Space) {
	for i, c := range r.Comparisons {
		r.Comparisons[i].column = slices.IndexFunc(space, func(a Axis) bool { return a.Fact == c.Fact })
	}
}

// ruleMaker finds rules.
type ruleMaker struct {
	rows [][]*float64
	of   []int // cluster of each row
	cuts []Comparison
}

// newRuleMaker takes the sample with the place of each of its customers.
func newRuleMaker(facts []*customerfact.Fact, sample [][]*float64, of []int) *ruleMaker {
	n := min(len(sample), ruleSample)
	m := &ruleMaker{rows: sample[:n], of: of[:n]}
	for j, f := range facts {
		for _, cut := range cuts(f, j, m.rows) {
			for _, less := range []bool{false, true} {
				m.cuts = append(m.cuts, Comparison{Fact: f.Name, Less: less, Cut: cut, Boolean: f.Type == customerfact.Boolean, column: j})
			}
		}
	}
	return m
}

// cuts are the places of a fact that are tried: its quantiles, rounded.
func cuts(f *customerfact.Fact, column int, rows [][]*float64) []float64 {
	if f.Type == customerfact.Boolean {
		return []float64{1}
	}
	var values []float64
	for _, row := range rows {
		if row[column] != nil {
			values = append(values, *row[column])
		}
	}
	slices.Sort(values)
	var out []float64
	for i := 1; i <= cutsMax && len(values) > 0; i++ {
		cut := rounded(values[i*(len(values)-1)/(cutsMax+1)])
		if f.Type == customerfact.Integer {
			cut = math.Ceil(cut)
		}
		out = append(out, cut)
		if next := nextAbove(values, cut); next > cut { // just above a value that many have
			if f.Type == customerfact.Integer {
				next = math.Ceil(next)
			}
			out = append(out, rounded(next))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nextAbove is halfway to the next greater value, or the cut itself when there is none.
func nextAbove(sorted []float64, cut float64) float64 {
	i, _ := slices.BinarySearch(sorted, math.Nextafter(cut, math.Inf(1)))
	if i == len(sorted) {
		return cut
	}
	return cut + (sorted[i]-cut)/2
}

// rounded keeps a few digits.
func rounded(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', cutDigits, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// find takes one comparison after the other, each the one that raises F1, the harmonic mean of precision and recall, most. It
// returns nil when none does better than saying "everybody".
func (m *ruleMaker) find(cluster, comparisonsMax int) *Rule {
	rule := &Rule{}
	held := make([]bool, len(m.rows))
	for i := range held {
		held[i] = true
	}
	best := m.f1(cluster, held, nil)
	for len(rule.Comparisons) < comparisonsMax {
		top, choice := best+gainMin, -1
		for i := range m.cuts {
			if score := m.f1(cluster, held, &m.cuts[i]); score > top {
				top, choice = score, i
			}
		}
		if choice < 0 {
			break
		}
		best = top
		taken := m.cuts[choice]
		rule.Comparisons = slices.DeleteFunc(rule.Comparisons, func(c Comparison) bool { return c.Fact == taken.Fact && c.Less == taken.Less })
		rule.Comparisons = append(rule.Comparisons, taken)
		for i, row := range m.rows {
			held[i] = held[i] && taken.holds(row)
		}
	}
	if len(rule.Comparisons) == 0 {
		return nil
	}
	return rule
}

// f1 of the rows that are held, and satisfy one comparison more.
func (m *ruleMaker) f1(cluster int, held []bool, more *Comparison) float64 {
	hits, all, members := 0, 0, 0
	for i, row := range m.rows {
		member := m.of[i] == cluster
		if member {
			members++
		}
		if held[i] && (more == nil || more.holds(row)) {
			all++
			if member {
				hits++
			}
		}
	}
	if all+members == 0 {
		return 0
	}
	return 2 * float64(hits) / float64(all+members)
}
