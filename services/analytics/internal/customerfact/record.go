package customerfact

import (
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// record is a table of records that sources read, by its name.
type record struct {
	// key are the columns of its identity, by which its history is sorted, too.
	key string
	// of is how its rows belong to customers.
	of belonging
}

// belonging says by which column the rows of some customers are found.
type belonging int

const (
	// ofCustomer rows hold the number of their customer.
	ofCustomer belonging = iota
	// ofAccount rows hold the number of an account. All holdings of an account are read together, for which of them owns it is told
	// only by looking at all.
	ofAccount
)

// records are what {name} may stand for in facts.yaml.
var records = map[string]record{
	"customer":       {"customer_id", ofCustomer},
	"account_holder": {"account_holder_id", ofAccount},
	"account":        {"account_id", ofAccount},
	"transaction":    {"account_id, business_date, transaction_id", ofAccount},
	"interaction":    {"interaction_id", ofCustomer},
}

// moment is the time that facts are told of.
type moment struct {
	day time.Time
	// known is the end of what was recorded by then; zero when all is.
	known time.Time
}

// scope are the customers that are asked for.
type scope struct {
	// customers by number; all when empty.
	customers []uint64
}

// parameters name the bound values of a statement. The day is in their names, so that two days fit into one statement.
type parameters struct {
	prefix string
	values []driver.NamedValue
}

func newParameters(day time.Time) *parameters {
	return &parameters{prefix: "facts_" + day.Format("20060102") + "_"}
}

// bind names a value once and returns its mark in the statement.
func (p *parameters) bind(name, typ string, value any) string {
	mark := "{" + p.prefix + name + ":" + typ + "}"
	for _, v := range p.values {
		if v.Name == p.prefix+name {
			return mark
		}
	}
	p.values = append(p.values, driver.NamedValue{Name: p.prefix + name, Value: value})
	return mark
}

// bound are the values as a query takes them.
func (p *parameters) bound() []any {
	out := make([]any, len(p.values))
	for i, v := range p.values {
		out[i] = v
	}
	return out
}

// in is the condition that a column holds one of the customers.
func (s scope) in(column string, p *parameters) string {
	if len(s.customers) == 0 {
		return "true"
	}
	return column + " IN " + p.bind("customers", "Array(UInt64)", s.customers)
}

// rows is the table expression of a table's records as they were known at the moment, of the customers in the scope.
func (r record) rows(table string, m moment, s scope, p *parameters) string {
	among := r.among(s, p)
	if m.known.IsZero() {
		return fmt.Sprintf("(SELECT * FROM %s FINAL WHERE %s)", table, among)
	}
	at := p.bind("known", "DateTime64(6)", m.known.UTC().Format("2006-01-02 15:04:05.000000"))
	order := strings.ReplaceAll(r.key, ", ", " DESC, ") + " DESC"
	versions := fmt.Sprintf("SELECT * FROM %s_history WHERE change_time < %s AND %s", table, at, among)
	return fmt.Sprintf("(SELECT * FROM (%s ORDER BY %s, version DESC LIMIT 1 BY %s) WHERE deleted = 0)", versions, order, r.key)
}

// among is the condition that leaves rows of the customers in the scope, and maybe some of others.
func (r record) among(s scope, p *parameters) string {
	if len(s.customers) == 0 {
		return "true"
	}
	if r.of == ofAccount {
		return "account_id IN (SELECT account_id FROM account_holder_history WHERE " + s.in("customer_id", p) + ")"
	}
	return s.in("customer_id", p)
}
