package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/outbox"
)

const (
	intervalDefault     = time.Second
	entriesMaxDefault   = 2000
	maintenanceInterval = time.Hour
	// monthsAhead is how many months after this one have their partition ready.
	monthsAhead = 2
	// sealLock lets one process seal at a time ("audit" in ASCII).
	sealLock = 0x6175646974
)

// ErrCounterBehind says that transactions are numbered lower than those that are sealed: the database was restored from
// a dump into a new cluster. New entries would stand before the chain's end. Raise the counter of the cluster
// (pg_resetwal --next-transaction-id, --epoch) above the last sealed number.
var ErrCounterBehind = errors.New("audit: the cluster's transaction counter is behind the sealed entries")

// SealerConfig says how entries are sealed.
type SealerConfig struct {
	// Pool of the operational database.
	Pool *pgxpool.Pool
	// Logger receives what failed.
	Logger *slog.Logger
	// Registerer receives tandem_audit_sealed_entries_total, tandem_audit_head_block and tandem_audit_seal_failures_total.
	Registerer prometheus.Registerer
	// Interval between rounds; zero means a second. It bounds how much can be cut off without a trace.
	Interval time.Duration
	// EntriesMax closes a block; zero means 2000.
	EntriesMax int
}

// Validate reports what can't work and fills in defaults.
func (c *SealerConfig) Validate() error {
	if c.Pool == nil || c.Logger == nil || c.Registerer == nil {
		return errors.New("audit sealer: pool, logger and registerer must be set")
	}
	if c.Interval == 0 {
		c.Interval = intervalDefault
	}
	if c.EntriesMax == 0 {
		c.EntriesMax = entriesMaxDefault
	}
	if c.Interval < 0 || c.EntriesMax < 0 {
		return errors.New("audit sealer: interval and entries must not be negative")
	}
	return nil
}

// Sealer closes blocks.
type Sealer struct {
	config   SealerConfig
	log      *slog.Logger
	entries  prometheus.Counter
	failures prometheus.Counter
	head     prometheus.Gauge
}

// NewSealer checks the configuration and registers the metrics.
func NewSealer(c SealerConfig) (*Sealer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Sealer{
		config: c, log: c.Logger.With("component", "audit"),
		entries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_audit_sealed_entries_total", Help: "Audit entries that this process has sealed.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_audit_seal_failures_total", Help: "Rounds of sealing or of its maintenance that failed.",
		}),
		head: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tandem_audit_head_block", Help: "Number of the last block that this process has sealed.",
		}),
	}
	for _, metric := range []prometheus.Collector{s.entries, s.failures, s.head} {
		if err := c.Registerer.Register(metric); err != nil {
			return nil, fmt.Errorf("register audit metrics: %w", err)
		}
	}
	return s, nil
}

// Run seals until the context ends. A failed round is logged, counted and tried again: entries wait unharmed.
func (s *Sealer) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.config.Interval)
	defer ticker.Stop()
	maintenance := time.NewTicker(maintenanceInterval)
	defer maintenance.Stop()
	s.watch(ctx, s.Maintain(ctx))
	for {
		_, err := s.Seal(ctx)
		s.watch(ctx, err)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-maintenance.C:
			s.watch(ctx, s.Maintain(ctx))
		}
	}
}

func (s *Sealer) watch(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.failures.Inc()
		s.log.Error("audit entries could not be sealed; it is tried again", "error", err)
	}
}

// Maintain makes the partitions of this month and the next ones.
func (s *Sealer) Maintain(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.config.Pool, func(tx pgx.Tx) error {
		// Every writer queues behind a lock that this waits for.
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '1s'"); err != nil {
			return fmt.Errorf("bound lock waits: %w", err)
		}
		_, err := tx.Exec(ctx, "SELECT audit_month(now() + make_interval(months => m)) FROM generate_series(0, $1) m", monthsAhead)
		if err != nil {
			return fmt.Errorf("make audit partitions: %w", err)
		}
		return nil
	})
}

// Seal closes blocks until no full one is left, and returns how many entries it sealed. When another process is sealing
// it does nothing.
func (s *Sealer) Seal(ctx context.Context) (entries int, err error) {
	for {
		n, err := s.sealOne(ctx)
		entries += n
		if err != nil || n < s.config.EntriesMax {
			return entries, err
		}
	}
}

// sealOne closes one block over what can no longer change its order, and leaves its hash in the outbox.
func (s *Sealer) sealOne(ctx context.Context) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.config.Pool, func(tx pgx.Tx) error {
		var mine bool
		var now time.Time
		if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1), now()", sealLock).Scan(&mine, &now); err != nil || !mine {
			return err
		}
		previous, err := lastBlock(ctx, tx)
		if err != nil {
			return err
		}
		ready, err := s.ready(ctx, tx, previous)
		if err != nil || len(ready) == 0 {
			return err
		}
		n = len(ready)
		return store(ctx, tx, newBlock(previous, ready, now))
	})
	if err != nil {
		return 0, fmt.Errorf("seal audit entries: %w", err)
	}
	s.entries.Add(float64(n))
	return n, nil
}

// readySQL reads what is behind a place, at most $3 entries.
const readySQL = "SELECT " + sealedColumns + ` FROM audit_entry
WHERE (xact_id, entry_id) > ($1::bigint::text::xid8, $2) AND xact_id < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY audit_entry.xact_id, entry_id LIMIT $3`

// ready returns the entries behind a block whose order is settled. A transaction below the snapshot's xmin has ended, so
// its entries are all there; one above may still commit, and what it wrote comes after everything that is taken here,
// however low its entry_id is.
func (s *Sealer) ready(ctx context.Context, tx pgx.Tx, previous *block) ([]*sealed, error) {
	var end place
	if previous != nil {
		end = previous.last
	}
	var behind bool
	if err := tx.QueryRow(ctx, "SELECT pg_snapshot_xmax(pg_current_snapshot()) <= $1::bigint::text::xid8", end.xactID).Scan(&behind); err != nil {
		return nil, err
	}
	if behind {
		return nil, fmt.Errorf("%w (%d)", ErrCounterBehind, end.xactID)
	}
	rows, err := tx.Query(ctx, readySQL, end.xactID, end.entryID, s.config.EntriesMax)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSealed)
}

func store(ctx context.Context, tx pgx.Tx, b *block) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_block (number, first_xact_id, first_entry_id, last_xact_id, last_entry_id, entries,
xact_ids, entry_ids, entry_hashes, previous_hash, hash, sealed_at)
VALUES ($1, $2::bigint::text::xid8, $3, $4::bigint::text::xid8, $5, $6, $7, $8, $9, $10, $11, $12)`,
		b.number, b.first.xactID, b.first.entryID, b.last.xactID, b.last.entryID, len(b.entryIDs),
		b.xactIDs, b.entryIDs, b.entryHashes, b.previousHash, b.hash, b.sealedAt)
	if err != nil {
		return err
	}
	return outbox.Append(ctx, tx, []*eventsv1.Change{{
		EntityId: b.number, Version: 1, ChangeTime: timestamppb.New(b.sealedAt),
		Payload: &eventsv1.Change_AuditBlock{AuditBlock: &eventsv1.AuditBlockState{
			Hash: b.hash, PreviousHash: b.previousHash, Entries: int64(len(b.entryIDs)),
			FirstEntryId: b.first.entryID, LastEntryId: b.last.entryID, SealedTime: timestamppb.New(b.sealedAt),
		}},
	}})
}
