// Package insight brings results of analytical runs home: bundles on the stream INSIGHT, each acknowledged, each run
// until all of it is there.
package insight

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// inFlightMax bounds bundles published and not yet acknowledged; with their size it bounds memory.
	inFlightMax = 16
	ackTimeout  = 10 * time.Second
	backoffMin  = time.Second
	backoffMax  = 30 * time.Second
)

// Source is a room whose runs have results for customers.
type Source interface {
	// Kind of results, the last part of the subject.
	Kind() string
	// Unpublished returns the ids of runs whose results are not all home, oldest first.
	Unpublished(ctx context.Context) ([]string, error)
	// Bundles calls send for each bundle of a run, always the same ones in the same order.
	Bundles(ctx context.Context, runID string, send func(*eventsv1.InsightBundle) error) error
	// MarkPublished notes that all bundles of a run were acknowledged.
	MarkPublished(ctx context.Context, runID string) error
}

// Config is what publishing needs.
type Config struct {
	JetStream jetstream.JetStream
	Source    Source
	Logger    *slog.Logger
	// Registry takes the metrics.
	Registry *prometheus.Registry
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.JetStream == nil || c.Source == nil || c.Logger == nil || c.Registry == nil {
		return errors.New("insight: jetstream, source, logger and registry are required")
	}
	return nil
}

// Publisher sends the runs of one source.
type Publisher struct {
	js      jetstream.JetStream
	source  Source
	subject string
	log     *slog.Logger
	bundles prometheus.Counter
	// turn lets one run be published at a time.
	turn chan struct{}
	// wake tells Run that a run is left to be published.
	wake chan struct{}
}

// New builds a publisher; Run must work for what Publish could not do.
func New(c Config) (*Publisher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &Publisher{
		js: c.JetStream, source: c.Source, subject: natsx.InsightSubject(c.Source.Kind()),
		log:  c.Logger.With("component", "insight", "kind", c.Source.Kind()),
		turn: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		bundles: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tandem_insight_bundles_total", Help: "Bundles of insights acknowledged by NATS, repeated ones included.",
			ConstLabels: prometheus.Labels{"kind": c.Source.Kind()},
		}),
	}
	if err := c.Registry.Register(p.bundles); err != nil {
		return nil, fmt.Errorf("insight metrics: %w", err)
	}
	return p, nil
}

// Publish sends a run home and returns when NATS has all of it. After an error Run goes on trying.
func (p *Publisher) Publish(ctx context.Context, runID string) error {
	err := p.publish(ctx, runID)
	if err != nil {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	return err
}

// Run publishes what an earlier process, or a failed Publish, left behind, until the context ends.
func (p *Publisher) Run(ctx context.Context) error {
	pause := backoffMin
	for {
		err := p.resume(ctx)
		if err == nil {
			pause = backoffMin
			select {
			case <-ctx.Done():
				return nil
			case <-p.wake:
			}
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		p.log.WarnContext(ctx, "insights wait; trying again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, backoffMax)
	}
}

func (p *Publisher) resume(ctx context.Context) error {
	runs, err := p.source.Unpublished(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := p.publish(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// publish sends all bundles, waits for each acknowledgement, and only then marks the run. A crash in between sends all
// again: message ids make NATS drop what it has, and crm what is not newer.
func (p *Publisher) publish(ctx context.Context, runID string) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := natsx.EnsureStreams(ctx, p.js); err != nil {
		return err
	}
	began, sent := time.Now(), 0
	flight := make([]jetstream.PubAckFuture, 0, inFlightMax)
	err := p.source.Bundles(ctx, runID, func(bundle *eventsv1.InsightBundle) error {
		if len(flight) == inFlightMax {
			if err := p.acknowledged(ctx, flight[0]); err != nil {
				return err
			}
			flight = flight[1:]
		}
		future, err := p.send(bundle)
		if err != nil {
			return err
		}
		flight, sent = append(flight, future), sent+1
		return nil
	})
	if err != nil {
		return fmt.Errorf("publish insights of run %s: %w", runID, err)
	}
	for _, future := range flight {
		if err := p.acknowledged(ctx, future); err != nil {
			return fmt.Errorf("publish insights of run %s: %w", runID, err)
		}
	}
	if err := p.source.MarkPublished(ctx, runID); err != nil {
		return fmt.Errorf("mark insights of run %s as published: %w", runID, err)
	}
	p.log.InfoContext(ctx, "insights published", "run_id", runID, "bundles", sent, "seconds", time.Since(began).Seconds())
	return nil
}

func (p *Publisher) send(bundle *eventsv1.InsightBundle) (jetstream.PubAckFuture, error) {
	data, err := proto.Marshal(bundle)
	if err != nil {
		return nil, fmt.Errorf("encode a bundle: %w", err)
	}
	message := nats.NewMsg(p.subject)
	message.Data = data
	id := bundle.GetRunId() + ":" + strconv.Itoa(int(bundle.GetBundleIndex()))
	return p.js.PublishMsgAsync(message, jetstream.WithMsgID(id), jetstream.WithExpectStream(natsx.StreamInsight))
}

// acknowledged waits for one acknowledgement.
func (p *Publisher) acknowledged(ctx context.Context, future jetstream.PubAckFuture) error {
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	select {
	case <-future.Ok():
		p.bundles.Inc()
		return nil
	case err := <-future.Err():
		return err
	case <-timeout.C:
		return fmt.Errorf("no acknowledgement within %s", ackTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}
