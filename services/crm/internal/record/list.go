package record

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
)

// ListRequest is what every list request of the API has.
type ListRequest interface {
	GetPageSize() int32
	GetPageToken() string
	GetFilter() string
	GetOrderBy() string
	GetCount() crmv1.CountMode
}

// Page is one page of a list.
type Page[P any] struct {
	// Items of the page.
	Items []P
	// Next is the token of the page after it, empty on the last one.
	Next string
	// Count of the rows on all pages, nil unless it was asked for.
	Count *crmv1.Count
}

// Scope narrows a list before the caller's filter, for example to one account. The zero Scope is everything, by id.
type Scope struct {
	// Condition in SQL, with $1… for Args.
	Condition string
	// Args it binds.
	Args []any
	// Order of the list when the caller asks for none, as in "opened_time desc"; empty is by id.
	Order string
	// Without are columns of text that the list does not read and shows empty: too long for many rows at once.
	Without []string
}

// List returns a page in the order that the caller asks for.
func (s *Store[P, R]) List(ctx context.Context, req ListRequest, schema filter.Schema, scope Scope) (*Page[P], error) {
	l := &list[R]{table: s.room.Table, columns: s.room.Table.columnsWithout(scope.Without), size: page.Size(req.GetPageSize())}
	parameters := []string{s.room.Table.entity, req.GetFilter(), req.GetOrderBy(), scope.Condition, fmt.Sprint(scope.Args...)}
	after, err := page.Decode[filter.Position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	if l.order, err = filter.ParseOrder(cmp.Or(req.GetOrderBy(), scope.Order), schema, s.room.Table.idColumn()); err != nil {
		return nil, err
	}
	if l.where, l.args, err = filter.Postgres(req.GetFilter(), schema, scope.Args); err != nil {
		return nil, err
	}
	if scope.Condition != "" {
		l.where = scope.Condition + " AND " + l.where
	}
	l.where, l.args = s.room.Table.narrowed(ctx, l.where, l.args)
	l.advice = advice(schema)
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	if err := l.read(ctx, conn, after); err != nil {
		return nil, err
	}
	out := &Page[P]{}
	if out.Next, err = l.next(parameters); err != nil {
		return nil, err
	}
	out.Items = Protos(l.found, s.room.ToProto)
	out.Count, err = listing.Count(ctx, conn, req.GetCount(), s.room.Table.entity+" WHERE "+l.where, l.args)
	return out, err
}

func advice(schema filter.Schema) func() string {
	return func() string {
		return "narrow the filter, or order by what an index gives: " + strings.Join(schema.Sorted(), ", ")
	}
}

// list is a page in the making.
type list[R any] struct {
	table   *Table[R]
	columns string
	size    int
	order   filter.Order
	where   string
	args    []any
	advice  func() string

	found []*Record[R]
	// keys are the places of the rows in the order, beside their ids; empty for a list by id.
	keys [][]*string
}

// read takes one row more than the page holds: it tells whether there is a next one.
func (l *list[R]) read(ctx context.Context, q listing.Querier, after *filter.Position) error {
	steps, err := l.order.Steps(after, l.args)
	if err != nil {
		return err
	}
	for _, step := range steps {
		missing := l.size + 1 - len(l.found)
		if missing == 0 {
			break
		}
		err := listing.Within(ctx, listing.TimeMax, l.advice, func(ctx context.Context) error { return l.take(ctx, q, step, missing) })
		if after != nil && OutOfRange(err) {
			return apperr.InvalidField("page_token", "is not a token that this list returned")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *list[R]) take(ctx context.Context, q listing.Querier, step filter.Step, limit int) error {
	args := append(step.Args, limit)
	sql := "SELECT " + l.columns + l.order.Columns() + " FROM " + l.table.entity + " WHERE " + l.where + " AND " + step.Where +
		" ORDER BY " + step.By + " LIMIT $" + strconv.Itoa(len(args))
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := make([]*string, l.order.Len())
	targets := make([]any, len(keys))
	for i := range keys {
		targets[i] = &keys[i]
	}
	scanner := l.table.Scanner(targets...)
	for rows.Next() {
		r, err := scanner.Scan(rows)
		if err != nil {
			return err
		}
		l.found, l.keys = append(l.found, r), append(l.keys, slices.Clone(keys))
	}
	return rows.Err()
}

// next cuts off the row behind the page, and makes the token that continues there.
func (l *list[R]) next(parameters []string) (string, error) {
	if len(l.found) <= l.size {
		return "", nil
	}
	l.found = l.found[:l.size]
	last := l.size - 1
	return page.Encode(filter.Position{Keys: l.keys[last], ID: l.found[last].ID}, parameters...)
}

// Protos renders records.
func Protos[P, R any](records []*Record[R], toProto func(*Record[R]) P) []P {
	out := make([]P, len(records))
	for i, r := range records {
		out[i] = toProto(r)
	}
	return out
}
