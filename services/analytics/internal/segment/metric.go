package segment

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics show whether segments are followed, and how fast.
type metrics struct {
	seconds *prometheus.HistogramVec
	events  *prometheus.CounterVec
	waiting prometheus.GaugeFunc
}

func newMetrics(registry prometheus.Registerer, f *follower) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tandem_segment_evaluation_seconds", Help: "How long evaluations of all followed segments took, by what caused them.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 12),
		}, []string{"cause"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_segment_events_total", Help: "Joins and leaves of followed segments, by what caused them.",
		}, []string{"cause"}),
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tandem_segment_waiting_customers", Help: "Changed customers whose segments were not looked at again yet.",
		}, f.waitingCustomers),
	}
	return m, errors.Join(registry.Register(m.seconds), registry.Register(m.events), registry.Register(m.waiting))
}

func (f *follower) waitingCustomers() float64 {
	f.waiting.Lock()
	defer f.waiting.Unlock()
	return float64(len(f.pending))
}
