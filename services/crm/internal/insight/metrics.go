package insight

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	applied, outdated, unknown, deadLetters prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		applied:     counter("tandem_insight_applied_total", "Customers whose insight was written."),
		outdated:    counter("tandem_insight_outdated_total", "Results that a newer or the same result was there before."),
		unknown:     counter("tandem_insight_unknown_customers_total", "Results skipped because crm does not know the customer."),
		deadLetters: counter("tandem_insight_dead_letters_total", "Bundles that could not be applied."),
	}
	for _, c := range []prometheus.Counter{m.applied, m.outdated, m.unknown, m.deadLetters} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register insight metrics: %w", err)
		}
	}
	return m, nil
}
