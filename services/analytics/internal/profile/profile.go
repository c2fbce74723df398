// Package profile places customers in a bank's profile scheme: how attractive they are, how good the interaction with them
// is, and how risky they are, each axis a weighted mean of points that facts give, cut into levels; the levels together name
// a cell, and the cell says what the bank does with them.
//
// Everything is computed inside ClickHouse by one statement; only sums and single customers pass through this program.
package profile

import (
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/population"
)

// axis is one of the three, with the name of its field.
type axis struct {
	name string
	*definitionv1.ProfileAxis
}

// axes of a scheme in the order in which all tables have them.
func axes(d *definitionv1.ProfileSchemeDefinition) [3]axis {
	return [3]axis{{"attractiveness", d.GetAttractiveness()}, {"interaction", d.GetInteraction()}, {"risk", d.GetRisk()}}
}

// levels are the names of an axis's levels, from low to high.
func (a axis) levels() []string {
	out := make([]string, len(a.GetLevels()))
	for i, l := range a.GetLevels() {
		out[i] = l.GetName()
	}
	return out
}

// holds says whether a cell takes a level of each axis.
func holds(cell *definitionv1.ProfileCell, levels [3]string) bool {
	for i, wanted := range [3][]string{cell.GetAttractiveness(), cell.GetInteraction(), cell.GetRisk()} {
		if len(wanted) > 0 && !slices.Contains(wanted, levels[i]) {
			return false
		}
	}
	return true
}

// combination is a level of each axis, by number from 1 and by name.
type combination struct {
	code  uint16
	names [3]string
	// cell is the first that holds it; empty when none does.
	cell string
}

// combinations are all there are.
func combinations(d *definitionv1.ProfileSchemeDefinition) []combination {
	of := axes(d)
	var out []combination
	for i, attractiveness := range of[0].levels() {
		for j, interaction := range of[1].levels() {
			for k, risk := range of[2].levels() {
				c := combination{code: uint16(100*(i+1) + 10*(j+1) + k + 1), names: [3]string{attractiveness, interaction, risk}}
				if at := slices.IndexFunc(d.GetCells(), func(cell *definitionv1.ProfileCell) bool { return holds(cell, c.names) }); at >= 0 {
					c.cell = d.GetCells()[at].GetName()
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// violations collects what is wrong with a scheme.
type violations []apperr.Violation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, apperr.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// problems are what the contract's rules do not see, but for the filter.
func problems(catalogue *customerfact.Catalogue, d *definitionv1.ProfileSchemeDefinition) []apperr.Violation {
	var broken violations
	for _, a := range axes(d) {
		for i, m := range a.GetMeasures() {
			broken.measure(catalogue, fmt.Sprintf("%s.measures[%d]", a.name, i), m)
		}
		broken.levels(a)
	}
	broken.cells(d)
	return broken
}

// measure wants bands of a number and words of a text.
func (v *violations) measure(catalogue *customerfact.Catalogue, field string, m *definitionv1.ProfileMeasure) {
	f, known := catalogue.Fact(m.GetFact())
	switch {
	case !known:
		v.add(field+".fact", "%s", population.Unknown(catalogue, m.GetFact()))
		return
	case f.Type == customerfact.Date:
		v.add(field+".fact", "%q is a day; take a fact that counts days or months", m.GetFact())
	case numeric(f) && len(m.GetBands()) == 0:
		v.add(field+".words", "%q is a number: give it bands", m.GetFact())
	case !numeric(f) && len(m.GetWords()) == 0:
		v.add(field+".bands", "%q is a text: give it words", m.GetFact())
	}
	for i := 1; i < len(m.GetBands()); i++ {
		if m.GetBands()[i].GetFrom() <= m.GetBands()[i-1].GetFrom() {
			v.add(fmt.Sprintf("%s.bands[%d].from", field, i), "must be greater than that of the band before it, %v", m.GetBands()[i-1].GetFrom())
		}
	}
	seen := map[string]bool{}
	for i, w := range m.GetWords() {
		at := fmt.Sprintf("%s.words[%d].word", field, i)
		if seen[w.GetWord()] {
			v.add(at, "%q stands twice", w.GetWord())
		}
		seen[w.GetWord()] = true
		if len(f.Values) > 0 && !slices.Contains(f.Values, w.GetWord()) {
			v.add(at, "%q is no value of %s; it has %s", w.GetWord(), f.Name, strings.Join(f.Values, ", "))
		}
	}
}

// numeric says whether a fact gives points by bands: a number, or what is true (1) or false (0).
func numeric(f *customerfact.Fact) bool { return f.Numeric() || f.Type == customerfact.Boolean }

func (v *violations) levels(a axis) {
	seen := map[string]bool{}
	for i, l := range a.GetLevels() {
		field := fmt.Sprintf("%s.levels[%d]", a.name, i)
		if seen[l.GetName()] {
			v.add(field+".name", "%q is the name of another level", l.GetName())
		}
		seen[l.GetName()] = true
		switch {
		case i == 0 && l.GetFrom() != 0:
			v.add(field+".from", "the lowest level begins at 0")
		case i > 0 && l.GetFrom() <= a.GetLevels()[i-1].GetFrom():
			v.add(field+".from", "must be greater than that of the level before it, %v", a.GetLevels()[i-1].GetFrom())
		}
	}
}

// cells must have different names and known levels, each must hold a combination that none before it holds, and together
// they must hold all.
func (v *violations) cells(d *definitionv1.ProfileSchemeDefinition) {
	of, all, names := axes(d), combinations(d), map[string]bool{}
	for i, cell := range d.GetCells() {
		field := fmt.Sprintf("cells[%d]", i)
		if names[cell.GetName()] {
			v.add(field+".name", "%q is the name of another cell", cell.GetName())
			continue
		}
		names[cell.GetName()] = true
		known := true
		for j, wanted := range [3][]string{cell.GetAttractiveness(), cell.GetInteraction(), cell.GetRisk()} {
			for k, level := range wanted {
				if !slices.Contains(of[j].levels(), level) {
					known = false
					v.add(fmt.Sprintf("%s.%s[%d]", field, of[j].name, k), "%q is no level of %s%s", level, of[j].name, hint(level, of[j].levels()))
				}
			}
		}
		if known && !slices.ContainsFunc(all, func(c combination) bool { return c.cell == cell.GetName() }) {
			v.add(field, "every combination of levels that it holds belongs to a cell before it")
		}
	}
	for _, c := range all {
		if c.cell == "" {
			v.add("cells", "none holds the combination %s", strings.Join(c.names[:], ", "))
			return
		}
	}
}

func hint(wrong string, names []string) string {
	if like := filter.Nearest(wrong, names); like != "" {
		return fmt.Sprintf("; did you mean %q?", like)
	}
	return "; there are " + strings.Join(names, ", ")
}
