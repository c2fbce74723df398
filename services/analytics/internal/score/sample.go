package score

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/logit"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/warehouse"
)

// codesMax bounds the different texts of a feature.
const codesMax = math.MaxUint16

// hashParts is how finely customers are chosen by hash.
const hashParts = 1_000_000

// sample are customers with their features and what came of them, sorted by customer number. Numbers have 24 digits in
// binary, and texts are codes: 1 000 000 customers with 50 features are 200 MB at most.
type sample struct {
	customers    []uint64
	events, held []bool
	numbers      [][]float32
	texts        []coded
}

// coded are texts by their place in a list.
type coded struct {
	list  []string
	place map[string]uint16
	codes []uint16
}

func newSample(r *reading) *sample {
	s := &sample{numbers: make([][]float32, len(r.numbers)), texts: make([]coded, len(r.texts))}
	for i := range s.texts {
		s.texts[i].place = map[string]uint16{}
	}
	return s
}

// add takes a customer in; false when a text has too many different values, and which.
func (s *sample) add(of *row, event, held bool) (broken int, ok bool) {
	s.customers, s.events, s.held = append(s.customers, of.customer), append(s.events, event), append(s.held, held)
	for i, v := range of.numbers {
		s.numbers[i] = append(s.numbers[i], float32(v))
	}
	for i, v := range of.texts {
		c := &s.texts[i]
		code, known := c.place[v]
		if !known {
			if len(c.list) == codesMax {
				return i, false
			}
			code = uint16(len(c.list)) //nolint:gosec // below codesMax
			c.place[v], c.list = code, append(c.list, v)
		}
		c.codes = append(c.codes, code)
	}
	return 0, true
}

// sort puts customers in order: sums then come out the same, whatever the order in which ClickHouse told of them.
func (s *sample) sort() {
	order := make([]int, len(s.customers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compare(s.customers[a], s.customers[b]) })
	s.customers, s.events, s.held = permuted(s.customers, order), permuted(s.events, order), permuted(s.held, order)
	for i := range s.numbers {
		s.numbers[i] = permuted(s.numbers[i], order)
	}
	for i := range s.texts {
		s.texts[i].codes = permuted(s.texts[i].codes, order)
	}
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func permuted[T any](values []T, order []int) []T {
	out := make([]T, len(values))
	for i, at := range order {
		out[i] = values[at]
	}
	return out
}

// value is a feature of the n-th customer.
func (s *sample) value(f feature, n int) logit.Value {
	if f.textual {
		c := &s.texts[f.place]
		return logit.Value{Text: c.list[c.codes[n]]}
	}
	return logit.Value{Number: float64(s.numbers[f.place][n])}
}

// column are a feature's values of the customers that were not held out.
func (s *sample) column(f feature) (numbers []float64, texts []string) {
	for n := range s.customers {
		if s.held[n] {
			continue
		}
		if v := s.value(f, n); f.textual {
			texts = append(texts, v.Text)
		} else {
			numbers = append(numbers, v.Number)
		}
	}
	return numbers, texts
}

// outcomes are those of the customers that were not held out.
func (s *sample) outcomes() []bool {
	var out []bool
	for n, event := range s.events {
		if !s.held[n] {
			out = append(out, event)
		}
	}
	return out
}

// sampled reads the customers of the population as of a day, with what came of them.
func (s *Service) sampled(ctx context.Context, t training, asOf time.Time) (*sample, []feature, error) {
	r, err := s.reading(ctx, asOf)
	if err != nil {
		return nil, nil, err
	}
	features := newFeatures(ctx, t.spec, r)
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	q, err := s.sampleQuery(ctx, t, r, asOf)
	if err != nil {
		return nil, nil, err
	}
	out := newSample(r)
	err = s.store.each(ctx, "read customers to train on", q, func(rows driver.Rows) error {
		var of row
		var hash uint32
		var event bool
		if err := rows.Scan(&of.customer, &of.numbers, &of.texts, &hash, &event); err != nil {
			return err
		}
		if place, ok := out.add(&of, event, t.heldOut(hash)); !ok {
			return tooManyLevels(features, place)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	out.sort()
	return out, features, nil
}

func tooManyLevels(features []feature, place int) error {
	for i, f := range features {
		if f.textual && f.place == place {
			return apperr.InvalidField(fmt.Sprintf("features[%d].fact", i), "%s has more than %d different texts", f.definition.GetFact(), codesMax)
		}
	}
	return apperr.InvalidField("features", "a fact has more than %d different texts", codesMax)
}

// sampleQuery selects the customers: their features on the day, whether the target holds on the later one, and a hash that says
// who is held out.
func (s *Service) sampleQuery(ctx context.Context, t training, r *reading, asOf time.Time) (warehouse.Query, error) {
	share, err := s.sampleShare(ctx, t, asOf)
	if err != nil {
		return warehouse.Query{}, err
	}
	then := r
	if t.horizon > 0 {
		if then, err = s.reading(ctx, t.later(asOf)); err != nil {
			return warehouse.Query{}, err
		}
	}
	target, _ := then.condition(ctx, "target", t.spec.GetTarget())
	if err := then.err(); err != nil {
		return warehouse.Query{}, err
	}
	q, err := r.asked.From(ctx)
	if err != nil {
		return warehouse.Query{}, err
	}
	columns := fmt.Sprintf("f.customer_id, %s, %s, sipHash64(f.customer_id, 'holdout') %% %d", array("Float64", r.numbers),
		array("String", r.texts), hashParts)
	chosen := fmt.Sprintf("sipHash64(f.customer_id, 'sample') %% %d < %d", hashParts, share)
	if t.horizon == 0 {
		q.SQL = fmt.Sprintf("SELECT %s, toBool(%s) FROM %s WHERE (%s) AND %s", columns, target, q.SQL, r.population, chosen)
		return q, nil
	}
	outcomes, err := then.asked.From(ctx)
	if err != nil {
		return warehouse.Query{}, err
	}
	outcomes.SQL = fmt.Sprintf("SELECT f.customer_id AS customer_id, toBool(%s) AS event FROM %s", target, outcomes.SQL)
	outcomes = segment.Renamed(outcomes, "later_")
	q.Args = slices.Concat(q.Args, outcomes.Args)
	q.SQL = fmt.Sprintf("SELECT %s, t.event FROM %s\nINNER JOIN (%s) AS t ON t.customer_id = f.customer_id\nWHERE (%s) AND %s",
		columns, q.SQL, outcomes.SQL, r.population, chosen)
	return q, nil
}

// sampleShare is how many of hashParts customers are taken.
func (s *Service) sampleShare(ctx context.Context, t training, asOf time.Time) (uint64, error) {
	source, err := s.facts.Source(ctx, nil, asOf, nil)
	if err != nil {
		return 0, err
	}
	customers := uint64(0)
	err = s.store.each(ctx, "count customers", warehouse.Query{SQL: "SELECT count() FROM " + source.SQL + " AS f", Args: source.Parameters},
		func(rows driver.Rows) error { return rows.Scan(&customers) })
	if err != nil || customers <= uint64(t.customersMax) { //nolint:gosec // positive
		return hashParts, err
	}
	return uint64(t.customersMax) * hashParts / customers, nil //nolint:gosec // positive
}

// heldOut says whether a customer is held out by hash.
func (t training) heldOut(hash uint32) bool {
	return t.split == splitHash && float64(hash) < t.holdoutShare*hashParts
}
