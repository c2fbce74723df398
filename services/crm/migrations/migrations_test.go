package migrations_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/testkit"
	"tandem.bank/services/crm/migrations"
)

func TestProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := testkit.PostgresDatabase(t, testkit.Template{})
	var group errgroup.Group
	for range 3 {
		group.Go(func() error { return migrations.Migrate(t.Context(), url) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Migrate(t.Context(), url); err != nil {
		t.Errorf("a second time: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var published bool
	err = conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_publication_tables
		WHERE pubname = 'tandem_outbox' AND tablename = 'outbox' AND attnames = '{event_id,entity,deleted,payload}')`).Scan(&published)
	if err != nil || !published {
		t.Errorf("the outbox is not published as the relay needs it (%v)", err)
	}
}

func TestBadURLIsNamed(t *testing.T) {
	t.Parallel()
	if err := migrations.Migrate(t.Context(), "postgres://:port"); err == nil {
		t.Error("a broken address was accepted")
	}
}
