package insight

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
)

const (
	// Durable is the consumer that all crm processes share: each bundle goes to one of them.
	Durable = "crm-insight"

	// ackWait is how long a bundle may wait behind another one or within one step; redelivery is harmless.
	ackWait = time.Minute
	// fetchMax is what one process takes ahead: bundles are large, and another process may be idle.
	fetchMax = 1
	// inFlightMax bounds what all processes have in their hands.
	inFlightMax = 64
	// retryDelay is the pause after a failure that is not the bundle's fault.
	retryDelay = time.Second
)

// Config of a consumer.
type Config struct {
	// Pool of the operational database.
	Pool *pgxpool.Pool
	// JetStream to consume from.
	JetStream jetstream.JetStream
	// StreamOptions change how missing streams are created.
	StreamOptions []natsx.StreamOption
	// Logger receives skipped and refused bundles.
	Logger *slog.Logger
	// Registerer receives the metrics.
	Registerer prometheus.Registerer
	// KnownCustomers returns those of the customers that exist: the room of customers answers it, in our transaction.
	KnownCustomers func(ctx context.Context, tx pgx.Tx, customerIDs []int64) ([]int64, error)
	// Calls counts the calls of the front office so far: results give way to them.
	Calls func() int64
}

// Validate reports every missing field.
func (c *Config) Validate() error {
	var errs []error
	if c.Pool == nil || c.JetStream == nil || c.Logger == nil || c.Registerer == nil {
		errs = append(errs, errors.New("insight: pool, jetstream, logger and registerer must be set"))
	}
	if c.KnownCustomers == nil || c.Calls == nil {
		errs = append(errs, errors.New("insight: known customers and calls must be set"))
	}
	return errors.Join(errs...)
}

// Consumer applies insights.
type Consumer struct {
	config  Config
	log     *slog.Logger
	metrics *metrics
	// pace is that of all bundles together: they come one after the other.
	pace pace
}

// NewConsumer checks the configuration and registers the metrics.
func NewConsumer(c Config) (*Consumer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, err
	}
	return &Consumer{config: c, log: c.Logger.With("component", "insight"), metrics: m}, nil
}

// Run applies bundles until the context ends. It outlives every failure of Postgres and NATS.
func (c *Consumer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := c.consume(ctx)
		if ctx.Err() != nil {
			break
		}
		c.log.Warn("consuming insights was interrupted; it goes on", "retry_in", retryDelay, "error", err)
		wait(ctx, retryDelay)
	}
	return nil
}

func (c *Consumer) consume(ctx context.Context) error {
	js := c.config.JetStream
	if err := natsx.AwaitConnected(ctx, js.Conn()); err != nil {
		return err
	}
	if err := natsx.EnsureStreams(ctx, js, c.config.StreamOptions...); err != nil {
		return err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, natsx.StreamInsight, jetstream.ConsumerConfig{
		Durable:       Durable,
		Description:   "Applies results of analytical runs to customers",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1, // a bundle waits for Postgres as long as it takes
		MaxAckPending: inFlightMax,
		FilterSubject: natsx.SubjectInsights,
	})
	if err != nil {
		return fmt.Errorf("ensure consumer %s: %w", Durable, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(fetchMax))
	if err != nil {
		return fmt.Errorf("consume %s: %w", Durable, err)
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next insight: %w", err)
		}
		if err := c.handle(ctx, message); err != nil {
			return err
		}
	}
}

// handle applies one message: 1. commit, 2. acknowledge. One that can never be applied is put aside instead.
func (c *Consumer) handle(ctx context.Context, message jetstream.Msg) error {
	err := c.apply(ctx, message)
	switch {
	case err == nil:
		return wrapAck(message.Ack())
	case errors.Is(err, errMalformed):
		return c.putAside(ctx, message, err)
	default:
		// Postgres is away, or was in the way of itself: the same bundle comes again.
		return errors.Join(fmt.Errorf("apply insight: %w", err), wrapAck(message.NakWithDelay(retryDelay)))
	}
}

// apply writes a bundle step by step, and leaves the database to the front office in between. What was written stays when a
// later step fails: the same bundle comes again, and finds it there.
func (c *Consumer) apply(ctx context.Context, message jetstream.Msg) error {
	var bundle eventsv1.InsightBundle
	if err := proto.Unmarshal(message.Data(), &bundle); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	batch, err := parse(&bundle)
	if err != nil {
		return err
	}
	delivery, err := message.Metadata()
	if err != nil {
		return wrapAck(err)
	}
	customers := len(batch.customers())
	var done outcome
	for from := 0; from < customers; from += stepCustomers {
		begun := time.Now()
		s := span{from, min(from+stepCustomers, customers)}
		step, err := c.step(ctx, batch, s, s.to == customers)
		if refused(err) {
			return fmt.Errorf("%w: %w", errMalformed, err)
		}
		if err != nil {
			return err
		}
		done = done.plus(step)
		if err := message.InProgress(); err != nil {
			return wrapAck(err)
		}
		wait(ctx, c.pace.rest(time.Since(begun), delivery.NumPending, c.config.Calls(), time.Now()))
	}
	c.count(&bundle, int64(customers), done)
	return nil
}

// outcome counts customers.
type outcome struct{ known, written int64 }

func (o outcome) plus(more outcome) outcome {
	return outcome{o.known + more.known, o.written + more.written}
}

// atEase does not wait for the disk at the commit.
var atEase = pgx.TxOptions{BeginQuery: "BEGIN; SET LOCAL synchronous_commit = off"}

// step writes a part of a bundle in a transaction of its own. Only that of the last part waits for the disk: what it waits for
// holds the earlier ones too, and the bundle is acknowledged after it.
func (c *Consumer) step(ctx context.Context, batch batch, s span, last bool) (done outcome, err error) {
	options := atEase
	if last {
		options = pgx.TxOptions{}
	}
	err = pgx.BeginTxFunc(ctx, c.config.Pool, options, func(tx pgx.Tx) error {
		known, err := c.config.KnownCustomers(ctx, tx, cut(batch.customers(), s))
		if err != nil {
			return fmt.Errorf("look up customers: %w", err)
		}
		sql, args := batch.apply(s, known)
		tag, err := tx.Exec(ctx, sql, args...)
		done = outcome{int64(len(known)), tag.RowsAffected()}
		return err
	})
	return done, err
}

// refused reports whether Postgres refuses the values themselves, so that trying again is of no use.
func refused(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) &&
		(pgerrcode.IsDataException(pgErr.Code) || pgerrcode.IsIntegrityConstraintViolation(pgErr.Code))
}

func (c *Consumer) count(bundle *eventsv1.InsightBundle, sent int64, done outcome) {
	c.metrics.applied.Add(float64(done.written))
	c.metrics.outdated.Add(float64(done.known - done.written))
	if unknown := sent - done.known; unknown > 0 {
		c.metrics.unknown.Add(float64(unknown))
		c.log.Warn("results for unknown customers were skipped",
			"run_id", bundle.GetRunId(), "bundle_index", bundle.GetBundleIndex(), "customers", unknown)
	}
}

func wrapAck(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("answer the message: %w", err)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
