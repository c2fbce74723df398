// Package population says whom a definition is about: the customers that a filter over facts admits, with the facts that
// are computed of them.
package population

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
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
func Of(ctx context.Context, facts *customerfact.Service, names []string, text string, day time.Time) (Population, error) {
	catalogue, err := facts.Catalogue(ctx)
	if err != nil {
		return Population{}, err
	}
	condition, parameters, err := filter.ClickHouse(text, catalogue.Schema(), day)
	if err != nil {
		return Population{}, err
	}
	wanted := append([]string(nil), names...)
	for _, name := range filter.Fields(text) {
		if _, known := catalogue.Fact(name); known {
			wanted = append(wanted, name)
		}
	}
	source, err := facts.Source(ctx, wanted, day, nil)
	if err != nil {
		return Population{}, err
	}
	args := append([]any(nil), source.Parameters...)
	for _, p := range parameters {
		args = append(args, clickhouse.Named(p.Name, p.Value))
	}
	return Population{From: source.SQL + " AS f WHERE " + condition, Args: args}, nil
}

// FilterProblems are what is wrong with a filter.
func FilterProblems(catalogue *customerfact.Catalogue, text string) []apperr.Violation {
	_, _, err := filter.ClickHouse(text, catalogue.Schema(), time.Now())
	if known, ok := errors.AsType[*apperr.Error](err); ok {
		return known.Violations
	}
	if err != nil {
		return []apperr.Violation{{Field: "filter", Description: err.Error()}}
	}
	return nil
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
