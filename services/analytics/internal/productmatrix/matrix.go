// Package productmatrix sets products against segments: who has what, how much, what it earns, and how that grows.
package productmatrix

import (
	"context"
	_ "embed" // the SQL files
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/members.sql
	membersSQL string
	//go:embed sql/matrix.sql
	matrixSQL string
)

// Product is what counts as one.
type Product struct {
	// fact has the products that a customer has, and sql is the product of an account.
	fact, sql string
}

// What may count as a product.
var (
	// ByFamily are families; an account without one is a current account, as in the facts of customers.
	ByFamily = Product{fact: "product_families", sql: "if(terms.family != '', toString(terms.family), 'current_account')"}
	// ByCode are products; an account without one is none.
	ByCode = Product{fact: "products", sql: "terms.code"}
)

// branchFact is the branch that looks after a customer.
const branchFact = "branch_id"

// Sum is a product in a segment on a day.
type Sum struct {
	Holders         uint64
	Balance, Margin decimal.Decimal
}

// Key names a cell of the matrix.
type Key struct{ Segment, Product string }

// Question is what is asked for.
type Question struct {
	Segments []string
	// AsOf decides who the members are.
	AsOf time.Time
	By   Product
	// Scope are the customers that the caller sees.
	Scope division.Scope
}

// Service computes matrices.
type Service struct {
	conn  driver.Conn
	facts *customerfact.Service
}

// New builds the service.
func New(conn driver.Conn, facts *customerfact.Service) *Service {
	return &Service{conn: conn, facts: facts}
}

// scope limits members to those that the caller sees, as of the day.
func (s *Service) scope(ctx context.Context, q Question, column string) (string, []any, error) {
	if !q.Scope.Limited() {
		return "true", nil, nil
	}
	source, err := s.facts.Source(ctx, []string{branchFact}, q.AsOf, nil)
	if err != nil {
		return "", nil, err
	}
	sql := column + " IN (SELECT f.customer_id FROM " + source.SQL + " AS f WHERE has({branches:Array(UInt64)}, toUInt64(f.branch_id)))"
	return sql, append(slices.Clone(source.Parameters), q.Scope.Args()...), nil
}

// Members counts the members of each segment. A segment without a snapshot is NOT_FOUND, with the nearest name.
func (s *Service) Members(ctx context.Context, q Question) (map[string]uint64, error) {
	scope, args, err := s.scope(ctx, q, "member.customer_id")
	if err != nil {
		return nil, err
	}
	args = append(args, warehouse.Named("as_of", warehouse.Day(q.AsOf)), warehouse.Named("segments", q.Segments))
	counts := map[string]uint64{}
	err = warehouse.Each(ctx, s.conn, "product matrix: count members", warehouse.Query{
		SQL: strings.Replace(membersSQL, "/*scope*/", scope, 1), Args: args,
	}, func(rows driver.Rows) error {
		var segment string
		var customers uint64
		err := rows.Scan(&segment, &customers)
		counts[segment] = customers
		return err
	})
	if err != nil {
		return nil, warehouse.Public(err)
	}
	for _, segment := range q.Segments {
		if _, found := counts[segment]; !found {
			return nil, s.missing(ctx, segment, q.AsOf)
		}
	}
	return counts, nil
}

// missing says that a segment has no snapshot, and which one may have been meant.
func (s *Service) missing(ctx context.Context, segment string, asOf time.Time) error {
	var names []string
	err := warehouse.Each(ctx, s.conn, "product matrix: find segments", warehouse.Query{
		SQL: "SELECT DISTINCT toString(segment) AS name FROM segment_run ORDER BY name LIMIT 1000",
	}, func(rows driver.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return warehouse.Public(err)
	}
	if like := filter.Nearest(segment, names); like != "" && like != segment {
		return apperr.NotFound("segment %q has no snapshot up to %s; did you mean %q?", segment, warehouse.Day(asOf), like)
	}
	return apperr.NotFound("segment %q has no snapshot up to %s: run it as of that day first", segment, warehouse.Day(asOf))
}

// On sums up what the members have on a day.
func (s *Service) On(ctx context.Context, q Question, day time.Time, baseCurrency string) (map[Key]Sum, error) {
	scope, args, err := s.scope(ctx, q, "customer_id")
	if err != nil {
		return nil, err
	}
	held, err := s.facts.Source(ctx, []string{q.By.fact}, day, nil)
	if err != nil {
		return nil, err
	}
	for _, bound := range held.Parameters {
		if !slices.Contains(args, bound) { // of one day both sources bind some of the same
			args = append(args, bound)
		}
	}
	args = append(args, warehouse.Named("as_of", warehouse.Day(q.AsOf)), warehouse.Named("day", warehouse.Day(day)),
		warehouse.Named("segments", q.Segments), warehouse.Named("base_currency", baseCurrency))
	sums := map[Key]Sum{}
	err = warehouse.Each(ctx, s.conn, "product matrix: sum up", warehouse.Query{
		SQL:  strings.NewReplacer("/*scope*/", scope, "/*product*/", q.By.sql, "/*held*/", "f."+q.By.fact, "/*facts*/", held.SQL).Replace(matrixSQL),
		Args: args,
	}, func(rows driver.Rows) error {
		var key Key
		var sum Sum
		err := rows.Scan(&key.Segment, &key.Product, &sum.Holders, &sum.Balance, &sum.Margin)
		sums[key] = sum
		return err
	})
	return sums, warehouse.Public(err)
}

// BaseCurrency of the bank; empty while there are no transactions.
func (s *Service) BaseCurrency(ctx context.Context) (currency string, err error) {
	err = warehouse.Each(ctx, s.conn, "product matrix: find the base currency", warehouse.Query{
		SQL: "SELECT toString(base_currency) FROM currency_rate LIMIT 1",
	}, func(rows driver.Rows) error { return rows.Scan(&currency) })
	return currency, warehouse.Public(err)
}
