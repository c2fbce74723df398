package schedule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics show whether what runs by itself does.
type metrics struct {
	runs    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	due     *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_schedule_runs_total", Help: "Attempts of runs of definitions, by kind and how they ended.",
		}, []string{"kind", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tandem_schedule_run_seconds", Help: "How long attempts took.", Buckets: prometheus.ExponentialBuckets(0.1, 4, 8),
		}, []string{"kind"}),
		due: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tandem_schedule_due_runs", Help: "Runs that are due and have not begun.",
		}, []string{"kind"}),
	}
	return m, errors.Join(registry.Register(m.runs), registry.Register(m.seconds), registry.Register(m.due))
}
