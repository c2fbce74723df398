package listing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Request is what every list request of the API has.
type Request interface {
	GetPageSize() int32
	GetPageToken() string
	GetFilter() string
	GetOrderBy() string
	GetCount() crmv1.CountMode
}

// Page is one page of a list.
type Page[T any] struct {
	// Items of the page.
	Items []T
	// Next is the token of the page after it, empty on the last one.
	Next string
	// Count of the rows on all pages, nil unless it was asked for.
	Count *crmv1.Count
}

// Rows is a list of rows of one table.
type Rows[T any] struct {
	// Table that is read.
	Table string
	// Columns that Scanner reads.
	Columns string
	// ID is the field of Schema that names a row, a whole number.
	ID string
	// IDOf is that number of a row.
	IDOf func(T) int64
	// Condition narrows the list before the caller's filter, with $1… for Args; empty is everything.
	Condition string
	// Args it binds.
	Args []any
	// Seen adds, behind the filter, that only rows are meant which the caller sees; nil when everybody sees all.
	Seen func(ctx context.Context, where string, args []any) (string, []any)
	// Order of the list when the caller asks for none, as in "opened_time desc"; empty is by id.
	Order string
	// Schema is what callers may filter and order by.
	Schema filter.Schema
	// Scanner returns what reads a row of Columns and, behind them, more columns into more.
	Scanner func(more ...any) func(pgx.CollectableRow) (T, error)
}

// List returns a page in the order that the caller asks for.
func (l *Rows[T]) List(ctx context.Context, q Querier, req Request) (*Page[T], error) {
	parameters := []string{l.Table, req.GetFilter(), req.GetOrderBy(), l.Condition, fmt.Sprint(l.Args...)}
	after, err := page.Decode[filter.Position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	r := &reading[T]{Rows: l, size: page.Size(req.GetPageSize())}
	if r.order, err = filter.ParseOrder(cmp.Or(req.GetOrderBy(), l.Order), l.Schema, l.ID); err != nil {
		return nil, err
	}
	if r.where, r.args, err = filter.Postgres(req.GetFilter(), l.Schema, l.Args); err != nil {
		return nil, err
	}
	if l.Condition != "" {
		r.where = l.Condition + " AND " + r.where
	}
	if l.Seen != nil {
		r.where, r.args = l.Seen(ctx, r.where, r.args)
	}
	if err := r.read(ctx, q, after); err != nil {
		return nil, err
	}
	out := &Page[T]{}
	if out.Next, err = r.next(parameters); err != nil {
		return nil, err
	}
	out.Items = r.found
	out.Count, err = Count(ctx, q, req.GetCount(), l.Table+" WHERE "+r.where, r.args)
	return out, err
}

func (l *Rows[T]) advice() string {
	return "narrow the filter, or order by what an index gives: " + strings.Join(l.Schema.Sorted(), ", ")
}

// reading is a page in the making.
type reading[T any] struct {
	*Rows[T]
	size  int
	order filter.Order
	where string
	args  []any

	found []T
	// keys are the places of the rows in the order, beside their ids; empty for a list by id.
	keys [][]*string
}

// read takes one row more than the page holds: it tells whether there is a next one.
func (r *reading[T]) read(ctx context.Context, q Querier, after *filter.Position) error {
	steps, err := r.order.Steps(after, r.args)
	if err != nil {
		return err
	}
	for _, step := range steps {
		missing := r.size + 1 - len(r.found)
		if missing == 0 {
			break
		}
		err := Within(ctx, TimeMax, r.advice, func(ctx context.Context) error { return r.take(ctx, q, step, missing) })
		if after != nil && OutOfRange(err) {
			return apperr.InvalidField("page_token", "is not a token that this list returned")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reading[T]) take(ctx context.Context, q Querier, step filter.Step, limit int) error {
	args := append(step.Args, limit)
	sql := "SELECT " + r.Columns + r.order.Columns() + " FROM " + r.Table + " WHERE " + r.where + " AND " + step.Where +
		" ORDER BY " + step.By + " LIMIT $" + strconv.Itoa(len(args))
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := make([]*string, r.order.Len())
	targets := make([]any, len(keys))
	for i := range keys {
		targets[i] = &keys[i]
	}
	scan := r.Scanner(targets...)
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return err
		}
		r.found, r.keys = append(r.found, item), append(r.keys, slices.Clone(keys))
	}
	return rows.Err()
}

// next cuts off the row behind the page, and makes the token that continues there.
func (r *reading[T]) next(parameters []string) (string, error) {
	if len(r.found) <= r.size {
		return "", nil
	}
	r.found = r.found[:r.size]
	last := r.size - 1
	return page.Encode(filter.Position{Keys: r.keys[last], ID: r.IDOf(r.found[last])}, parameters...)
}
