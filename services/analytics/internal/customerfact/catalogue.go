package customerfact

import (
	"bytes"
	_ "embed" // the catalogue
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
)

//go:embed facts.yaml
var factsYAML []byte

// levelSuffix makes the name of a level of that of its fact.
const levelSuffix = "_level"

// levelsMin and levelsMax bound the classes of a level.
const (
	levelsMin = 3
	levelsMax = 5
)

// base is the source that every customer has one row in.
const base = "customer"

// Catalogue is the file facts.yaml, read and checked, and the attributes that the bank defined. Its head explains the fields.
type Catalogue struct {
	facts  []*Fact
	byName map[string]*Fact
	tables map[string]string
	// maps hold the values of the bank's own attributes, which facts of them are derived from.
	maps []*Fact
}

// file is facts.yaml as it is written.
type file struct {
	Tables []struct {
		Name string `yaml:"name"`
		SQL  string `yaml:"sql"`
	} `yaml:"tables"`
	Sources []*source `yaml:"sources"`
	Facts   []*Fact   `yaml:"facts"`
}

// source is a SELECT that computes facts.
type source struct {
	Name     string    `yaml:"name"`
	From     string    `yaml:"from"`
	Customer string    `yaml:"customer"`
	Group    bool      `yaml:"group"`
	Fresh    Freshness `yaml:"fresh"`
	Empty    bool      `yaml:"empty"`
}

// kept reports whether facts of the source are kept in customer_fact. Those of runs are not: their tables lie by customer already.
func (s *source) kept() bool { return s.Fresh != EachRun }

// builtin is the catalogue of this program, without attributes.
func builtin() (*Catalogue, error) { return parse(factsYAML) }

// parse reads a catalogue and names everything that is wrong in it.
func parse(text []byte) (*Catalogue, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var read file
	if err := decoder.Decode(&read); err != nil {
		return nil, fmt.Errorf("customer facts: %w", err)
	}
	c := &Catalogue{byName: map[string]*Fact{}, tables: map[string]string{}}
	var errs []error
	for _, t := range read.Tables {
		c.tables[t.Name] = t.SQL
	}
	sources := map[string]*source{}
	for _, s := range read.Sources {
		sources[s.Name] = s
		errs = append(errs, c.checkSQL("source "+s.Name, s.From), s.check())
	}
	for _, f := range read.Facts {
		f.source = sources[f.Source]
		errs = append(errs, f.check(), c.checkSQL("fact "+f.Name, f.SQL), c.add(f))
	}
	for _, t := range read.Tables {
		errs = append(errs, c.checkSQL("table "+t.Name, t.SQL))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("customer facts: %w", err)
	}
	for _, m := range attributeMaps {
		c.maps = append(c.maps, &Fact{Name: m.name, SQL: "r." + m.name, column: m.column, Known: true, source: sources[base]})
	}
	return c, nil
}

// Names stand in statements, so they hold nothing but these characters.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func (s *source) check() error {
	if !namePattern.MatchString(s.Name) || s.Customer == "" || !slices.Contains([]Freshness{OnChange, EachDay, EachRun}, s.Fresh) {
		return fmt.Errorf("source %s: a plain name, customer and fresh (change, day or run) are required", s.Name)
	}
	return nil
}

var types = []Type{Text, Texts, Integer, Decimal, Number, Date, Boolean}

func (f *Fact) check() error {
	switch {
	case !namePattern.MatchString(f.Name):
		return fmt.Errorf("fact %q: a name is lower case letters, digits and _", f.Name)
	case f.source == nil:
		return fmt.Errorf("fact %s: no source %s", f.Name, f.Source)
	case f.Title == "" || f.Meaning == "" || f.SQL == "" || !slices.Contains(types, f.Type):
		return fmt.Errorf("fact %s: title, meaning, sql and a known type are required", f.Name)
	case f.Levels != nil && !f.Numeric():
		return fmt.Errorf("fact %s: only numbers have levels", f.Name)
	case f.Numeric() && f.Unit == "" && !strings.HasSuffix(f.Name, "_id"):
		return fmt.Errorf("fact %s: a number has a unit", f.Name)
	}
	f.Known = f.source.Empty && f.Type != Text && f.Type != Texts
	if f.KnownStated != nil {
		f.Known = *f.KnownStated
	}
	return errors.Join(f.Levels.check(f.Name), f.Quantiles.check(f))
}

