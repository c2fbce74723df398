package customerfact

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem.bank/pkg/apperr"
)

// Value is one fact of a customer.
type Value struct {
	Fact *Fact
	// Value is a string for a text and for a decimal, []string, int64, float64, time.Time or bool by the fact's type; nil when unknown.
	Value any
}

// Told are facts of a customer.
type Told struct {
	// Day that they are told of.
	Day time.Time
	// RefreshedTime is when those that are kept were told; zero when they were computed now.
	RefreshedTime time.Time
	Values        []Value
}

func noCustomer[N int64 | uint64](customer N) error {
	return apperr.NotFound("there is no customer %d on that day", customer)
}

// Tell tells facts of a customer; when none is named all but those that all customers are looked at for. A customer who did not exist on
// that day is NOT_FOUND.
func (s *Service) Tell(ctx context.Context, customer uint64, names []string, day time.Time) (Told, error) {
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return Told{}, err
	}
	if len(names) == 0 {
		for _, f := range catalogue.facts {
			if !f.AboutAll() {
				names = append(names, f.Name)
			}
		}
	}
	source, err := s.Source(ctx, names, day, []uint64{customer})
	if err != nil {
		return Told{}, err
	}
	facts, err := catalogue.resolve(names)
	if err != nil {
		return Told{}, err
	}
	told := Told{Day: source.Day}
	if told.Values, err = s.values(ctx, facts, source); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = noCustomer(customer)
		}
		return Told{}, public(err)
	}
	if source.Kept {
		const query = "SELECT max(refreshed_time) FROM customer_fact WHERE customer_id = ?"
		if err := s.warehouse.QueryRow(ctx, query, customer).Scan(&told.RefreshedTime); err != nil {
			return Told{}, public(fmt.Errorf("customer facts: look for the refresh of a customer: %w", err))
		}
	}
	return told, nil
}

// values reads the one row of a source.
func (s *Service) values(ctx context.Context, facts []*Fact, source Source) ([]Value, error) {
	single, many := []string{"NULL"}, []string{"[]"}
	for _, f := range facts {
		if f.Type == Texts {
			many = append(many, "CAST("+f.Column()+", 'Array(String)')")
		} else {
			single = append(single, "CAST(toString("+f.Column()+"), 'Nullable(String)')")
		}
	}
	query := fmt.Sprintf("SELECT CAST([%s], 'Array(Nullable(String))'), CAST([%s], 'Array(Array(String))') FROM %s AS f",
		strings.Join(single, ", "), strings.Join(many, ", "), source.SQL)
	var texts []*string
	var lists [][]string
	if err := s.warehouse.QueryRow(ctx, query, source.Parameters...).Scan(&texts, &lists); err != nil {
		return nil, err
	}
	return sorted(facts, texts[1:], lists[1:])
}

// sorted puts texts and lists, which stand in the order of their facts, back among each other.
func sorted(facts []*Fact, texts []*string, lists [][]string) ([]Value, error) {
	out := make([]Value, len(facts))
	for i, f := range facts {
		out[i].Fact = f
		if f.Type == Texts {
			if len(lists[0]) > 0 {
				out[i].Value = slices.Sorted(slices.Values(lists[0]))
			}
			lists = lists[1:]
			continue
		}
		text := texts[0]
		texts = texts[1:]
		if text == nil || *text == "" {
			continue
		}
		var err error
		if out[i].Value, err = f.read(*text); err != nil {
			return nil, fmt.Errorf("customer facts: %s: %w", f.Name, err)
		}
	}
	return out, nil
}

// read reads a value as ClickHouse writes it.
func (f *Fact) read(text string) (any, error) {
	switch f.Type {
	case Integer:
		return strconv.ParseInt(text, 10, 64)
	case Number:
		return strconv.ParseFloat(text, 64)
	case Date:
		return time.Parse(time.DateOnly, text)
	case Boolean:
		return strconv.ParseBool(text)
	default:
		return text, nil
	}
}

// branch is the branch that looks after a customer now; 0 when none does or there is no such customer.
func (s *Service) branch(ctx context.Context, customer uint64) (int64, error) {
	var branch uint64
	err := s.warehouse.QueryRow(ctx, "SELECT branch_id FROM customer FINAL WHERE customer_id = ?", customer).Scan(&branch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return int64(branch), err
}

// Refresh tells today's facts of some customers anew, and then those who follow.
func (s *Service) Refresh(ctx context.Context, customers []uint64) error {
	m, err := s.moment(ctx, s.Today())
	if err != nil {
		return err
	}
	customers = slices.Compact(slices.Sorted(slices.Values(customers)))
	if err := s.keep(ctx, m, scope{customers: customers}); err != nil {
		return public(err)
	}
	s.tell(ctx, Change{Customers: customers, Causes: []string{CauseRebuild}, byCause: map[string][]uint64{CauseRebuild: customers}})
	return nil
}
