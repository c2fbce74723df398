package customerfact

import (
	"fmt"
	"slices"
	"strings"
)

// Suffixes make the names of what quantiles give of that of their fact.
const (
	quantileSuffix = "_quantile"
	edgesSuffix    = "_quantile_edges"
)

// nudge is more than any rounding of a share, and far less than a customer of a bank.
const nudge = 1e-12

// Quantiles cut a number into a few classes by how many customers have less: the cut points are those of the day.
type Quantiles struct {
	// Names from low to high.
	Names []string `yaml:"names"`
	// At are the shares of customers, between 0 and 1, up to which each name but the last goes.
	At []float64 `yaml:"at"`
}

func (q *Quantiles) check(f *Fact) error {
	switch {
	case q == nil:
		return nil
	case !f.Numeric():
		return fmt.Errorf("fact %s: only numbers have quantiles", f.Name)
	case len(q.Names) < levelsMin || len(q.Names) > levelsMax || len(q.At) != len(q.Names)-1 || !slices.IsSorted(q.At):
		return fmt.Errorf("fact %s: quantiles are %d to %d names with growing shares between them", f.Name, levelsMin, levelsMax)
	case q.At[0] <= 0 || q.At[len(q.At)-1] >= 1:
		return fmt.Errorf("fact %s: a share lies between 0 and 1", f.Name)
	}
	return nil
}

// facts are the level by quantiles and its cut points.
func (q *Quantiles) facts(f *Fact) []*Fact {
	if q == nil {
		return nil
	}
	return []*Fact{
		{
			Name: f.Name + quantileSuffix, Title: f.Title + ", level by quantiles", Type: Text, Meaning: q.meaning(f), Values: q.Names, LevelOf: f,
			Known: f.Known, source: f.source, of: f, across: q.level,
		},
		{
			Name: f.Name + edgesSuffix, Title: f.Title + ", cut points of its quantiles", Type: Texts, source: f.source, of: f, across: q.edges,
			Meaning: fmt.Sprintf("Up to which %s, in %s, the levels of %s%s go on the day; the last has no end. The same for all customers.",
				f.Name, f.Unit, f.Name, quantileSuffix),
		},
	}
}

// meaning tells the shares: "lowest 20 %, then low up to 40 %, …".
func (q *Quantiles) meaning(f *Fact) string {
	classes := make([]string, len(q.Names))
	for i, name := range q.Names {
		classes[i] = name
		if i < len(q.At) {
			classes[i] += " up to " + decimal(100*q.At[i]) + " %"
		}
	}
	return fmt.Sprintf("Level of %s among all customers of the day who have one: %s of them. Those who are alike are in the same level, the lowest "+
		"that one of them is in.", f.Name, strings.Join(classes, ", "))
}

// cuts are the greatest values of all levels but the last, as an array: of n customers with a value, the value at place ⌈n · share⌉ from
// the least. quantilesExact takes the element behind ⌊level · n⌋ others: counted from the greatest, that is this one.
//
// A nudge keeps what is rounded in 1 − share, and in its product with n, from moving a cut point that falls on a whole place.
func (q *Quantiles) cuts(b *builder, f *Fact) string {
	levels := make([]string, len(q.At))
	for i, share := range q.At {
		levels[i] = decimal(1 - share + nudge)
	}
	everybody := builder{catalogue: b.catalogue, moment: b.moment, parameters: b.parameters, kept: b.kept}
	return fmt.Sprintf("(SELECT arrayMap(value -> -value, quantilesExact(%s)(-everybody.%s)) FROM %s AS everybody)",
		strings.Join(levels, ", "), quote(f.Name), everybody.table([]*Fact{f}))
}

// level is the name of the level that a value lies in; empty for an unknown one.
func (q *Quantiles) level(b *builder, f *Fact, value string) string {
	cuts := q.cuts(b, f)
	parts := []string{"isNull(" + value + ")", "''"}
	for i := range q.At {
		parts = append(parts, fmt.Sprintf("%s <= %s[%d]", value, cuts, i+1), "'"+q.Names[i]+"'")
	}
	return "multiIf(" + strings.Join(append(parts, "'"+q.Names[len(q.At)]+"'"), ", ") + ")"
}

// edges are the cut points as texts.
func (q *Quantiles) edges(b *builder, f *Fact, _ string) string {
	return "arrayMap(cut -> toString(cut), " + q.cuts(b, f) + ")"
}
