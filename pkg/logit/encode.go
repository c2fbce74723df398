package logit

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
)

// Value is a feature of one row: a number, NaN when it is not known, or a text, for which "" is a level like others.
type Value struct {
	Number float64
	Text   string
}

// Encoder turns a feature into columns. Exactly one of its fields is set.
type Encoder struct {
	Linear *Linear   `json:"linear,omitempty"`
	Levels *Levels   `json:"levels,omitempty"`
	Woe    *Evidence `json:"woe,omitempty"`
}

// Columns are the names of the columns of a feature.
func (e Encoder) Columns(feature string) []string {
	switch {
	case e.Levels != nil:
		return e.Levels.columns(feature)
	case e.Linear != nil:
		return e.Linear.columns(feature)
	}
	return []string{feature}
}

// Encode writes a value into its columns.
func (e Encoder) Encode(v Value, out []float64) {
	switch {
	case e.Levels != nil:
		e.Levels.encode(v.Text, out)
	case e.Linear != nil:
		e.Linear.encode(v.Number, out)
	default:
		out[0] = e.Woe.Of(v)
	}
}

// Linear takes a number as it is. Where it is not known it has the mean, and a column of its own says so.
type Linear struct {
	Mean float64 `json:"mean"`
	// Missing says that there is such a column: some row of the training had no number.
	Missing bool `json:"missing,omitempty"`
	// Low and High are the least and the greatest number of the training: what lies outside counts as the nearest of them, because
	// nothing is known of how it goes on.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// NewLinear learns from the values of the training. Without any number ErrTooLittle.
func NewLinear(values []float64) (*Linear, error) {
	l := &Linear{Low: math.Inf(1), High: math.Inf(-1)}
	known := 0.0
	for _, v := range values {
		if !finite(v) {
			l.Missing = true
			continue
		}
		known++
		l.Mean += (v - l.Mean) / known
		l.Low, l.High = min(l.Low, v), max(l.High, v)
	}
	if known == 0 {
		return nil, ErrTooLittle
	}
	return l, nil
}

func finite(v float64) bool { return math.Abs(v) <= math.MaxFloat32 }

func (l *Linear) columns(feature string) []string {
	if l.Missing {
		return []string{feature, feature + " unknown"}
	}
	return []string{feature}
}

func (l *Linear) encode(v float64, out []float64) {
	unknown := math.IsNaN(v)
	out[0] = l.Mean
	if !unknown {
		out[0] = min(max(v, l.Low), l.High)
	}
	if l.Missing {
		out[1] = 0
		if unknown {
			out[1] = 1
		}
	}
}

// Levels has one column for each level but the reference.
type Levels struct {
	Reference string   `json:"reference"`
	Others    []string `json:"others"`
}

// LevelsMax bounds the levels of a feature.
const LevelsMax = 100

// ErrTooManyLevels says that a feature has more levels than LevelsMax.
var ErrTooManyLevels = errors.New("too many levels")

// NewLevels learns the levels of the training. The reference is the one given, or the first of the alphabet; a level that
// comes later counts as the reference.
func NewLevels(values []string, reference string) (*Levels, error) {
	seen := map[string]bool{}
	for _, v := range values {
		if seen[v] = true; len(seen) > LevelsMax {
			return nil, ErrTooManyLevels
		}
	}
	all := slices.Sorted(maps.Keys(seen))
	if len(all) == 0 {
		return nil, ErrTooLittle
	}
	if reference == "" || !seen[reference] {
		reference = all[0]
	}
	return &Levels{Reference: reference, Others: slices.DeleteFunc(all, func(l string) bool { return l == reference })}, nil
}

func (l *Levels) columns(feature string) []string {
	out := make([]string, len(l.Others))
	for i, level := range l.Others {
		out[i] = feature + " = " + cmp.Or(level, "unknown")
	}
	return out
}

func (l *Levels) encode(v string, out []float64) {
	clear(out)
	if i, ok := slices.BinarySearch(l.Others, v); ok {
		out[i] = 1
	}
}
