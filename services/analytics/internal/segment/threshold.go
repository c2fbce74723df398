package segment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Functions that compare with all customers.
const (
	functionTop    = "top"
	functionBottom = "bottom"
)

// thresholds are what top(…) and bottom(…) compare with, by their text; an empty one when nobody has a value.
type thresholds map[string]string

// with adds others.
func (t thresholds) with(others thresholds) thresholds {
	out := thresholds{}
	maps.Copy(out, t)
	maps.Copy(out, others)
	return out
}

// extreme is one top(…) or bottom(…).
type extreme struct {
	function string
	fact     *customerfact.Fact
	percent  decimal.Decimal
}

// key is its text.
func (e extreme) key() string {
	return e.function + "(" + e.fact.Name + ", " + e.percent.String() + "%)"
}

// column is the value that is compared, exactly.
func (e extreme) column() string {
	if e.fact.Type == customerfact.Number {
		return "accurateCastOrNull(" + e.fact.Column() + ", 'Decimal(38, 8)')"
	}
	return e.fact.Column()
}

// extreme compiles one: members have a value that reaches the threshold.
func (p *plan) extreme(c filter.Call) (string, error) {
	fact, ok := p.catalogue.Fact(c.Field.Name)
	if !ok || !fact.Numeric() {
		return "", errors.New("only numbers have the greatest and the least")
	}
	e := extreme{c.Name, fact, c.Percent}
	p.extremes[e.key()] = e
	p.need(fact.Name)
	text := p.thresholds[e.key()]
	if text == "" {
		return "false", nil
	}
	value, err := decimal.NewFromString(text)
	if err != nil {
		return "", err
	}
	comparison := " >= "
	if e.function == functionBottom {
		comparison = " <= "
	}
	return e.column() + comparison + c.Bind(filter.Decimal, value), nil
}

// missing are the extremes without a threshold, in the order of their texts.
func (p *plan) missing() []extreme {
	var out []extreme
	for _, key := range slices.Sorted(maps.Keys(p.extremes)) {
		if _, known := p.thresholds[key]; !known {
			out = append(out, p.extremes[key])
		}
	}
	return out
}

// computeThresholds finds thresholds over all customers of the plan's day.
//
// Definition. Place the n customers with a value from the best to the worst. The threshold is the value at place ⌈n · percent / 100⌉,
// counted from 1; whoever reaches it belongs to the share. So those who are alike are in or out together, and there is somebody in
// every share. quantileExact takes the element at ⌊level · n⌋ from the least: the level aims at the middle between two elements, so
// that no rounding moves it.
func (s *Service) computeThresholds(ctx context.Context, p *plan, wanted []extreme) (thresholds, error) {
	names := make([]string, 0, len(wanted))
	counts := make([]string, len(wanted))
	for i, e := range wanted {
		names = append(names, e.fact.Name)
		counts[i] = "count(" + e.column() + ")"
	}
	source, err := s.facts.Source(ctx, names, p.day, nil)
	if err != nil {
		return nil, err
	}
	var known []uint64
	q := warehouse.Query{SQL: "SELECT [" + strings.Join(counts, ", ") + "] FROM " + source.SQL + " AS f", Args: source.Parameters}
	if err := s.store.one(ctx, "count values for thresholds", q, &known); err != nil {
		return nil, err
	}
	// min() makes one row of it, also where nobody has a value.
	values := make([]string, len(wanted))
	for i, e := range wanted {
		values[i] = "min('')"
		if known[i] > 0 {
			values[i] = fmt.Sprintf("toString(assumeNotNull(quantileExact(%s)(%s)))", e.level(known[i]), e.column())
		}
	}
	var found []string
	q.SQL = "SELECT [" + strings.Join(values, ", ") + "] FROM " + source.SQL + " AS f"
	if err := s.store.one(ctx, "find thresholds", q, &found); err != nil {
		return nil, err
	}
	out := thresholds{}
	for i, e := range wanted {
		out[e.key()] = found[i]
	}
	return out, nil
}

// level is that of the threshold's place among n values.
func (e extreme) level(n uint64) string {
	place := e.percent.Mul(decimal.NewFromUint64(n)).Div(decimal.NewFromInt(100)).Ceil().IntPart()
	at := place - 1
	if e.function == functionTop {
		at = int64(n) - place //nolint:gosec // a count of customers
	}
	return strconv.FormatFloat((float64(at)+0.5)/float64(n), 'g', -1, 64)
}

// one reads a single row.
func (s store) one(ctx context.Context, what string, q warehouse.Query, targets ...any) error {
	return warehouse.Each(ctx, s.conn, "segment: "+what, q, func(rows driver.Rows) error { return rows.Scan(targets...) })
}
