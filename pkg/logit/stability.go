package logit

import (
	"math"
	"slices"
	"sort"
)

// Stability knows how something was distributed when a model was trained, and says how far it has moved since: the population
// stability index Σ (now − then)·ln(now / then) over bins (Siddiqi, "Credit Risk Scorecards", 2006, chapter 9). By his rule
// less than 0.1 is no change, 0.25 and more is a great one.
type Stability struct {
	// Edges are the upper edges of all bins but the last; a bin has its edge.
	Edges []float64 `json:"edges"`
	// Shares of the rows by bin when the model was trained; one more than edges, and they add up to 1.
	Shares []float64 `json:"shares"`
}

// stabilityBins is how many bins a distribution has, when it has as many values.
const stabilityBins = 10

// shareMin stands for an empty bin, whose logarithm would be infinite.
const shareMin = 1e-4

// NewStability bins values that are sorted.
func NewStability(sorted []float64) Stability {
	var s Stability
	for i := 1; i < stabilityBins && len(sorted) > 0; i++ {
		edge := sorted[i*len(sorted)/stabilityBins]
		if (len(s.Edges) == 0 || edge > s.Edges[len(s.Edges)-1]) && edge < sorted[len(sorted)-1] {
			s.Edges = append(s.Edges, edge)
		}
	}
	counts := s.Count(slices.Values(sorted))
	s.Shares = make([]float64, len(counts))
	for i, n := range counts {
		s.Shares[i] = float64(n) / float64(max(len(sorted), 1))
	}
	return s
}

// Bin is the place of a value's bin.
func (s Stability) Bin(v float64) int { return sort.SearchFloat64s(s.Edges, v) }

// Count counts values by bin.
func (s Stability) Count(values func(yield func(float64) bool)) []int {
	counts := make([]int, len(s.Edges)+1)
	for v := range values {
		counts[s.Bin(v)]++
	}
	return counts
}

// Index is the population stability index of what was counted by bin now; 0 when nothing was.
func (s Stability) Index(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	if total == 0 || len(counts) != len(s.Shares) {
		return 0
	}
	index := 0.0
	for i, n := range counts {
		now, then := max(float64(n)/float64(total), shareMin), max(s.Shares[i], shareMin)
		index += (now - then) * math.Log(now/then)
	}
	return index
}
