// Package report answers questions to the warehouse: measures by dimensions, out of one semantic catalogue.
//
// A question is resolved against the catalogue (plan.go), written as one statement (scan.go, cell.go, answer.go), and its rows
// are streamed. Every name in a statement comes out of the catalogue; every value of the caller is bound.
package report

import (
	"bytes"
	_ "embed" // the catalogue
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue.yaml
var catalogueYAML []byte

// Catalogue is the file catalogue.yaml, read and checked. Its head explains the fields.
type Catalogue struct {
	Lookups     []*Lookup    `yaml:"lookups"`
	Facts       []*Fact      `yaml:"facts"`
	Dimensions  []*Dimension `yaml:"dimensions"`
	Hierarchies []*Hierarchy `yaml:"hierarchies"`
	Measures    []*Measure   `yaml:"measures"`

	database string
}

// Lookup is a table with one row for each key.
type Lookup struct {
	Name  string `yaml:"name"`
	Table string `yaml:"table"`
	Key   string `yaml:"key"`
	// Direct are columns that are found without a join: expressions in which {key} stands for the key.
	Direct map[string]string `yaml:"direct"`
}

// direct is a column of the row with a key, without a join; empty where there is no such way.
func (l *Lookup) direct(column, key string) string {
	return strings.ReplaceAll(l.Direct[column], keyMark, key)
}

// Fact is a table of what happened or what is.
type Fact struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	View        string `yaml:"view"`
	// Day is the column of the business date; DayType is Date or Date32.
	Day     string `yaml:"day"`
	DayType string `yaml:"day_type"`
	// Over says what rows mean for a moment: flow (they happened on their day), last (each is the value of an entity from its
	// day on), snapshot (all rows of one day are one picture), interval (each is true from Day until before Until).
	Over   string `yaml:"over"`
	Entity string `yaml:"entity"`
	Until  string `yaml:"until"`
	// Source is where the last rows are picked from; of last only.
	Source *Source `yaml:"source"`
	// Pictures has the days of a snapshot's pictures, in the column day.
	Pictures string `yaml:"pictures"`
	// Currency is the column of the currency in which amounts were stated.
	Currency string `yaml:"currency"`
	// Where says which rows of the view are rows of the fact; empty for all.
	Where string `yaml:"where"`
	// Lookups tells by which column of the fact a lookup is reached.
	Lookups map[string]string `yaml:"lookups"`
	// Columns holds dimensions that the fact has itself.
	Columns map[string]string `yaml:"columns"`
	// Details are what is told of single rows behind a cell.
	Details []Detail `yaml:"details"`
}

// Source has what the last row of each entity is picked from, with the columns entity and day of the fact.
type Source struct {
	Table string `yaml:"table"`
	// Order is the column whose greatest value the last row has, and Values are the columns taken of it.
	Order  string   `yaml:"order"`
	Values []string `yaml:"values"`
	// Derived are columns of the view that follow from the others.
	Derived map[string]string `yaml:"derived"`
}

// columns are some columns of the fact as expressions.
func (s *Source) columns(names []string) []string {
	out := slices.Clone(names)
	for i, name := range names {
		if sql := s.Derived[name]; sql != "" {
			out[i] = sql + " AS " + name
		}
	}
	return out
}

// rows is where the fact's rows are, at least with their days.
func (f *Fact) rows() string {
	if f.Source != nil {
		return f.Source.Table
	}
	return f.View
}

// Detail is a column of the rows behind a cell.
type Detail struct {
	Name string `yaml:"name"`
	SQL  string `yaml:"sql"`
}

// Dimension is something that facts are seen by.
type Dimension struct {
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	// Type of the values: id, text, integer.
	Type string `yaml:"type"`
	// Lookup and Column reach the dimension where a fact does not have it itself.
	Lookup string `yaml:"lookup"`
	Column string `yaml:"column"`
	// Members is a column of the lookup that holds many values: filters ask for one of them.
	Members string `yaml:"members"`
	// Label is where the title of an id stands.
	Label *Label `yaml:"label"`
	// Grain is set in dimensions of time: year, quarter, month, week, day.
	Grain string `yaml:"grain"`
}

// Label is a column of a lookup whose key is the id.
type Label struct {
	Lookup string `yaml:"lookup"`
	Column string `yaml:"column"`
}

// Hierarchy is a way from coarse to fine.
type Hierarchy struct {
	Name   string   `yaml:"name"`
	Title  string   `yaml:"title"`
	Levels []string `yaml:"levels"`
}

