package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeTimeout bounds what one scrape may ask of NATS.
const scrapeTimeout = 2 * time.Second

type metrics struct {
	rows          *prometheus.CounterVec
	messages      prometheus.Counter
	batches       prometheus.Counter
	seconds       prometheus.Histogram
	deadLetters   prometheus.Counter
	interruptions prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, in *Ingest) (*metrics, error) {
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tandem_ingest_rows_total", Help: "Rows inserted into the warehouse, repeated ones included.",
		}, []string{"table"}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_ingest_messages_total", Help: "Messages of the stream of changes that were acknowledged.",
		}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_ingest_batches_total", Help: "Batches inserted and acknowledged.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tandem_ingest_batch_seconds", Help: "Time from a full batch to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
		deadLetters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_ingest_dead_letters_total", Help: "Messages put aside because they could not be applied.",
		}),
		interruptions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_ingest_interruptions_total", Help: "Times that ingestion had to begin again, for example without ClickHouse.",
		}),
	}
	parts := []prometheus.Collector{m.rows, m.messages, m.batches, m.seconds, m.deadLetters, m.interruptions, &lag{in}}
	for _, part := range parts {
		if err := registry.Register(part); err != nil {
			return nil, fmt.Errorf("ingest metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) stored(b *batch, took time.Duration) {
	for table, rows := range b.rows.RowsByTable() {
		m.rows.WithLabelValues(table).Add(float64(rows))
	}
	m.messages.Add(float64(len(b.messages)))
	m.batches.Inc()
	m.seconds.Observe(took.Seconds())
}

var (
	pendingDesc = prometheus.NewDesc("tandem_ingest_pending_messages",
		"Messages of the stream of changes that are not yet stored.", nil, nil)
	positionDesc = prometheus.NewDesc("tandem_ingest_stream_sequence",
		"Every message up to this sequence is stored or put aside.", nil, nil)
	followingDesc = prometheus.NewDesc("tandem_ingest_following",
		"1 while ingestion follows the stream, 0 while it waits for ClickHouse or NATS.", nil, nil)
	ageDesc = prometheus.NewDesc("tandem_ingest_newest_change_age_seconds",
		"Age of the newest change in the warehouse; it grows also when the bank sleeps.", nil, nil)
)

// lag is asked of NATS at each scrape, so that the figure is right also while ingestion stands still.
type lag struct{ in *Ingest }

// Describe lists the metrics.
func (*lag) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pendingDesc, positionDesc, followingDesc, ageDesc} {
		out <- d
	}
}

// Collect leaves out what is not known at the moment.
func (l *lag) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	following := 0.0
	if p, err := l.in.progress(ctx); err == nil {
		following = 1
		out <- prometheus.MustNewConstMetric(pendingDesc, prometheus.GaugeValue, float64(p.pending))
		out <- prometheus.MustNewConstMetric(positionDesc, prometheus.GaugeValue, float64(p.done))
	}
	out <- prometheus.MustNewConstMetric(followingDesc, prometheus.GaugeValue, following)
	if newest := l.in.NewestChange(); !newest.IsZero() {
		out <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, time.Since(newest).Seconds())
	}
}
