package record

import (
	"context"
	"fmt"
	"time"

	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
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

// Scope narrows a list before the caller's filter, for example to one account. The zero Scope is everything.
type Scope struct {
	// Condition in SQL, with $1… for Args.
	Condition string
	// Args it binds.
	Args []any
}

// position is where a page ended.
type position struct {
	Time *time.Time `json:"t,omitempty"`
	ID   int64      `json:"i"`
}

// List returns a page by id.
func (s *Store[P, R]) List(ctx context.Context, req ListRequest, schema filter.Schema, scope Scope) (*Page[P], error) {
	return s.list(ctx, req, schema, scope, "", nil)
}

// ListNewestFirst returns a page by a time column, newest first; at gives that time of a record.
func (s *Store[P, R]) ListNewestFirst(
	ctx context.Context, req ListRequest, schema filter.Schema, scope Scope, column string, at func(*Record[R]) time.Time,
) (*Page[P], error) {
	return s.list(ctx, req, schema, scope, column, at)
}

func (s *Store[P, R]) list(
	ctx context.Context, req ListRequest, schema filter.Schema, scope Scope, column string, at func(*Record[R]) time.Time,
) (*Page[P], error) {
	size := page.Size(req.GetPageSize())
	parameters := []string{s.room.Table.entity, req.GetFilter(), scope.Condition, fmt.Sprint(scope.Args...)}
	after, err := page.Decode[position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	where, args, err := filter.Postgres(req.GetFilter(), schema, scope.Args)
	if err != nil {
		return nil, err
	}
	if scope.Condition != "" {
		where = scope.Condition + " AND " + where
	}
	where, args = s.room.Table.narrowed(ctx, where, args)
	seek, order, args := keyset(s.room.Table.idColumn(), column, after, args)
	args = append(args, size+1)
	found, err := s.room.Table.Select(ctx, s.pool, fmt.Sprintf("%s AND %s ORDER BY %s LIMIT $%d", where, seek, order, len(args)), args...)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > size {
		found = found[:size]
		end := position{ID: found[size-1].ID}
		if at != nil {
			t := at(found[size-1])
			end.Time = &t
		}
		if next, err = page.Encode(end, parameters...); err != nil {
			return nil, err
		}
	}
	return &Page[P]{Items: Protos(found, s.room.ToProto), Next: next}, nil
}

// Protos renders records.
func Protos[P, R any](records []*Record[R], toProto func(*Record[R]) P) []P {
	out := make([]P, len(records))
	for i, r := range records {
		out[i] = toProto(r)
	}
	return out
}

// keyset continues after a position by the index that gives the order, without counting what came before.
func keyset(id, column string, after *position, args []any) (seek, order string, out []any) {
	order = id
	if column != "" {
		order = fmt.Sprintf("%s DESC, %s DESC", column, id)
	}
	switch {
	case after == nil:
		return "true", order, args
	case column == "":
		args = append(args, after.ID)
		return fmt.Sprintf("%s > $%d", id, len(args)), order, args
	default:
		args = append(args, after.Time, after.ID)
		return fmt.Sprintf("(%s, %s) < ($%d, $%d)", column, id, len(args)-1, len(args)), order, args
	}
}