// Measure is something that is counted.
type Measure struct {
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	Unit        string `yaml:"unit"`
	Fact        string `yaml:"fact"`
	// Aggregate is sum, count or distinct.
	Aggregate string `yaml:"aggregate"`
	// Value is what is summed up, or what is told apart.
	Value string `yaml:"value"`
	// Stated is Value in the currency in which it was stated.
	Stated string `yaml:"stated"`
	// Where says which rows count.
	Where string `yaml:"where"`
	// RatioOf holds two measures, the first divided by the second.
	RatioOf []string `yaml:"ratio_of"`
}

// Kinds of measures and of facts, and units, as the file writes them.
const (
	overFlow     = "flow"
	overLast     = "last"
	overSnapshot = "snapshot"
	overInterval = "interval"

	aggregateSum      = "sum"
	aggregateCount    = "count"
	aggregateDistinct = "distinct"

	unitMoney = "money"
	unitCount = "count"

	typeID      = "id"
	typeText    = "text"
	typeInteger = "integer"

	dimensionBranch = "branch"
)

// Marks in the catalogue: of the database of the star schema, and of the key that a lookup is asked for.
const (
	databaseMark = "{bi}"
	keyMark      = "{key}"
)

// Builtin is the catalogue of this program over the star schema in a database.
func Builtin(database string) (*Catalogue, error) { return ParseCatalogue(catalogueYAML, database) }

// ParseCatalogue reads a catalogue and names everything that is wrong in it.
func ParseCatalogue(text []byte, database string) (*Catalogue, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.ReplaceAll(text, []byte(databaseMark), []byte(database))))
	decoder.KnownFields(true)
	c := &Catalogue{database: database}
	if err := decoder.Decode(c); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return c, nil
}

// Names stand in statements, so they hold nothing but these characters.
var (
	namePattern   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	columnPattern = regexp.MustCompile(`\bf\.([a-z_][a-z0-9_]*)`)
)

func (c *Catalogue) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := map[string]bool{}
	unique := func(kind, name string) {
		if !namePattern.MatchString(name) || names[kind+name] {
			fail("%s %q: a name is lower case letters, digits and _, and stands once", kind, name)
		}
		names[kind+name] = true
	}
	for _, l := range c.Lookups {
		unique("lookup", l.Name)
	}
	for _, f := range c.Facts {
		unique("fact", f.Name)
		c.checkFact(f, fail)
	}
	for _, d := range c.Dimensions {
		unique("dimension", d.Name)
		c.checkDimension(d, fail)
	}
	for _, h := range c.Hierarchies {
		for _, level := range h.Levels {
			if c.Dimension(level) == nil {
				fail("hierarchy %s: no dimension %s", h.Name, level)
			}
		}
	}
	for _, m := range c.Measures {
		unique("measure", m.Name)
		c.checkMeasure(m, fail)
	}
	return errors.Join(errs...)
}

func (c *Catalogue) checkFact(f *Fact, fail func(string, ...any)) {
	switch {
	case f.View == "" || f.Day == "" || f.Description == "" || len(f.Details) == 0:
		fail("fact %s: view, day, description and details are required", f.Name)
	case f.DayType != "Date" && f.DayType != "Date32":
		fail("fact %s: day_type must be Date or Date32", f.Name)
	case !slices.Contains([]string{overFlow, overLast, overSnapshot, overInterval}, f.Over):
		fail("fact %s: over must be flow, last, snapshot or interval", f.Name)
	case f.Over == overLast && !columnPattern.MatchString(f.Entity):
		fail("fact %s: entity must be a column of the fact", f.Name)
	case (f.Over == overLast) != (f.Source != nil):
		fail("fact %s: last values have a source, and others have none", f.Name)
	case (f.Over == overInterval) != (f.Until != ""), (f.Over == overSnapshot) != (f.Pictures != ""):
		fail("fact %s: intervals have until, snapshots have pictures, and others have none of them", f.Name)
	}
	c.checkReach(f, fail)
}

func (c *Catalogue) checkReach(f *Fact, fail func(string, ...any)) {
	for name := range f.Lookups {
		if c.lookup(name) == nil {
			fail("fact %s: no lookup %s", f.Name, name)
		}
	}
	for name := range f.Columns {
		if c.Dimension(name) == nil {
			fail("fact %s: no dimension %s", f.Name, name)
		}
	}
}

