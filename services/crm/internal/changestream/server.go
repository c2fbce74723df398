// Package changestream tells callers how far the changes of the operational half have travelled.
package changestream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/natsx"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/relay"
)

const (
	// waitMaxDefault bounds a call without a deadline.
	waitMaxDefault = 5 * time.Minute
	// graceDefault is how long nobody may hold the slot before callers are told: a takeover takes a second or two.
	graceDefault = 10 * time.Second
	// pollMin and pollMax bound the pause between looks at the slot, which doubles.
	pollMin = 2 * time.Millisecond
	pollMax = 100 * time.Millisecond
	// nudgeAfter is when a wait makes a little log of its own.
	nudgeAfter = 500 * time.Millisecond
	// streamTimeout bounds the question to NATS, which may just have gone away.
	streamTimeout = 10 * time.Second
)

// Config of the server.
type Config struct {
	// Pool of the operational database.
	Pool *pgxpool.Pool
	// JetStream that the relay publishes to.
	JetStream jetstream.JetStream
	// Relay of this process.
	Relay *relay.Relay
	// SlotName of the relays' slot; empty means relay.SlotNameDefault.
	SlotName string
	// Logger receives what callers are not told.
	Logger *slog.Logger
	// WaitMax bounds a wait without a deadline; zero means five minutes.
	WaitMax time.Duration
	// Grace is how long no process may hold the slot before a wait fails; zero means ten seconds.
	Grace time.Duration
}

// Validate reports every unusable field and fills in defaults.
func (c *Config) Validate() error {
	if c.Pool == nil || c.JetStream == nil || c.Relay == nil || c.Logger == nil {
		return errors.New("change stream: pool, jetstream, relay and logger must be set")
	}
	if c.SlotName == "" {
		c.SlotName = relay.SlotNameDefault
	}
	if c.WaitMax == 0 {
		c.WaitMax = waitMaxDefault
	}
	if c.Grace == 0 {
		c.Grace = graceDefault
	}
	if c.WaitMax < 0 || c.Grace < 0 {
		return errors.New("change stream: wait and grace must not be negative")
	}
	return nil
}

// Server implements tandem.crm.v1.ChangeStreamService.
type Server struct {
	crmv1.UnimplementedChangeStreamServiceServer
	config Config
}

// NewServer checks the configuration.
func NewServer(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Server{config: c}, nil
}

// AwaitPublished waits until what was committed before the call is published. It asks Postgres how far the slot is
// confirmed, so that it works whichever process holds the slot.
func (s *Server) AwaitPublished(ctx context.Context, _ *crmv1.AwaitPublishedRequest) (*crmv1.AwaitPublishedResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.WaitMax)
	defer cancel()
	// The insert position, not the flushed one: with synchronous_commit off a commit may be ahead of the disk.
	var target string
	if err := s.config.Pool.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&target); err != nil {
		return nil, fmt.Errorf("read the log's position: %w", err)
	}
	if err := s.await(ctx, target); err != nil {
		return nil, err
	}
	sequence, err := s.lastSequence(ctx)
	if err != nil {
		return nil, err
	}
	return &crmv1.AwaitPublishedResponse{StreamSequence: sequence}, nil
}

// await polls: Postgres has no signal for it, and the holder of the slot may be another process.
func (s *Server) await(ctx context.Context, target string) error {
	pause, nudgeAt, heldAt := pollMin, time.Now().Add(nudgeAfter), time.Now()
	for {
		reached, held, err := s.look(ctx, target)
		switch {
		case err != nil:
			return err
		case reached:
			return nil
		case held:
			heldAt = time.Now()
		case time.Since(heldAt) > s.config.Grace:
			return apperr.New(codes.Unavailable, apperr.ReasonUnavailable,
				"the relay is not running: no process holds the replication slot %s", s.config.SlotName)
		}
		if time.Now().After(nudgeAt) {
			if err := s.nudge(ctx); err != nil {
				return err
			}
			nudgeAt = time.Now().Add(nudgeAfter)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		pause = min(2*pause, pollMax)
	}
}

// look reports whether everything before target is published, and whether a process holds the slot.
func (s *Server) look(ctx context.Context, target string) (reached, held bool, err error) {
	err = s.config.Pool.QueryRow(ctx, `
		SELECT coalesce(confirmed_flush_lsn >= $2::text::pg_lsn, false), active
		FROM pg_replication_slots WHERE slot_name = $1`, s.config.SlotName, target).Scan(&reached, &held)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	if err != nil || !reached {
		return false, held, wrap(err, "read the slot's position")
	}
	// A slot made anew starts ahead of rows that are still to be replayed. That is stored before such a slot is made, so
	// it must be read after the slot's position.
	err = s.config.Pool.QueryRow(ctx, `SELECT NOT needs_replay FROM outbox_relay WHERE slot_name = $1`, s.config.SlotName).Scan(&reached)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, held, nil
	}
	return reached, held, wrap(err, "read the relay's state")
}

// nudge commits an empty transaction. On an idle server the target may be ahead of all complete log records (the header
// of a page that is not begun, or a commit not yet flushed), and nothing would ever move past it.
func (s *Server) nudge(ctx context.Context) error {
	_, err := s.config.Pool.Exec(ctx, "SELECT pg_logical_emit_message(true, 'tandem', '', true)")
	return wrap(err, "nudge the log")
}

func (s *Server) lastSequence(ctx context.Context) (uint64, error) {
	asked, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	stream, err := s.config.JetStream.Stream(asked, natsx.StreamCRM)
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "the event stream does not answer")
	}
	// Stream has just fetched it.
	return stream.CachedInfo().State.LastSeq, nil
}

// GetRelayStatus returns the state of this process's relay and the log behind the slot.
func (s *Server) GetRelayStatus(ctx context.Context, _ *crmv1.GetRelayStatusRequest) (*crmv1.GetRelayStatusResponse, error) {
	var lag int64
	err := s.config.Pool.QueryRow(ctx, `
		SELECT greatest(coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)), 0), 0)::bigint
		FROM pg_replication_slots WHERE slot_name = $1`, s.config.SlotName).Scan(&lag)
	if err != nil {
		return nil, fmt.Errorf("read the slot's position: %w", err)
	}
	status := s.config.Relay.Status()
	response := &crmv1.GetRelayStatusResponse{Active: status.Active, LagBytes: lag, PublishedEvents: status.PublishedEvents}
	if !status.PublishedCommitTime.IsZero() {
		response.PublishedCommitTime = timestamppb.New(status.PublishedCommitTime)
	}
	return response, nil
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
