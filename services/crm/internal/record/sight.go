package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/sight"
)

// errOutOfSight is behind the refusal of rows that the caller may not see: in a batch it stands for its row alone.
var errOutOfSight = errors.New("out of sight")

// Seen returns the condition under which the caller of a context sees rows of the table, and the arguments with those that
// it binds; it is "true" for a caller who sees them all.
func (t *Table[R]) Seen(ctx context.Context, args []any) (string, []any) {
	condition, args := sight.Condition(ctx, t.belongs, args)
	if condition == "" {
		condition = "true"
	}
	return condition, args
}

// narrowed adds to a condition that only rows are meant which the caller sees.
func (t *Table[R]) narrowed(ctx context.Context, condition string, args []any) (string, []any) {
	seen, args := sight.Condition(ctx, t.belongs, args)
	if seen == "" {
		return condition, args
	}
	return condition + " AND " + seen, args
}

// Sees says which of some records the caller sees.
func (t *Table[R]) Sees(ctx context.Context, q Querier, ids ...int64) (map[int64]bool, error) {
	return t.sees(ctx, q, t.belongs, ids)
}

func (t *Table[R]) sees(ctx context.Context, q Querier, belongs sight.Belonging, ids []int64) (map[int64]bool, error) {
	seen := make(map[int64]bool, len(ids))
	condition, args := sight.Condition(ctx, belongs, []any{ids})
	if condition == "" {
		for _, id := range ids {
			seen[id] = true
		}
		return seen, nil
	}
	rows, err := q.Query(ctx, fmt.Sprintf("SELECT %[1]s FROM %[2]s WHERE %[1]s = ANY($1) AND %[3]s", t.idColumn(), t.entity, condition), args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	for _, id := range found {
		seen[id] = true
	}
	return seen, err
}

// Exists says whether there is a record with this id, seen or not.
func (t *Table[R]) Exists(ctx context.Context, q Querier, id int64) (bool, error) {
	rows, err := q.Query(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM %s WHERE %s = $1)", t.entity, t.idColumn()), id)
	if err != nil {
		return false, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
}

// MustSee answers NOT_FOUND for a record that the caller does not see, as for one that does not exist.
func (t *Table[R]) MustSee(ctx context.Context, q Querier, id int64) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	seen, err := t.Sees(ctx, q, id)
	if err == nil && !seen[id] {
		err = t.notFound(fmt.Sprint(id))
	}
	return err
}

// checkWritten refuses records that, as they are written now, belong to customers whom the caller does not see: nobody
// writes there, and nobody moves a record there.
func (s *Store[P, R]) checkWritten(ctx context.Context, q Querier, records []*Record[R]) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	ids := make([]int64, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	belongs := s.room.Table.belongs
	if s.room.Writable != nil {
		belongs = s.room.Writable
	}
	seen, err := s.room.Table.sees(ctx, q, belongs, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !seen[id] {
			return s.outOfSight()
		}
	}
	return nil
}

// checkStored refuses the rows of a batch whose stored records the caller does not see.
func (s *Store[P, R]) checkStored(ctx context.Context, q Querier, rows []*row[R], stored map[string]*Record[R]) error {
	if sight.Of(ctx).AllRows() {
		return nil
	}
	ids := make([]int64, 0, len(stored))
	for _, r := range stored {
		ids = append(ids, r.ID)
	}
	seen, err := s.room.Table.Sees(ctx, q, ids...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if old := stored[keyText(r.record.Key())]; old != nil && !seen[old.ID] {
			r.err = s.outOfSight()
		}
	}
	return nil
}

func (s *Store[P, R]) outOfSight() error {
	return apperr.Wrap(errOutOfSight, codes.PermissionDenied, apperr.ReasonOutOfScope,
		"the %s belongs, or would belong, to a customer outside of those that you may work for", s.room.Name)
}