func (c *Catalogue) checkDimension(d *Dimension, fail func(string, ...any)) {
	if d.Title == "" || d.Description == "" {
		fail("dimension %s: title and description are required", d.Name)
	}
	if d.Grain != "" {
		if grainNames[d.Grain] == 0 {
			fail("dimension %s: no grain %s", d.Name, d.Grain)
		}
		return
	}
	if _, known := columnTypes[d.Type]; !known {
		fail("dimension %s: type must be id, text or integer", d.Name)
	}
	if d.Lookup != "" && (c.lookup(d.Lookup) == nil || d.Column == "") {
		fail("dimension %s: no lookup %s, or no column of it", d.Name, d.Lookup)
	}
	if (d.Type == typeID) != (d.Label != nil) || d.Label != nil && c.label(d, keyMark) == "" {
		fail("dimension %s: an id has a label among the direct columns of a lookup, and nothing else has", d.Name)
	}
}

func (c *Catalogue) checkMeasure(m *Measure, fail func(string, ...any)) {
	if m.Title == "" || m.Description == "" || m.Unit == "" {
		fail("measure %s: title, description and unit are required", m.Name)
	}
	if len(m.RatioOf) > 0 {
		for _, name := range m.RatioOf {
			if of := c.Measure(name); of == nil || len(of.RatioOf) > 0 || len(m.RatioOf) != 2 {
				fail("measure %s: ratio_of needs two measures that are no ratios", m.Name)
			}
		}
		return
	}
	if c.Fact(m.Fact) == nil {
		fail("measure %s: no fact %s", m.Name, m.Fact)
	}
	switch {
	case !slices.Contains([]string{aggregateSum, aggregateCount, aggregateDistinct}, m.Aggregate):
		fail("measure %s: aggregate must be sum, count or distinct", m.Name)
	case (m.Aggregate == aggregateCount) != (m.Value == ""):
		fail("measure %s: sum and distinct have a value, count has none", m.Name)
	case m.Unit == unitMoney && m.Aggregate != aggregateSum, m.Unit == unitCount && m.Aggregate == aggregateSum:
		fail("measure %s: money is a sum, and a count is none", m.Name)
	}
}

func find[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// Measure finds a measure by its name; nil when there is none.
func (c *Catalogue) Measure(name string) *Measure {
	return find(c.Measures, func(m *Measure) bool { return m.Name == name })
}

// Dimension finds a dimension by its name; nil when there is none.
func (c *Catalogue) Dimension(name string) *Dimension {
	return find(c.Dimensions, func(d *Dimension) bool { return d.Name == name })
}

// Fact finds a fact by its name; nil when there is none.
func (c *Catalogue) Fact(name string) *Fact {
	return find(c.Facts, func(f *Fact) bool { return f.Name == name })
}

func (c *Catalogue) lookup(name string) *Lookup {
	return find(c.Lookups, func(l *Lookup) bool { return l.Name == name })
}

// label is the title of a dimension's id; empty for a dimension that has none.
func (c *Catalogue) label(d *Dimension, id string) string {
	if d == nil || d.Label == nil || c.lookup(d.Label.Lookup) == nil {
		return ""
	}
	return c.lookup(d.Label.Lookup).direct(d.Label.Column, id)
}

// parts are the measures that are computed from facts: of a ratio its two, of another measure itself.
func (c *Catalogue) parts(m *Measure) []*Measure {
	if len(m.RatioOf) == 0 {
		return []*Measure{m}
	}
	return []*Measure{c.Measure(m.RatioOf[0]), c.Measure(m.RatioOf[1])}
}

// has reports whether a fact can be seen by a dimension.
func (f *Fact) has(d *Dimension) bool {
	return d.Grain != "" || f.Columns[d.Name] != "" || d.Lookup != "" && f.Lookups[d.Lookup] != ""
}

// dimensionsOf lists the dimensions that a measure can be seen by.
func (c *Catalogue) dimensionsOf(m *Measure) []string {
	var names []string
	for _, d := range c.Dimensions {
		if !slices.ContainsFunc(c.parts(m), func(of *Measure) bool { return !c.Fact(of.Fact).has(d) }) {
			names = append(names, d.Name)
		}
	}
	return names
}

// finer is the next level under a dimension in the first hierarchy that has it; nil at the end.
func (c *Catalogue) finer(name string) *Dimension {
	for _, h := range c.Hierarchies {
		if i := slices.Index(h.Levels, name); i >= 0 && i+1 < len(h.Levels) {
			return c.Dimension(h.Levels[i+1])
		}
	}
	return nil
}