func (l *Levels) check(fact string) error {
	if l == nil {
		return nil
	}
	if len(l.Names) < levelsMin || len(l.Names) > levelsMax || len(l.Edges) != len(l.Names)-1 || !slices.IsSorted(l.Edges) {
		return fmt.Errorf("fact %s: levels are %d to %d names with growing edges between them", fact, levelsMin, levelsMax)
	}
	return nil
}

// marks are what may stand in braces beside tables, and whether a column follows.
var marks = map[string]bool{"day": false, "end": false, "known": true, "among": true, "rate": true}

// checkSQL wants every mark of a piece of SQL to be known.
func (c *Catalogue) checkSQL(where, sql string) error {
	for _, mark := range markPattern.FindAllStringSubmatch(sql, -1) {
		_, table := c.tables[mark[1]]
		_, record := records[mark[1]]
		column, special := marks[mark[1]]
		if !special && !table && !record || column != (mark[2] != "") {
			return fmt.Errorf("%s: %s is no table of records", where, mark[0])
		}
	}
	return nil
}

// add takes a fact in, and its levels.
func (c *Catalogue) add(f *Fact) error {
	if c.byName[f.Name] != nil {
		return fmt.Errorf("fact %s stands twice", f.Name)
	}
	c.facts, c.byName[f.Name] = append(c.facts, f), f
	for _, derived := range f.Quantiles.facts(f) {
		if err := c.add(derived); err != nil {
			return err
		}
	}
	if f.Levels == nil {
		return nil
	}
	return c.add(&Fact{
		Name: f.Name + levelSuffix, Title: f.Title + ", level", Type: Text, Meaning: f.Levels.meaning(f), Values: f.Levels.Names,
		LevelOf: f, Known: f.Known, source: f.source, of: f, derive: f.Levels.sql,
	})
}

// meaning tells the edges: "low below 10, middle from 10, high from 100 EUR".
func (l *Levels) meaning(f *Fact) string {
	classes := []string{l.Names[0] + " below " + decimal(l.Edges[0])}
	for i, edge := range l.Edges {
		classes = append(classes, l.Names[i+1]+" from "+decimal(edge))
	}
	return fmt.Sprintf("Level of %s: %s %s.", f.Name, strings.Join(classes, ", "), f.Unit)
}

// decimal writes a number without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// Facts are all facts in the order of the file, each followed by its levels; attributes come last.
func (c *Catalogue) Facts() []*Fact { return slices.Clone(c.facts) }

// Fact finds a fact by its name.
func (c *Catalogue) Fact(name string) (*Fact, bool) {
	f, ok := c.byName[name]
	return f, ok
}

// Names are those of all facts.
func (c *Catalogue) Names() []string {
	names := make([]string, len(c.facts))
	for i, f := range c.facts {
		names[i] = f.Name
	}
	return names
}

// Schema is what filters over a Source may name; columns are f.<fact>.
func (c *Catalogue) Schema() filter.Schema {
	schema := filter.Schema{{Name: customerID, Column: "f.customer_id", Kind: filter.Int, Required: true}}
	for _, f := range c.facts {
		schema = append(schema, f.field())
	}
	return schema
}

// resolve finds facts by their names; one that is unknown is INVALID_ARGUMENT on the field "facts", with the nearest known name.
func (c *Catalogue) resolve(names []string) ([]*Fact, error) {
	out := make([]*Fact, 0, len(names))
	var problems []apperr.Violation
	for i, name := range names {
		f, ok := c.byName[name]
		if !ok {
			hint := ""
			if like := filter.Nearest(name, c.Names()); like != "" {
				hint = fmt.Sprintf("; did you mean %q?", like)
			}
			problems = append(problems, apperr.Violation{
				Field: fmt.Sprintf("facts[%d]", i), Description: fmt.Sprintf("%q is not a fact of customers%s", name, hint),
			})
			continue
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out, apperr.Invalid(problems...)
}
