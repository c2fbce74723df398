package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// The model computes measures from the rows in Go, without a database: what reports are compared with.

// happening is one row of a fact as the model sees it.
type happening struct {
	dims map[string]string
	// from is the day; to is the first day on which it is no longer true, of intervals.
	from   time.Time
	to     *time.Time
	order  uint64
	value  decimal.Decimal
	entity string
}

// modelMeasure is a measure in the model.
type modelMeasure struct {
	over, aggregate string
	rows            []happening
	ratio           [2]string
}

type model struct{ measures map[string]modelMeasure }

func id(v uint64) string { return strconv.FormatUint(v, 10) }

func newModel(w *world) *model {
	customers := map[string]map[string]string{}
	var interval, inflow []happening
	for _, c := range w.customers {
		dims := map[string]string{"region": id(c.region), "branch": id(c.branch), "manager": id(c.manager), "customer": id(c.id), "sex": c.sex}
		customers[id(c.id)] = dims
		interval = append(interval, happening{dims: dims, from: c.since, to: c.left, value: decimal.New(1, 0)})
		inflow = append(inflow, happening{dims: dims, from: c.since, value: decimal.New(1, 0)})
	}
	accounts := map[uint64]map[string]string{}
	var open []happening
	for _, a := range w.accounts {
		dims := with(customers[id(a.customer)], "account", id(a.id), "product", id(a.product), "family", family(a.product), "currency", a.currency)
		accounts[a.id] = dims
		open = append(open, happening{dims: dims, from: a.opened, to: a.closed, value: decimal.New(1, 0), entity: id(a.customer)})
	}
	var turnover, credits, count, balance []happening
	for _, m := range w.moves {
		if m.state != "posted" || m.deleted == 1 {
			continue
		}
		dims := with(accounts[m.account], "transaction_kind", m.kind, "direction", m.direction, "currency", m.currency)
		row := happening{dims: dims, from: m.day, value: m.base, order: m.id, entity: dims["customer"]}
		turnover = append(turnover, row)
		if m.direction == "credit" {
			credits = append(credits, row)
		}
		row.value = decimal.New(1, 0)
		count = append(count, row)
		row.dims, row.value, row.entity = accounts[m.account], m.balance.Mul(m.base.Div(m.amount)), id(m.account)
		balance = append(balance, row)
	}
	var sales, contacts []happening
	for _, k := range w.contracts {
		dims := with(customers[id(k.customer)], "product", id(k.product), "family", family(k.product), "contract_kind", k.kind, "currency", "CZK")
		sales = append(sales, happening{dims: dims, from: k.opened, value: k.amount})
	}
	for _, c := range w.contacts {
		contacts = append(contacts, happening{dims: with(customers[id(c.customer)], "channel", c.channel, "interaction_kind", c.kind), from: c.day, value: decimal.New(1, 0)})
	}
	return &model{map[string]modelMeasure{
		"turnover": {over: overFlow, rows: turnover}, "credits": {over: overFlow, rows: credits}, "transactions": {over: overFlow, rows: count},
		"active_customers": {over: overFlow, aggregate: aggregateDistinct, rows: count},
		"balance":          {over: overLast, rows: balance},
		"customers":        {over: overInterval, rows: interval}, "customers_gained": {over: overFlow, rows: inflow},
		"accounts":          {over: overInterval, rows: open},
		"account_customers": {over: overInterval, aggregate: aggregateDistinct, rows: open},
		"sales_amount":      {over: overFlow, rows: sales}, "contacts": {over: overFlow, rows: contacts},
		"mean_transaction":      {ratio: [2]string{"turnover", "transactions"}},
		"turnover_per_customer": {ratio: [2]string{"turnover", "customers"}},
		"balance_per_customer":  {ratio: [2]string{"balance", "customers"}},
		"accounts_per_customer": {ratio: [2]string{"accounts", "account_customers"}},
	}}
}

func with(dims map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, dims)
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// within are the rows of a measure that count in a span, under a condition.
func (m modelMeasure) within(s span, keep func(map[string]string) bool) []happening {
	var out []happening
	last := map[string]int{}
	for _, row := range m.rows {
		if row.from.After(s.to) || !keep(row.dims) {
			continue
		}
		switch m.over {
		case overFlow:
			if row.from.Before(s.from) {
				continue
			}
		case overInterval:
			if row.to != nil && !row.to.After(s.to) {
				continue
			}
		case overLast:
			if i, ok := last[row.entity]; ok {
				if before := out[i]; row.from.After(before.from) || row.from.Equal(before.from) && row.order > before.order {
					out[i] = row
				}
				continue
			}
			last[row.entity] = len(out)
		}
		out = append(out, row)
	}
	return out
}

// value computes a measure; nil where there is none.
func (m *model) value(name string, s span, keep func(map[string]string) bool) *decimal.Decimal {
	measure := m.measures[name]
	if measure.ratio[0] != "" {
		of, by := m.value(measure.ratio[0], s, keep), m.value(measure.ratio[1], s, keep)
		if by.IsZero() {
			return nil
		}
		v := of.Div(*by)
		return &v
	}
	sum, seen := decimal.Zero, map[string]bool{}
	for _, row := range measure.within(s, keep) {
		sum = sum.Add(row.value)
		seen[row.entity] = true
	}
	if measure.aggregate == aggregateDistinct {
		sum = decimal.New(int64(len(seen)), 0)
	}
	return &sum
}

// combinations are the values of dimensions that some measure has rows of.
func (m *model) combinations(measures []string, s span, keep func(map[string]string) bool, dimensions []string) []string {
	var out []string
	for _, name := range measures {
		parts := []string{name}
		if r := m.measures[name].ratio; r[0] != "" {
			parts = r[:]
		}
		for _, part := range parts {
			for _, row := range m.measures[part].within(s, keep) {
				var key []string
				for _, d := range dimensions {
					key = append(key, row.dims[d])
				}
				if text := fmt.Sprint(key); !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
