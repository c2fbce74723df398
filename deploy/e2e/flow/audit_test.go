package flow

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/testkit"
)

// TestAudit follows an import into the audit, and then plays the owner of the database who edits an entry, cuts the tail
// of the chain, and lets it grow again: each is found from outside, with the block and the entry.
func TestAudit(t *testing.T) {
	t.Parallel()
	b := open(t)
	folder := filepath.Join(b.work, "bank")
	b.tandem(t, 0, "demo", "generate", "--customers", "150", "--seed", "7", "--out", folder)
	b.tandem(t, 0, "--actor", "loader", "import", "--mapping", "demo", folder)
	b.awaitCopied(t)

	if out := b.tandem(t, 0, "audit", "list", "--by", "loader", "--filter", `action = "create"`, "--entity", "customer", "--limit", "500"); strings.Count(out, "create  customer") != 150 {
		t.Errorf("the audit of the import:\n%s", out)
	}
	b.tandem(t, 0, "--actor", "eva", "customer", "360", "demo/C1")
	if out := b.tandem(t, 0, "audit", "list", "--by", "eva"); !strings.Contains(out, "read") {
		t.Errorf("the audit of a read:\n%s", out)
	}
	b.awaitCopied(t)

	b.asOwner(t, "UPDATE audit_entry SET actor = 'nobody' WHERE entry_id = 7")
	if out := b.tandem(t, 1, "audit", "verify"); !strings.Contains(out, "entry 7 (") || !strings.Contains(out, "is not what was sealed in block 1") {
		t.Errorf("an edited entry:\n%s", out)
	}
	b.asOwner(t, "UPDATE audit_entry SET actor = 'loader' WHERE entry_id = 7")
	b.tandem(t, 0, "audit", "verify")
	b.hideChange(t)

	// Blocks and their entries disappear together: what is left is a chain that proves itself.
	b.asOwner(t,
		"DELETE FROM audit_entry e USING audit_block b WHERE b.number = (SELECT max(number) FROM audit_block) AND e.entry_id = ANY(b.entry_ids)",
		"DELETE FROM audit_block WHERE number = (SELECT max(number) FROM audit_block)")
	if out := b.tandem(t, 1, "audit", "verify"); !strings.Contains(out, "was published and is gone: the chain was cut behind block") {
		t.Errorf("a cut tail:\n%s", out)
	}
	// Another entry is sealed under the lost number; both hashes are known outside.
	b.tandem(t, 0, "customer", "360", "demo/C1")
	testkit.Eventually(t, time.Minute, func() error {
		out, _ := b.command(t.Context(), "audit", "verify").CombinedOutput()
		if !strings.Contains(string(out), "sealed anew") {
			return errors.New(string(out))
		}
		return nil
	})
}

// hideChange makes a change, and deletes its entry before it is sealed and its event after it was published: nothing in
// Postgres tells of it any more. Afterwards the traces are put back.
func (b *bank) hideChange(t *testing.T) {
	t.Helper()
	pool := b.postgres(t)
	sealing, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sealing.Release()
	if _, err := sealing.Exec(t.Context(), "SELECT pg_advisory_lock($1)", sealLock); err != nil {
		t.Fatal(err)
	}
	b.tandem(t, 0, "service-account", "create", "ghost", "--role", "operations", "--private-key", filepath.Join(b.work, "ghost.key"))
	b.tandem(t, 0, "wait")
	b.asOwner(t, "CREATE TABLE hidden_entry AS SELECT * FROM audit_entry WHERE entity = 'service_account' AND action = 'create'",
		"CREATE TABLE hidden_event AS SELECT * FROM outbox WHERE entity = 'service_account'",
		"DELETE FROM audit_entry WHERE entity = 'service_account' AND action = 'create'", "DELETE FROM outbox WHERE entity = 'service_account'")
	const missed = "version 1 of service_account 1 was published, made by "
	out := b.tandem(t, 1, "audit", "verify")
	if strings.Count(out, "\n") != 2 || !strings.Contains(out, missed) {
		t.Errorf("an entry that was deleted with its event:\n%s", out)
	}
	b.asOwner(t, "INSERT INTO audit_entry OVERRIDING SYSTEM VALUE SELECT * FROM hidden_entry", "INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT * FROM hidden_event")
	if _, err := sealing.Exec(t.Context(), "SELECT pg_advisory_unlock($1)", sealLock); err != nil {
		t.Fatal(err)
	}
	b.awaitCopied(t)
}

// sealLock is what a process holds that seals blocks ("audit" in ASCII).
const sealLock = 0x6175646974

// awaitCopied waits until every entry is sealed and every block copied, and nothing is wrong.
func (b *bank) awaitCopied(t *testing.T) {
	t.Helper()
	pool := b.postgres(t)
	testkit.Eventually(t, time.Minute, func() error {
		var sealed bool
		err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit_entry) = (SELECT sum(entries) FROM audit_block)`).Scan(&sealed)
		if err != nil || !sealed {
			return errors.Join(errors.New("entries wait"), err)
		}
		out, err := b.command(t.Context(), "audit", "verify").CombinedOutput()
		if err != nil || !strings.Contains(string(out), " 0 not copied yet") {
			return errors.New(string(out))
		}
		return nil
	})
}

// asOwner changes what the triggers protect.
func (b *bank) asOwner(t *testing.T, statements ...string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), b.postgres(t), func(tx pgx.Tx) error {
		for _, sql := range append([]string{"SET LOCAL session_replication_role = replica"}, statements...) {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServiceIsNoSuperuser looks at the role by which crm works: it owns its database and may replicate, and no more.
func TestServiceIsNoSuperuser(t *testing.T) {
	t.Parallel()
	b := open(t)
	var roles []string
	rows, err := b.postgres(t).Query(t.Context(), `SELECT DISTINCT format('%s superuser=%s replication=%s createrole=%s bypassrls=%s', rolname, rolsuper,
    rolreplication, rolcreaterole, rolbypassrls)
FROM pg_roles JOIN pg_stat_activity ON usename = rolname WHERE client_addr IS NOT NULL AND pid <> pg_backend_pid()`)
	if err == nil {
		roles, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil || len(roles) != 1 || roles[0] != "crm superuser=f replication=t createrole=f bypassrls=f" {
		t.Errorf("crm is %q, %v", roles, err)
	}
}
