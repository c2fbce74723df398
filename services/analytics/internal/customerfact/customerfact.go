// Package customerfact tells what the bank knows of each customer: facts of one catalogue, facts.yaml, for today and for any
// day of the past. Segments, scores, clusters, explanations and reports read them here.
//
// A fact of a past day is computed from the history of records as they were known at the end of that day, so it comes out the same
// for ever. Of days before the bank's customers were first recorded here, which is how a bank arrives with its past, that is known
// which was recorded on that first day.
package customerfact

import (
	"slices"
	"time"

	"tandem.bank/pkg/filter"
)

// Type is the type of a fact's values, as facts.yaml writes it.
type Type string

// Types of facts.
const (
	// Text is one word or text; empty when unknown.
	Text Type = "text"
	// Texts are many words; none when unknown.
	Texts Type = "texts"
	// Integer is a whole number.
	Integer Type = "integer"
	// Decimal is an exact number with four decimals, such as money in base currency.
	Decimal Type = "decimal"
	// Number is a ratio or an estimate, in floating point.
	Number Type = "number"
	// Date is a day.
	Date Type = "date"
	// Boolean is true or false.
	Boolean Type = "boolean"
)

// Freshness says when the facts of a source move.
type Freshness string

// When facts move.
const (
	// OnChange facts follow each event within seconds.
	OnChange Freshness = "change"
	// EachDay facts do so, too, and move when a day of the bank begins.
	EachDay Freshness = "day"
	// EachRun facts come with the next run of their definition.
	EachRun Freshness = "run"
)

// Fact is one thing that is known of customers.
type Fact struct {
	// Name as filters write it, for example "tenure_months", "age_level" or "attribute.shoe_size".
	Name string `yaml:"name"`
	// Title for people.
	Title string `yaml:"title"`
	// Type of the values.
	Type Type `yaml:"type"`
	// Unit of a number, for example "years" or "base currency"; empty for words and days.
	Unit string `yaml:"unit"`
	// Meaning in a sentence.
	Meaning string `yaml:"meaning"`
	// Values of a text when they are a closed list, in the order from low to high for a level.
	Values []string `yaml:"values"`
	// Levels of a number; its level is a fact of its own.
	Levels *Levels `yaml:"levels"`
	// Quantiles of a number; its level by them and their cut points are facts of their own.
	Quantiles *Quantiles `yaml:"quantiles"`
	// LevelOf is the fact that this one is the level of; nil for others.
	LevelOf *Fact `yaml:"-"`
	// Known says that every customer has a value.
	Known bool `yaml:"-"`

	// Source names the source in facts.yaml; SQL is the expression over its rows.
	Source string `yaml:"source"`
	SQL    string `yaml:"sql"`
	// KnownStated is what facts.yaml says of Known; nil when it says nothing.
	KnownStated *bool `yaml:"known"`

	source *source
	// column is the type in ClickHouse where it is not that of the fact's type.
	column string
	// of is the fact that this one is derived from, by derive; nil for others.
	of     *Fact
	derive func(column string) string
	// across derives it instead when all customers have a say; it writes SQL over the value of one and a question about all.
	across func(b *builder, of *Fact, value string) string
}

// AboutAll reports whether all customers of the day are looked at to tell the fact of one.
func (f *Fact) AboutAll() bool { return f.across != nil }

// origin is the fact that is computed for this one: itself, unless it is derived.
func (f *Fact) origin() *Fact {
	if f.of != nil {
		return f.of.origin()
	}
	return f
}

// Levels cut a number into a few classes.
type Levels struct {
	// Names from low to high.
	Names []string `yaml:"names"`
	// Edges are the lower edges of all names but the first.
	Edges []float64 `yaml:"edges"`
}

// Freshness says when the fact moves.
func (f *Fact) Freshness() Freshness { return f.source.Fresh }

// Column is the fact in a statement over a Source under the alias f.
func (f *Fact) Column() string { return "f." + quote(f.Name) }

// Numeric reports whether the values are numbers.
func (f *Fact) Numeric() bool { return slices.Contains([]Type{Integer, Decimal, Number}, f.Type) }

// columnType is the type of the fact's column in ClickHouse.
func (f *Fact) columnType() string {
	plain := map[Type]string{Integer: "Int64", Decimal: "Decimal(38, 4)", Number: "Float64", Date: "Date32", Boolean: "Bool"}
	switch {
	case f.column != "":
		return f.column
	case f.Type == Text:
		return "LowCardinality(String)"
	case f.Type == Texts:
		return "Array(LowCardinality(String))"
	case f.Known:
		return plain[f.Type]
	default:
		return "Nullable(" + plain[f.Type] + ")"
	}
}

// field is the fact as filters see it.
func (f *Fact) field() filter.Field {
	kinds := map[Type]filter.Kind{
		Text: filter.Text, Texts: filter.Text, Integer: filter.Int, Decimal: filter.Decimal, Number: filter.Decimal,
		Date: filter.Date, Boolean: filter.Bool,
	}
	field := filter.Field{Name: f.Name, Column: f.Column(), Kind: kinds[f.Type], Required: f.Known}
	if f.Type == Texts {
		field.Repeated = filter.Array
	}
	if len(f.Values) > 0 {
		field.Kind, field.Values = filter.Enum, f.Values
	}
	return field
}

// Source is a table expression with the column customer_id and one column for each fact asked for, by its name. It stands after FROM
// with the alias f.
type Source struct {
	SQL string
	// Parameters are bound by name, driver.NamedValue each; the names begin with "facts_" and the day, so two days fit into one statement.
	Parameters []any
	// Day that the facts are told of.
	Day time.Time
	// Kept says that they are read from where they are kept; those of runs never are.
	Kept bool
}
