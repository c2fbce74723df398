package access

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/services/crm/internal/sight"
)

const (
	// placeAge is how long a caller's place is believed: so long a manager who moved sees the old customers.
	placeAge = 5 * time.Second
	// placesMax bounds how many are kept.
	placesMax = 10_000
)

// place is where in the bank somebody works.
type place struct {
	// ManagerID is 0 for somebody who is no manager.
	ManagerID, BranchID int64
	// Below are the managers below, with oneself.
	Below []int64
}

// places finds callers among the managers by their login.
type places struct {
	pool *pgxpool.Pool
	mu   sync.Mutex
	kept map[string]keptPlace
}

type keptPlace struct {
	place
	until time.Time
}

func newPlaces(pool *pgxpool.Pool) *places { return &places{pool: pool, kept: map[string]keptPlace{}} }

// placeSQL goes down the tree a level at a time. UNION drops what comes again, so that it ends whatever the table holds.
const placeSQL = `WITH RECURSIVE below AS (
    SELECT manager_id, branch_id, true AS self FROM manager WHERE login = $1 AND login <> ''
    UNION
    SELECT m.manager_id, m.branch_id, false FROM below b JOIN manager m ON m.supervisor_id = b.manager_id
)
SELECT manager_id, coalesce(branch_id, 0), self FROM below`

// of returns where a subject works; one who is no manager has the zero place.
func (p *places) of(ctx context.Context, subject string) (place, error) {
	now := time.Now()
	p.mu.Lock()
	kept, ok := p.kept[subject]
	p.mu.Unlock()
	if ok && now.Before(kept.until) {
		return kept.place, nil
	}
	found, err := p.find(ctx, subject)
	if err != nil {
		return place{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= placesMax {
		clear(p.kept)
	}
	p.kept[subject] = keptPlace{found, now.Add(placeAge)}
	return found, nil
}

func (p *places) find(ctx context.Context, subject string) (place, error) {
	var found place
	rows, err := p.pool.Query(ctx, placeSQL, subject)
	if err != nil {
		return found, err
	}
	var id, branchID int64
	var self bool
	_, err = pgx.ForEachRow(rows, []any{&id, &branchID, &self}, func() error {
		if self {
			found.ManagerID, found.BranchID = id, branchID
		}
		found.Below = append(found.Below, id)
		return nil
	})
	return found, err
}

// rows are the customers that a grant reaches from a place.
func (g *grant) rows(at place) sight.Rows {
	if g.scopes[rowsAll] {
		return sight.Rows{All: true}
	}
	var rows sight.Rows
	if g.scopes[rowsBranch] && at.BranchID != 0 {
		rows.BranchIDs = []int64{at.BranchID}
	}
	switch {
	case g.scopes[rowsTree]:
		rows.ManagerIDs = at.Below
	case g.scopes[rowsOwn] && at.ManagerID != 0:
		rows.ManagerIDs = []int64{at.ManagerID}
	}
	if len(rows.BranchIDs)+len(rows.ManagerIDs) > 0 {
		rows.HomeID = at.BranchID
	}
	return rows
}

// path are the managers from one down to another below.
func (p *places) path(ctx context.Context, from, to int64) ([]int64, error) {
	rows, err := p.pool.Query(ctx, `WITH RECURSIVE up AS (
    SELECT manager_id, supervisor_id, ARRAY[manager_id] AS path FROM manager WHERE manager_id = $1
    UNION ALL
    SELECT m.manager_id, m.supervisor_id, m.manager_id || u.path FROM up u JOIN manager m ON m.manager_id = u.supervisor_id
    WHERE m.manager_id <> ALL (u.path)
)
SELECT path FROM up WHERE manager_id = $2`, to, from)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[]int64])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
