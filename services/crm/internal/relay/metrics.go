package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// lagInterval is how often the log behind the slot is measured.
const lagInterval = 5 * time.Second

type metrics struct {
	lagBytes prometheus.Gauge
	failures prometheus.Counter
}

// newMetrics registers the metrics. Those that the relay counts anyway are read when they are scraped.
func newMetrics(registerer prometheus.Registerer, r *Relay) (*metrics, error) {
	m := &metrics{
		lagBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tandem_outbox_lag_bytes",
			Help: "Write-ahead log behind the relay's slot, whichever process holds it.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_relay_session_failures_total",
			Help: "Sessions that ended by a failure; each starts again where it was confirmed.",
		}),
	}
	for _, collector := range []prometheus.Collector{
		m.lagBytes, m.failures,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tandem_outbox_lag_seconds",
			Help: "Age of the oldest change that this process has read and not yet published; 0 when it does not hold the slot.",
		}, r.lagSeconds),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tandem_relay_published_total",
			Help: "Changes published and acknowledged; what is sent again counts again.",
		}, func() float64 { return float64(r.published.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tandem_relay_active",
			Help: "1 while this process holds the slot. The sum over all processes should be 1.",
		}, func() float64 {
			if r.active.Load() {
				return 1
			}
			return 0
		}),
	} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("register relay metrics: %w", err)
		}
	}
	return m, nil
}

func (r *Relay) lagSeconds() float64 {
	oldest := r.oldest.Load()
	if oldest == 0 {
		return 0
	}
	// The database's clock and ours differ a little.
	return max(0, time.Since(time.Unix(0, oldest)).Seconds())
}

// watchLag measures the log behind the slot, whoever holds it: also when nobody does.
func (r *Relay) watchLag(ctx context.Context) {
	for failed := false; ctx.Err() == nil; wait(ctx, lagInterval) {
		var bytes float64
		err := r.config.Pool.QueryRow(ctx, `
			SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::float8
			FROM pg_replication_slots WHERE slot_name = $1`, r.config.SlotName).Scan(&bytes)
		if err == nil || errors.Is(err, pgx.ErrNoRows) {
			r.metrics.lagBytes.Set(bytes)
			failed = false
			continue
		}
		// Once per outage: the session tells the rest.
		if !failed && ctx.Err() == nil {
			r.log.Warn("cannot measure the lag", "error", err)
		}
		failed = true
	}
}
