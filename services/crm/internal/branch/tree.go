package branch

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/record"
)

// treeLock is the advisory lock under which one call at a time changes who stands above whom: without it two calls that
// close a circle together would not see each other.
const treeLock = 22

// refuseCircles refuses managers who would stand above themselves, with those stored and those before them in the batch.
func refuseCircles(ctx context.Context, q record.Querier, rows []*record.Record[ManagerRow]) ([]error, error) {
	supervised := false
	for _, r := range rows {
		supervised = supervised || r.Row.SupervisorID != nil
	}
	if !supervised {
		return nil, nil
	}
	locked, err := q.Query(ctx, "SELECT pg_advisory_xact_lock($1)", int64(treeLock))
	if err != nil {
		return nil, err
	}
	locked.Close()
	if err := locked.Err(); err != nil {
		return nil, err
	}
	above, byKey, err := tree(ctx, q)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(rows))
	for i, r := range rows {
		id := r.ID
		if key := r.Key(); id == 0 && key != nil {
			id = byKey[key.GetSource()+"/"+key.GetExternalId()]
		}
		if r.Row.SupervisorID == nil {
			delete(above, id)
			continue
		}
		// A new manager has nobody below yet.
		if id != 0 && reaches(above, *r.Row.SupervisorID, id) {
			errs[i] = apperr.InvalidField("supervisor_id", "manager %d stands below this one already", *r.Row.SupervisorID)
			continue
		}
		above[id] = *r.Row.SupervisorID
	}
	return errs, nil
}

// tree reads who stands above whom, and who is known by which key. A bank has some thousand managers at most.
func tree(ctx context.Context, q record.Querier) (above map[int64]int64, byKey map[string]int64, err error) {
	rows, err := q.Query(ctx, "SELECT manager_id, coalesce(supervisor_id, 0), coalesce(source || '/' || external_id, '') FROM manager")
	if err != nil {
		return nil, nil, err
	}
	above, byKey = map[int64]int64{}, map[string]int64{}
	var id, supervisor int64
	var key string
	_, err = pgx.ForEachRow(rows, []any{&id, &supervisor, &key}, func() error {
		byKey[key] = id
		if supervisor != 0 {
			above[id] = supervisor
		}
		return nil
	})
	return above, byKey, err
}

// reaches says whether one stands on the way up from another.
func reaches(above map[int64]int64, from, to int64) bool {
	for id, steps := from, 0; id != 0 && steps <= len(above); id, steps = above[id], steps+1 {
		if id == to {
			return true
		}
	}
	return false
}
