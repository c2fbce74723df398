package customerfact

import (
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/services/analytics/internal/warehouse"
)

// record is a table of records that sources read, by its name.
type record struct {
	// table holds the newest versions, and table_history all of them; versions, when set, is one table that holds all, of what arrives in
	// another.
	table, versions, arrives string
	// key are the columns of its identity, by which its history is sorted, too.
	key string
	// id is the column by which rows of some customers are found, and ids the query for its values; nil when it is the customer's number,
	// and whole when the table is small and read whole.
	id    string
	ids   func(scope, *parameters) string
	whole bool
}

// records are what {name} may stand for in facts.yaml.
var records = map[string]record{
	"region":      {table: "region", key: "region_id", whole: true},
	"branch":      {table: "branch", key: "branch_id", whole: true},
	"product":     {table: "product", key: "product_id", whole: true},
	"customer":    {table: "customer", key: "customer_id", id: "customer_id"},
	"relation":    {table: "relation", key: "relation_id", id: "relation_id", ids: linked("relation")},
	"consent":     {table: "consent", key: "consent_id", id: "consent_id", ids: linked("consent")},
	"card":        {table: "card", key: "card_id", id: "card_id", ids: linked("card")},
	"interaction": {table: "interaction", key: "interaction_id", id: "interaction_id", ids: linked("interaction")},
	"behaviour": {
		versions: "customer_behaviour", arrives: "behaviour_event", key: "known_customer_id, behaviour_event_id", id: "known_customer_id",
	},
	"account_holder": {table: "account_holder", key: "account_holder_id", id: "account_holder_id", ids: beyond(accounts, "account", "account_holder")},
	"account":        {table: "account", key: "account_id", id: "account_id", ids: accounts},
	"account_balance": {
		table: "account_balance", key: "account_id, business_date", id: "account_id", ids: accounts,
	},
	"transaction":    {table: "transaction", key: "account_id, business_date, transaction_id", id: "account_id", ids: accounts},
	"contract":       {table: "contract", key: "contract_id", id: "contract_id", ids: contracts},
	"contract_party": {table: "contract_party", key: "contract_party_id", id: "contract_party_id", ids: beyond(contracts, "contract", "contract_party")},
	"instalment":     {table: "instalment", key: "instalment_id", id: "instalment_id", ids: beyond(contracts, "contract", "instalment")},
}

// link is the query for records that belong to others, by record_link.
func link(entity, which, other string) string {
	return fmt.Sprintf("SELECT other_id FROM record_link WHERE entity = '%s' AND %s AND other = '%s'", entity, which, other)
}

// linked are records of a kind that belong to the customers of a scope, or once did.
func linked(other string) func(scope, *parameters) string {
	return func(s scope, p *parameters) string { return link("customer", s.in("entity_id", p), other) }
}

// accounts are all that the customers of a scope hold or held. All their holders are looked at, for who owns one is told only so.
func accounts(s scope, p *parameters) string { return linked("account")(s, p) }

// contracts are those that customers are parties to, and those of their accounts.
func contracts(s scope, p *parameters) string {
	return linked("contract")(s, p) + " UNION ALL " + beyond(accounts, "account", "contract")(s, p)
}

// beyond are records that belong to those which a query finds.
func beyond(near func(scope, *parameters) string, entity, other string) func(scope, *parameters) string {
	return func(s scope, p *parameters) string { return link(entity, "entity_id"+p.among(near(s, p)), other) }
}

// moment is the time that facts are told of.
type moment struct {
	day, end time.Time
	// known is the end of what was recorded by then; zero when all is.
	known time.Time
	// rated is the end of what was known of rates: the beginning of the day, so that a rate that comes during a day does not move the facts of
	// all who have that currency. Of the bank's first day and what was before it, its end: there are no others.
	rated time.Time
}

// scope are the customers that are asked for: some, or a range of numbers, or all when both are empty.
type scope struct {
	customers []uint64
	// from and to bound a range; it is one when to is set.
	from, to uint64
}

func (s scope) all() bool { return len(s.customers) == 0 && s.to == 0 }

// in is the condition that a column holds one of the customers.
func (s scope) in(column string, p *parameters) string {
	switch {
	case s.all():
		return "true"
	case s.to > 0:
		return column + " BETWEEN " + p.bind("from", "UInt64", s.from) + " AND " + p.bind("to", "UInt64", s.to)
	default:
		return column + " IN " + p.bind("customers", "Array(UInt64)", s.customers)
	}
}

// parameters name the bound values of a statement. The day is in their names, so that two days fit into one statement.
type parameters struct {
	prefix string
	values []driver.NamedValue
	// clustered says that tables lie on several servers.
	clustered bool
}

func (s *Service) parameters(day time.Time) *parameters {
	return &parameters{prefix: "facts_" + day.Format("20060102") + "_", clustered: warehouse.Clustered(s.warehouse)}
}

// among is the condition that what a query finds holds what stands before it. In a cluster it says itself that the query is asked once,
// for all servers: ClickHouse would, but trips over a query of more than one table.
func (p *parameters) among(query string) string {
	if p.clustered {
		return " GLOBAL IN (" + query + ")"
	}
	return " IN (" + query + ")"
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

// timeLayout is how a moment is bound.
const timeLayout = "2006-01-02 15:04:05.000000"

// knownBy is the condition that a time was over by the end of what was recorded.
func (m moment) knownBy(column string, p *parameters) string {
	if m.known.IsZero() {
		return "true"
	}
	return column + " < " + p.bind("known", "DateTime64(6, 'UTC')", m.known.UTC().Format(timeLayout))
}

// rows is the table expression of a table's records as they were known at the moment, of the customers in the scope and maybe of
// some others.
func (r record) rows(m moment, s scope, p *parameters) string {
	among := r.among(s, p)
	if m.known.IsZero() && r.versions == "" {
		return fmt.Sprintf("(SELECT * FROM %s FINAL WHERE %s)", r.table, among)
	}
	versions := r.versions
	if versions == "" {
		versions = r.table + "_history"
	}
	order := strings.ReplaceAll(r.key, ", ", " DESC, ") + " DESC"
	found := fmt.Sprintf("SELECT * FROM %s WHERE %s AND %s", versions, m.knownBy("change_time", p), among)
	return fmt.Sprintf("(SELECT * FROM (%s ORDER BY %s, version DESC LIMIT 1 BY %s) WHERE deleted = 0)", found, order, r.key)
}

// among is the condition that leaves rows of the customers in the scope.
func (r record) among(s scope, p *parameters) string {
	switch {
	case s.all() || r.whole:
		return "true"
	case r.ids == nil:
		return s.in(r.id, p)
	default:
		return r.id + p.among(r.ids(s, p))
	}
}
