package record

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/filter"
	"tandem.bank/services/crm/internal/listing"
)

// ListRequest is what every list request of the API has.
type ListRequest = listing.Request

// Page is one page of a list.
type Page[P any] = listing.Page[P]

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
	t := s.room.Table
	rows := &listing.Rows[*Record[R]]{
		Table: t.entity, Columns: t.columnsWithout(scope.Without), ID: t.idColumn(), IDOf: func(r *Record[R]) int64 { return r.ID },
		Condition: scope.Condition, Args: scope.Args, Seen: t.narrowed, Order: scope.Order, Schema: schema,
		Scanner: func(more ...any) func(pgx.CollectableRow) (*Record[R], error) { return t.Scanner(more...).Scan },
	}
	found, err := rows.List(ctx, s.pool, req)
	if err != nil {
		return nil, err
	}
	return &Page[P]{Items: Protos(found.Items, s.room.ToProto), Next: found.Next, Count: found.Count}, nil
}

// Protos renders records.
func Protos[P, R any](records []*Record[R], toProto func(*Record[R]) P) []P {
	out := make([]P, len(records))
	for i, r := range records {
		out[i] = toProto(r)
	}
	return out
}
