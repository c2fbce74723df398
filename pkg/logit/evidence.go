package logit

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// Evidence replaces a feature by the weight of evidence of its bin, ln(share of all events / share of all others): what the
// bin adds to the log-odds by itself (Good, "Probability and the Weighing of Evidence", 1950; bins as in Siddiqi, "Credit Risk
// Scorecards", 2006, chapter 6). Numbers are cut at quantiles, and neighbours that differ least are merged; levels are bins by
// themselves, rare ones together. Numbers that are not known are a bin of their own.
type Evidence struct {
	// Edges are the upper edges of all bins of numbers but the last; a bin has its edge.
	Edges []float64 `json:"edges,omitempty"`
	// Levels are the levels of texts that have bins, sorted; all others are in the last bin.
	Levels []string `json:"levels,omitempty"`
	// Bins: of numbers from the lowest, or by level; then the one of the rest: unknown numbers, rare and new levels.
	Bins []EvidenceBin `json:"bins"`
	// Information is the information value Σ (share of events − share of others)·weight (Kullback, "Information Theory and
	// Statistics", 1959, chapter 1: the divergence).
	Information float64 `json:"information"`
	// Text says that the feature is a text.
	Text bool `json:"text,omitempty"`
}

// EvidenceBin is one bin.
type EvidenceBin struct {
	Events int     `json:"events"`
	Others int     `json:"others"`
	Weight float64 `json:"weight"`
}

const (
	// fineBins is how many bins numbers have before they are merged.
	fineBins = 20
	// EvidenceBinsMax is the number of bins of numbers when none is given.
	EvidenceBinsMax = 6
	// evidenceShareMin is the least part of the rows that a bin must have.
	evidenceShareMin = 0.05
)

// NewNumberEvidence bins numbers, NaN where none is known, into at most binsMax; 0 means EvidenceBinsMax.
func NewNumberEvidence(values []float64, events []bool, binsMax int) (*Evidence, error) {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(sorted) == 0 {
		return nil, ErrTooLittle
	}
	slices.Sort(sorted)
	e := &Evidence{}
	for i := 1; i < fineBins; i++ {
		edge := sorted[i*len(sorted)/fineBins]
		if (len(e.Edges) == 0 || edge > e.Edges[len(e.Edges)-1]) && edge < sorted[len(sorted)-1] {
			e.Edges = append(e.Edges, edge)
		}
	}
	e.Bins = make([]EvidenceBin, len(e.Edges)+2)
	for i, v := range values {
		e.Bins[e.numberBin(v)].add(events[i])
	}
	e.merge(cmp.Or(binsMax, EvidenceBinsMax), int(evidenceShareMin*float64(len(sorted))))
	return e, e.weigh()
}

// NewLevelEvidence gives a bin to each level that has a twentieth of the rows.
func NewLevelEvidence(values []string, events []bool) (*Evidence, error) {
	counts := map[string]int{}
	for _, v := range values {
		counts[v]++
	}
	e := &Evidence{Text: true}
	for level, n := range counts {
		if float64(n) >= evidenceShareMin*float64(len(values)) {
			e.Levels = append(e.Levels, level)
		}
	}
	slices.Sort(e.Levels)
	e.Bins = make([]EvidenceBin, len(e.Levels)+1)
	for i, v := range values {
		e.Bins[e.levelBin(v)].add(events[i])
	}
	return e, e.weigh()
}

func (b *EvidenceBin) add(event bool) {
	if event {
		b.Events++
	} else {
		b.Others++
	}
}

func (b EvidenceBin) rows() int { return b.Events + b.Others }

// Place is the bin of a value.
func (e *Evidence) Place(v Value) int {
	if e.Text {
		return e.levelBin(v.Text)
	}
	return e.numberBin(v.Number)
}

// Of is the weight of a value.
func (e *Evidence) Of(v Value) float64 { return e.Bins[e.Place(v)].Weight }

func (e *Evidence) numberBin(v float64) int {
	if math.IsNaN(v) {
		return len(e.Edges) + 1
	}
	return sort.SearchFloat64s(e.Edges, v)
}

func (e *Evidence) levelBin(v string) int {
	if i, ok := slices.BinarySearch(e.Levels, v); ok {
		return i
	}
	return len(e.Levels)
}

// merge joins neighbours until there are few bins, each with enough rows, events and others: of all pairs the one that loses
// the least information.
func (e *Evidence) merge(binsMax, rowsMin int) {
	for len(e.Edges) > 0 {
		at, least := -1, math.Inf(1)
		small := e.small(rowsMin)
		if small < 0 && len(e.Edges)+1 <= binsMax {
			return
		}
		for i := range e.Edges {
			if small >= 0 && i != small && i+1 != small {
				continue
			}
			if lost := e.loss(i); lost < least {
				at, least = i, lost
			}
		}
		e.Bins[at].Events += e.Bins[at+1].Events
		e.Bins[at].Others += e.Bins[at+1].Others
		e.Bins = slices.Delete(e.Bins, at+1, at+2)
		e.Edges = slices.Delete(e.Edges, at, at+1)
	}
}

// small is the first bin of numbers that has too few rows, or rows of one outcome only; −1 when there is none.
func (e *Evidence) small(rowsMin int) int {
	return slices.IndexFunc(e.Bins[:len(e.Edges)+1], func(b EvidenceBin) bool {
		return b.rows() < rowsMin || b.Events == 0 || b.Others == 0
	})
}

// loss is the information that goes when bins i and i + 1 become one, up to a factor that is the same for all.
func (e *Evidence) loss(i int) float64 {
	a, b := e.Bins[i], e.Bins[i+1]
	both := EvidenceBin{Events: a.Events + b.Events, Others: a.Others + b.Others}
	return a.entropyGain() + b.entropyGain() - both.entropyGain()
}

// entropyGain is the log-likelihood of a bin's rows by the bin's own share.
func (b EvidenceBin) entropyGain() float64 { return nullLogLikelihood(max(b.rows(), 1), b.Events) }

// weigh computes the weights. Half a row is added to each outcome of a bin, so that one that a bin lacks is not infinite.
func (e *Evidence) weigh() error {
	var events, others float64
	for _, b := range e.Bins {
		events, others = events+float64(b.Events), others+float64(b.Others)
	}
	if events == 0 || others == 0 {
		return ErrTooLittle
	}
	e.Information = 0
	for i := range e.Bins {
		b := &e.Bins[i]
		if b.rows() == 0 {
			continue
		}
		had, had0 := (float64(b.Events)+0.5)/(events+0.5), (float64(b.Others)+0.5)/(others+0.5)
		b.Weight = math.Log(had / had0)
		e.Information += (had - had0) * b.Weight
	}
	return nil
}
