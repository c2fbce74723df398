package customerfact

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics show whether facts keep up.
type metrics struct {
	seconds   *prometheus.HistogramVec
	customers prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, k *Keeper) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tandem_customer_facts_refresh_seconds", Help: "How long refreshes took, of changed customers or of all.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 14),
		}, []string{"customers"}),
		customers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_customer_facts_refreshed_total", Help: "Changed customers whose facts were told anew.",
		}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tandem_customer_facts_age_seconds", Help: "How long the oldest change has waited for its customer's facts; 0 when none waits.",
	}, func() float64 { return k.age().Seconds() })
	return m, errors.Join(registry.Register(m.seconds), registry.Register(m.customers), registry.Register(age))
}
