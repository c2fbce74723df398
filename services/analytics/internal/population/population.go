// Package population says whom a definition is about: the customers that a filter over facts and segments admits, with the facts
// that are computed of them.
package population

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/segment"
)

// Population is a part of a statement.
type Population struct {
	// From stands after FROM: the facts under the alias f, and the condition that customers satisfy.
	From string
	// Args are its bound values.
	Args []any
}

// Of builds the population of a filter on a day, with the facts named; those that the filter compares are there, too.
// Errors: INVALID_ARGUMENT on the field "filter", or on a day that facts are not told of.
func Of(ctx context.Context, segments *segment.Service, names []string, text string, day time.Time) (Population, error) {
	reading, err := segments.Reading(ctx, day)
	if err != nil {
		return Population{}, err
	}
	clause, err := reading.Clauses(ctx, text)
	if err != nil {
		return Population{}, err
	}
	reading.Need(names...)
	from, err := reading.From(ctx)
	if err != nil {
		return Population{}, err
	}
	return Population{From: from.SQL + " WHERE " + clause.Condition, Args: from.Args}, nil
}

// Problems are what is wrong with the filter of a definition, and the places in it that ask for its own results.
func Problems(ctx context.Context, segments *segment.Service, name, text string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	wrong, err := FilterProblems(ctx, segments, text)
	if err != nil {
		return nil, err
	}
	circles, err := segments.Circles(ctx, name, spec)
	return append(wrong, circles...), err
}

// FilterProblems are what is wrong with a filter of the caller of a context.
func FilterProblems(ctx context.Context, segments *segment.Service, text string) ([]apperr.Violation, error) {
	reading, err := segments.Checking(ctx)
	if err != nil {
		return nil, err
	}
	_, err = reading.Clauses(ctx, text)
	if known, refused := errors.AsType[*apperr.Error](err); refused && len(known.Violations) > 0 {
		return known.Violations, nil
	}
	return nil, err
}

// Unknown says that a fact is not in the catalogue, with the nearest name.
func Unknown(catalogue *customerfact.Catalogue, name string) string {
	if like := filter.Nearest(strings.ToLower(name), catalogue.Names()); like != "" {
		return fmt.Sprintf("%q is not a fact of customers; did you mean %q?", name, like)
	}
	return fmt.Sprintf("%q is not a fact of customers; `tandem facts` lists them", name)
}

// Number is the fact as a number, NULL where it is not known, not finite or beyond all sense; what is true is 1.
func Number(f *customerfact.Fact) string {
	return "if(abs(toFloat64(" + f.Column() + ")) < 1e50, toFloat64(" + f.Column() + "), NULL)"
}
