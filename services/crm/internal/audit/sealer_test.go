package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/audit"
)

// sealedOnce checks that every entry is in exactly one block, in an order that grows.
func (b *bank) sealedOnce(t *testing.T, want int) {
	t.Helper()
	var entries, listed, distinct, stray, disordered int
	err := b.pool.QueryRow(t.Context(), `WITH s AS (
	SELECT x.xact_id, x.entry_id, lag((x.xact_id, x.entry_id)) OVER (ORDER BY number, place) AS before, row(x.xact_id, x.entry_id) AS here
	FROM audit_block, unnest(xact_ids, entry_ids) WITH ORDINALITY AS x (xact_id, entry_id, place))
SELECT (SELECT count(*) FROM audit_entry), count(*), count(DISTINCT entry_id),
	count(*) FILTER (WHERE NOT EXISTS (SELECT FROM audit_entry e WHERE e.entry_id = s.entry_id AND e.xact_id::text::bigint = s.xact_id)),
	count(*) FILTER (WHERE before >= here) FROM s`).Scan(&entries, &listed, &distinct, &stray, &disordered)
	if err != nil {
		t.Fatal(err)
	}
	if entries != want || listed != want || distinct != want || stray != 0 || disordered != 0 {
		t.Errorf("%d entries, sealed %d, distinct %d, unknown %d, out of order %d; want %d", entries, listed, distinct, stray, disordered, want)
	}
}

// Writers and two sealers at once: every entry is sealed exactly once, and the chain holds.
func TestWritersAndSealersTogether(t *testing.T) {
	t.Parallel()
	const writers, transactions = 8, 60
	b := newBank(t, 7)
	var work, sealing errgroup.Group
	done := make(chan struct{})
	for range 2 {
		sealing.Go(func() error {
			for {
				if _, err := b.sealer.Seal(t.Context()); err != nil {
					return err
				}
				select {
				case <-done:
					return nil
				default:
				}
			}
		})
	}
	want := 0
	for w := range writers {
		for i := range transactions {
			want += 1 + (w+i)%4
		}
		work.Go(func() error {
			for i := range transactions {
				err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error {
					for e := range 1 + (w+i)%4 {
						entry := audit.Entry{Action: audit.Update, Entity: "visitor", EntityID: int64(w), Version: int64(i*10 + e)}
						if err := audit.Append(t.Context(), tx, []audit.Entry{entry}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
	close(done)
	if err := sealing.Wait(); err != nil {
		t.Fatal(err)
	}
	b.seal(t)
	b.sealedOnce(t, want)
	if findings, last := b.verify(t, 0, 0); len(findings) != 0 || last.GetEntriesVerified() != int64(want) {
		t.Errorf("%v, %v", findings, last)
	}
}

// A transaction that began early and commits late has low numbers: nothing behind it is sealed before it ended.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	entry := func(id int64) []audit.Entry {
		return []audit.Entry{{Action: audit.Update, Entity: "card", EntityID: id, Version: 1}}
	}
	late, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Rollback(t.Context()) }()
	if err := audit.Append(t.Context(), late, entry(1)); err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(t.Context(), b.pool, func(tx pgx.Tx) error { return audit.Append(t.Context(), tx, entry(2)) }); err != nil {
		t.Fatal(err)
	}
	if n, err := b.sealer.Seal(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d entries sealed past an open transaction, %v", n, err)
	}
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.seal(t)
	b.sealedOnce(t, 2)
	if findings, _ := b.verify(t, 0, 0); len(findings) != 0 {
		t.Error(findings)
	}
}

// Run seals what comes and publishes each hash with the block.
func TestRunPublishes(t *testing.T) {
	t.Parallel()
	b := newBank(t, 3)
	var running errgroup.Group
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running.Go(func() error { return b.sealer.Run(ctx) })
	for i := range 10 {
		b.create(t, fmt.Sprint("Eva ", i))
	}
	var blocks, published int
	testkit.Eventually(t, testkit.Patience, func() error {
		head, err := b.audit.GetAuditHead(t.Context(), &crmv1.GetAuditHeadRequest{})
		if err == nil && head.GetUnsealedEntries() > 0 {
			err = errors.New("entries wait")
		}
		return err
	})
	stop()
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
	b.sealedOnce(t, 10)
	err := b.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit_block),
		(SELECT count(*) FROM outbox o JOIN audit_block a ON o.entity_id = a.number AND position(a.hash IN o.payload) > 0 WHERE o.entity = 'audit_block')`).Scan(&blocks, &published)
	if err != nil || blocks < 4 || published != blocks {
		t.Errorf("%d blocks, %d published, %v", blocks, published, err)
	}
	var months int
	err = b.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass`).Scan(&months)
	if err != nil || months < 4 {
		t.Errorf("%d partitions, want the default, this month and two more (%v)", months, err)
	}
}

// A database restored from a dump counts transactions from the beginning: that must be seen, not sealed over.
func TestCounterBehind(t *testing.T) {
	t.Parallel()
	b, _ := chain(t)
	b.tamper(t, "UPDATE audit_block SET last_xact_id = '9000000000000000' WHERE number = 3")
	b.create(t, "Eva")
	if _, err := b.sealer.Seal(t.Context()); !errors.Is(err, audit.ErrCounterBehind) {
		t.Errorf("sealed: %v", err)
	}
}
