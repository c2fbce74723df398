package testkit

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// Databases of tests are called tandem_test_<process>_<random>. A process holds an advisory lock named by its
// prefix as long as it lives, so that the next one can tell what a killed test run left behind, and
// drop it: there is no end-of-process hook to do it earlier.
var ownedName = regexp.MustCompile(`^(tandem_test_[0-9a-f]+_)`)

const (
	lockQuery = `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`
	listQuery = `SELECT datname FROM pg_database WHERE datname LIKE 'tandem\_test\_%'`

	// Slots first: a database with a slot cannot be dropped. Their readers may need a moment to end.
	endReadersQuery = `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
WHERE database = $1 AND active_pid IS NOT NULL`
	dropSlotsQuery = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1`
)

// newPostgres connects, claims a prefix and sweeps after dead processes.
func newPostgres(ctx context.Context, url string) (*postgres, error) {
	owner, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	p := &postgres{
		url: url, owner: owner,
		prefix:    "tandem_test_" + random() + "_",
		templates: map[string]func() (string, error){},
	}
	if _, err := p.lock(ctx, p.prefix); err != nil {
		return nil, err
	}
	return p, p.sweep(ctx)
}

// lock tells whether the prefix is ours now.
func (p *postgres) lock(ctx context.Context, prefix string) (bool, error) {
	var ours bool
	err := p.owner.QueryRow(ctx, lockQuery, prefix).Scan(&ours)
	return ours, err
}

// sweep drops the databases of processes that have ended.
func (p *postgres) sweep(ctx context.Context) error {
	rows, err := p.owner.Query(ctx, listQuery)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		owned := ownedName.FindStringSubmatch(name)
		if owned == nil || owned[1] == p.prefix {
			continue
		}
		dead, err := p.lock(ctx, owned[1])
		if err != nil {
			return err
		}
		if !dead {
			continue
		}
		if err := p.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a database with its slots and connections.
func (p *postgres) drop(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, p.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, query := range []string{endReadersQuery, dropSlotsQuery} {
		if _, err := conn.Exec(ctx, query, name); err != nil {
			return fmt.Errorf("drop the replication slots of %s: %w", name, err)
		}
	}
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	return err
}
