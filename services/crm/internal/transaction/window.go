package transaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/pkg/lifecycle"
	"tandem.bank/services/crm/internal/outbox"
)

const (
	windowInterval = time.Hour
	// windowLock serialises the maintenance of several processes ("months" in ASCII).
	windowLock = 0x6d6f6e746873
)

// WindowConfig says how many months of transactions are kept.
type WindowConfig struct {
	Pool   *pgxpool.Pool
	Logger *slog.Logger
	// Registerer receives tandem_transaction_months, tandem_transaction_months_dropped_total and
	// tandem_transaction_window_failures_total.
	Registerer prometheus.Registerer
	// SlotName is the relay's slot, whose watermark decides what may be dropped.
	SlotName string
	// Months to keep before the current one; 0 keeps all.
	Months int
}

// Window drops months of transactions that are older than the window.
type Window struct {
	config   WindowConfig
	log      *slog.Logger
	months   prometheus.Gauge
	dropped  prometheus.Counter
	failures prometheus.Counter
}

// NewWindow checks the configuration and registers the metrics.
func NewWindow(c WindowConfig) (*Window, error) {
	if c.Pool == nil || c.Logger == nil || c.Registerer == nil || c.SlotName == "" || c.Months < 0 {
		return nil, errors.New("transaction window: pool, logger, registerer and slot name must be set, months not be negative")
	}
	w := &Window{
		config: c, log: c.Logger.With("component", "transaction window"),
		months: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tandem_transaction_months", Help: "Months of transactions kept in Postgres."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_transaction_months_dropped_total", Help: "Months of transactions dropped.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_transaction_window_failures_total", Help: "Rounds of the transaction window that failed in part.",
		}),
	}
	for _, metric := range []prometheus.Collector{w.months, w.dropped, w.failures} {
		if err := c.Registerer.Register(metric); err != nil {
			return nil, fmt.Errorf("register transaction window metrics: %w", err)
		}
	}
	return w, nil
}

// Run maintains the window now and once per hour until the context ends.
func (w *Window) Run(ctx context.Context) error {
	return lifecycle.Every(ctx, windowInterval, func(ctx context.Context) {
		if err := w.Maintain(ctx); err != nil && ctx.Err() == nil {
			w.failures.Inc()
			w.log.Error("months of transactions could not be dropped; it is tried again", "retry_in", windowInterval, "error", err)
		}
	})
}

// Maintain does one round: it moves the window on, closes the months before it, and drops those that were closed earlier and
// whose events are published. A month takes two rounds at least.
func (w *Window) Maintain(ctx context.Context) error {
	kept, err := w.moveOn(ctx)
	if err != nil {
		return err
	}
	months, err := w.list(ctx)
	if err != nil {
		return err
	}
	var errs []error
	count := len(months)
	for _, month := range months {
		if !month.Before(kept) {
			continue
		}
		gone, err := w.retire(ctx, month)
		if err != nil {
			errs = append(errs, fmt.Errorf("month %s: %w", month.Format("2006-01"), err))
		}
		if gone {
			count--
			w.dropped.Inc()
			w.log.Info("month of transactions dropped", "month", month.Format("2006-01"))
		}
	}
	w.months.Set(float64(count))
	return errors.Join(errs...)
}

// moveOn is the first month that is kept. It never moves back: what was dropped does not return.
func (w *Window) moveOn(ctx context.Context) (kept time.Time, err error) {
	if w.config.Months == 0 {
		return keptFrom(ctx, w.config.Pool)
	}
	err = w.config.Pool.QueryRow(ctx, `INSERT INTO transaction_window (kept_from)
VALUES ((date_trunc('month', current_date) - make_interval(months => $1))::date)
ON CONFLICT (only_row) DO UPDATE SET kept_from = greatest(transaction_window.kept_from, excluded.kept_from) RETURNING kept_from`,
		w.config.Months).Scan(&kept)
	return kept, err
}

// keptFrom is the first month that is kept, zero when all are.
func keptFrom(ctx context.Context, pool *pgxpool.Pool) (time.Time, error) {
	var kept time.Time
	err := pool.QueryRow(ctx, "SELECT kept_from FROM transaction_window").Scan(&kept)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	return kept, err
}

func (w *Window) list(ctx context.Context) ([]time.Time, error) {
	rows, err := w.config.Pool.Query(ctx, `SELECT to_date(right(c.relname, 6), 'YYYYMM') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'transaction'::regclass AND c.relname ~ '^transaction_[0-9]{6}$' ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[time.Time])
}

// retire closes a month or, when that was done before and everything is published, drops it. It gives up early on locks:
// every writer queues behind a lock that maintenance waits for.
func (w *Window) retire(ctx context.Context, month time.Time) (gone bool, err error) {
	err = pgx.BeginFunc(ctx, w.config.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", windowLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '1s'"); err != nil {
			return err
		}
		var closed *string
		err := tx.QueryRow(ctx, "SELECT (SELECT xact_id::text FROM transaction_closed_month WHERE month = $1)", month).Scan(&closed)
		switch {
		case err != nil:
			return err
		case closed == nil:
			return closeMonth(ctx, tx, month)
		}
		published, err := outbox.Published(ctx, tx, w.config.SlotName, *closed)
		if err != nil || !published {
			return err
		}
		gone = true
		return dropMonth(ctx, tx, month)
	})
	return gone && err == nil, err
}

func partitionOf(month time.Time) string { return "transaction_" + month.Format("200601") }

// closeMonth keeps everybody from writing to a month: a condition that no row meets. Whoever wrote before has committed,
// because the change waits for them, and so has a number below that of this transaction.
func closeMonth(ctx context.Context, tx pgx.Tx, month time.Time) error {
	name := partitionOf(month)
	if _, err := tx.Exec(ctx, "ALTER TABLE "+name+" ADD CONSTRAINT "+name+"_closed CHECK (false) NOT VALID"); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO transaction_closed_month (month, xact_id) VALUES ($1, pg_current_xact_id())", month)
	return err
}

// dropMonth keeps the day's last running balances, for the history of balances, and drops the rest.
func dropMonth(ctx context.Context, tx pgx.Tx, month time.Time) error {
	name := partitionOf(month)
	_, err := tx.Exec(ctx, `INSERT INTO account_balance_day (account_id, business_date, settled)
SELECT DISTINCT ON (account_id, business_date) account_id, business_date, balance_after FROM `+name+`
WHERE balance_after IS NOT NULL AND state = 'posted' ORDER BY account_id, business_date, transaction_id DESC
ON CONFLICT (account_id, business_date) DO UPDATE SET settled = excluded.settled`)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DROP TABLE "+name); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE transaction_closed_month SET dropped_at = now() WHERE month = $1", month)
	return err
}
