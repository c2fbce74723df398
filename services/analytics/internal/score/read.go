package score

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/segment"
)

// reading collects what is asked about each customer on one day, and writes the SELECT for it.
type reading struct {
	asked *segment.Reading
	// facts are the names of those that values are made of, each once.
	facts []string
	// holds, numbers and texts are expressions for the arrays of a row; population limits the rows.
	holds, numbers, texts []string
	population            string
	broken                violations
	// trouble kept a filter from being compiled, through no fault of the definition.
	trouble error
}

func newReading(asked *segment.Reading) *reading {
	return &reading{asked: asked, population: "true"}
}

// violations collects what is wrong with a definition.
type violations []apperr.Violation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, apperr.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// need notes that a fact is asked for.
func (r *reading) need(names ...string) {
	for _, name := range names {
		if !slices.Contains(r.facts, name) {
			r.facts = append(r.facts, name)
		}
	}
	r.asked.Need(names...)
}

// condition compiles a filter and returns it with the facts that it looks at. What is wrong in it is a violation at the field.
func (r *reading) condition(ctx context.Context, field, text string) (sql string, facts []string) {
	clause, err := r.asked.Clauses(ctx, text)
	if err != nil {
		r.blame(field, err)
		return "false", nil
	}
	for _, leaf := range clause.Leaves() {
		if _, known := r.asked.Catalogue().Fact(leaf.Field); known && !slices.Contains(facts, leaf.Field) {
			facts = append(facts, leaf.Field)
		}
	}
	r.need(facts...)
	return clause.Condition, facts
}

// blame moves what is wrong with a filter to the field that holds it.
func (r *reading) blame(field string, err error) {
	var known *apperr.Error
	if !errors.As(err, &known) || len(known.Violations) == 0 {
		r.trouble = errors.Join(r.trouble, err)
		return
	}
	for _, v := range known.Violations {
		r.broken.add(field, "%s", v.Description)
	}
}

// fact finds a fact; an unknown one is a violation with the nearest name there is.
func (r *reading) fact(field, name string) *customerfact.Fact {
	f, ok := r.asked.Catalogue().Fact(name)
	if ok {
		r.need(name)
		return f
	}
	hint := ""
	if like := filter.Nearest(name, r.asked.Catalogue().Names()); like != "" {
		hint = fmt.Sprintf("; did you mean %q?", like)
	}
	r.broken.add(field, "%q is not a fact of customers%s", name, hint)
	return nil
}

// number asks for a fact as a number and returns its place in the row: days as days before the day, true as 1. −1 when it is none.
func (r *reading) number(field, name string) int {
	f := r.fact(field, name)
	switch {
	case f == nil:
		return -1
	case f.Numeric(), f.Type == customerfact.Boolean:
		r.numbers = append(r.numbers, "ifNull(toFloat64("+f.Column()+"), nan)")
	case f.Type == customerfact.Date:
		r.numbers = append(r.numbers, "ifNull(toFloat64(dateDiff('day', "+f.Column()+", "+r.asked.Bind(filter.Date, r.asked.Day())+")), nan)")
	default:
		r.broken.add(field, "%s holds texts: a number, a day or true and false is needed", name)
		return -1
	}
	return len(r.numbers) - 1
}

// text asks for a fact as a text and returns its place in the row. −1 when it has many values.
func (r *reading) text(field, name string) int {
	f := r.fact(field, name)
	if f == nil {
		return -1
	}
	if f.Type == customerfact.Texts {
		r.broken.add(field, "%s holds many values of a customer: one is needed", name)
		return -1
	}
	r.texts = append(r.texts, asText(f))
	return len(r.texts) - 1
}

// holding asks whether a condition holds, and returns its place in the row.
func (r *reading) holding(condition string) int {
	r.holds = append(r.holds, condition)
	return len(r.holds) - 1
}

// asText is a fact as people read it; empty when it is not known.
func asText(f *customerfact.Fact) string {
	switch f.Type {
	case customerfact.Text:
		return f.Column()
	case customerfact.Texts:
		return "arrayStringConcat(" + f.Column() + ", ', ')"
	case customerfact.Integer, customerfact.Decimal, customerfact.Number, customerfact.Date, customerfact.Boolean:
	}
	return "ifNull(toString(" + f.Column() + "), '')"
}

// observed are all facts as text.
func (r *reading) observed() []string {
	out := make([]string, 0, len(r.facts))
	for _, name := range r.facts {
		if f, ok := r.asked.Catalogue().Fact(name); ok {
			out = append(out, asText(f))
		}
	}
	return out
}

// array is a list of expressions as an array of a type.
func array(of string, expressions []string) string {
	return "CAST([" + strings.Join(expressions, ", ") + "], 'Array(" + of + ")')"
}

// err is what was wrong; nil when nothing was.
func (r *reading) err() error {
	if r.trouble != nil {
		return r.trouble
	}
	if len(r.broken) == 0 {
		return nil
	}
	return apperr.Invalid(r.broken...)
}
