package outbox

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
)

const (
	// RetentionDefault is the replay horizon: how long published rows stay. Streams keep messages longer.
	RetentionDefault = 7 * 24 * time.Hour
	// daysAheadDefault is how many days maintenance may be away before rows go to the default partition.
	daysAheadDefault = 7
	// intervalDefault is far shorter than a day, so that a lock that was not to be had is tried again soon.
	intervalDefault = time.Hour
	// maintenanceLock serialises the maintenance of several processes ("outbox" in ASCII).
	maintenanceLock = 0x6f7574626f78
)

// MaintainerConfig says how the partitions are looked after.
type MaintainerConfig struct {
	// Pool of the operational database.
	Pool *pgxpool.Pool
	// Logger receives what was created and dropped.
	Logger *slog.Logger
	// Registerer receives tandem_outbox_partitions and tandem_outbox_maintenance_failures_total.
	Registerer prometheus.Registerer
	// SlotName is the relay's slot, whose watermark decides what may be dropped.
	SlotName string
	// Retention keeps whole days at least this long; zero means RetentionDefault.
	Retention time.Duration
	// DaysAhead is how many days after today have their partition ready; zero means 7.
	DaysAhead int
	// Interval between rounds; zero means an hour.
	Interval time.Duration
}

// Validate reports every unusable field and fills in defaults.
func (c *MaintainerConfig) Validate() error {
	var errs []error
	if c.Pool == nil || c.Logger == nil || c.Registerer == nil {
		errs = append(errs, errors.New("outbox maintenance: pool, logger and registerer must be set"))
	}
	if c.SlotName == "" {
		errs = append(errs, errors.New("outbox maintenance slot name: must not be empty"))
	}
	if c.Retention == 0 {
		c.Retention = RetentionDefault
	}
	// Less than a day would drop the partition that a transaction of yesterday evening still writes to.
	if c.Retention < 24*time.Hour {
		errs = append(errs, fmt.Errorf("outbox retention: must be at least 24h, is %s", c.Retention))
	}
	if c.DaysAhead == 0 {
		c.DaysAhead = daysAheadDefault
	}
	if c.DaysAhead < 1 || c.DaysAhead > 366 {
		errs = append(errs, fmt.Errorf("outbox days ahead: must be 1 to 366, is %d", c.DaysAhead))
	}
	if c.Interval == 0 {
		c.Interval = intervalDefault
	}
	return errors.Join(errs...)
}

// Maintainer creates partitions ahead and drops published ones.
type Maintainer struct {
	config   MaintainerConfig
	log      *slog.Logger
	count    prometheus.Gauge
	failures prometheus.Counter
}

// NewMaintainer checks the configuration and registers the metrics.
func NewMaintainer(c MaintainerConfig) (*Maintainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Maintainer{
		config: c,
		log:    c.Logger.With("component", "outbox"),
		count: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tandem_outbox_partitions", Help: "Range partitions of the outbox.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_outbox_maintenance_failures_total", Help: "Rounds of partition maintenance that failed in part.",
		}),
	}
	for _, metric := range []prometheus.Collector{m.count, m.failures} {
		if err := c.Registerer.Register(metric); err != nil {
			return nil, fmt.Errorf("register outbox metrics: %w", err)
		}
	}
	return m, nil
}

// Run maintains the partitions now and once per interval until the context ends. A failed round is logged, counted and
// tried again: rows are safe in the default partition meanwhile.
func (m *Maintainer) Run(ctx context.Context) error {
	return lifecycle.Every(ctx, m.config.Interval, func(ctx context.Context) {
		if err := m.Maintain(ctx); err != nil && ctx.Err() == nil {
			m.failures.Inc()
			m.log.Error("partition maintenance failed; it is tried again", "retry_in", m.config.Interval, "error", err)
		}
	})
}

// Maintain does one round. Its steps do not depend on each other: one that fails does not stop the rest.
func (m *Maintainer) Maintain(ctx context.Context) error {
	var today time.Time
	if err := m.config.Pool.QueryRow(ctx, "SELECT now()").Scan(&today); err != nil {
		return fmt.Errorf("read the database's time: %w", err)
	}
	today = dayOf(today)

	// 1. Give rows of the default partition a proper one, or their days could not be created.
	errs := []error{m.settleDefault(ctx)}
	// 2. Create today and the days ahead.
	errs = append(errs, m.createAhead(ctx, today))
	// 3. Drop what is old and published.
	errs = append(errs, m.dropOld(ctx, today))

	existing, err := listPartitions(ctx, m.config.Pool)
	m.count.Set(float64(len(existing)))
	return errors.Join(append(errs, err)...)
}

func (m *Maintainer) createAhead(ctx context.Context, today time.Time) error {
	return m.locked(ctx, func(tx pgx.Tx) error {
		existing, err := listPartitions(ctx, tx)
		if err != nil {
			return err
		}
		for day := today; !day.After(today.AddDate(0, 0, m.config.DaysAhead)); day = nextDay(day) {
			if anyCovers(existing, day) {
				continue
			}
			if err := createPartition(ctx, tx, dayPartition(day)); err != nil {
				return err
			}
			m.log.Info("partition created", "partition", dayPartition(day).name())
		}
		return nil
	})
}

// dropOld drops each partition in a transaction of its own, so that one that is in use does not keep the others.
func (m *Maintainer) dropOld(ctx context.Context, today time.Time) error {
	existing, err := listPartitions(ctx, m.config.Pool)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range existing {
		if p.to.After(today.Add(-m.config.Retention)) {
			continue
		}
		errs = append(errs, m.locked(ctx, func(tx pgx.Tx) error {
			dropped, err := dropPublished(ctx, tx, p, m.config.SlotName)
			switch {
			case err != nil:
				return err
			case dropped:
				m.log.Info("partition dropped", "partition", p.name())
			default:
				m.log.Warn("partition is past its retention but not yet published; it stays", "partition", p.name())
			}
			return nil
		}))
	}
	return errors.Join(errs...)
}

// settleDefault turns the default partition into an ordinary one when rows are in it.
func (m *Maintainer) settleDefault(ctx context.Context) error {
	var used bool
	if err := m.config.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+defaultName+")").Scan(&used); err != nil {
		return fmt.Errorf("look into the default partition: %w", err)
	}
	if !used {
		return nil
	}
	return m.locked(ctx, func(tx pgx.Tx) error {
		settled, err := settleDefault(ctx, tx)
		if err == nil && settled != nil {
			m.log.Warn("rows had no partition of their day; the default partition became theirs", "partition", settled.name())
		}
		return err
	})
}

// locked runs one step in a transaction that no other maintenance shares and that gives up early on locks: every
// writer queues behind a lock that maintenance waits for.
func (m *Maintainer) locked(ctx context.Context, step func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, m.config.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", maintenanceLock); err != nil {
			return fmt.Errorf("take the maintenance lock: %w", err)
		}
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '1s'"); err != nil {
			return fmt.Errorf("bound lock waits: %w", err)
		}
		return step(tx)
	})
}
