package natsx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Streams of Tandem.
const (
	// StreamCRM carries tandem.events.v1.Change from crm to analytics.
	StreamCRM = "CRM"
	// StreamInsight carries tandem.events.v1.InsightBundle from analytics to crm.
	StreamInsight = "INSIGHT"
	// StreamCRMDLQ carries tandem.events.v1.DeadLetter: messages of either stream that could not be applied.
	StreamCRMDLQ = "CRM_DLQ"
)

const (
	// MaxAgeDefault is how long streams keep messages. It must stay longer than the relay's replay horizon, which is
	// the outbox retention (7 days by default).
	MaxAgeDefault = 30 * 24 * time.Hour
	// DuplicateWindow is how long the server remembers message ids. Consumers are idempotent, so it only saves them
	// work after a resend; the server keeps each id in memory (about 200 bytes), so it is minutes and not hours.
	DuplicateWindow = 2 * time.Minute
)

// StreamOption changes the declarations that EnsureStreams applies.
type StreamOption func(*streamSettings)

// streamSettings holds what was asked for; zero means: as it is, or the default for a new stream.
type streamSettings struct {
	maxAge   time.Duration
	replicas int
}

// WithMaxAge sets how long the streams keep messages.
func WithMaxAge(d time.Duration) StreamOption { return func(s *streamSettings) { s.maxAge = d } }

// WithReplicas sets on how many servers of a NATS cluster each message is kept before it is acknowledged: 1, 3 or 5; 0 asks
// for nothing.
func WithReplicas(count int) StreamOption { return func(s *streamSettings) { s.replicas = count } }

// EnsureStreams creates the streams or brings them to their declarations. Any service may call it at any time. What an
// operator chooses per installation, the age and the number of replicas, stays as it is in a stream that exists unless it
// is given, so that services with different settings do not undo each other's.
func EnsureStreams(ctx context.Context, js jetstream.JetStream, opts ...StreamOption) error {
	var s streamSettings
	for _, o := range opts {
		o(&s)
	}
	for _, c := range declarations() {
		existing, err := js.Stream(ctx, c.Name)
		switch {
		case err == nil:
			c.MaxAge, c.Replicas = existing.CachedInfo().Config.MaxAge, existing.CachedInfo().Config.Replicas
		case !errors.Is(err, jetstream.ErrStreamNotFound):
			return fmt.Errorf("look up stream %s: %w", c.Name, err)
		}
		if s.maxAge != 0 {
			c.MaxAge = s.maxAge
		}
		if s.replicas != 0 {
			c.Replicas = s.replicas
		}
		// The server refuses a window that is longer than the age; an age of zero means for ever.
		if c.MaxAge != 0 {
			c.Duplicates = min(c.Duplicates, c.MaxAge)
		}
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return fmt.Errorf("ensure stream %s: %w", c.Name, err)
		}
	}
	return nil
}

func declarations() []jetstream.StreamConfig {
	letters := declaration(StreamCRMDLQ, "Messages that could not be applied, tandem.events.v1.DeadLetter", SubjectDeadLetters)
	// A letter is larger than the message in it.
	letters.MaxMsgSize = -1
	return []jetstream.StreamConfig{
		declaration(StreamCRM, "Changes of the operational half, tandem.events.v1.Change", SubjectChanges),
		declaration(StreamInsight, "Results of analytical runs, tandem.events.v1.InsightBundle", SubjectInsights),
		letters,
	}
}

func declaration(name, description, subjects string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Description: description,
		Subjects:    []string{subjects},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		Storage:     jetstream.FileStorage,
		// S2 works on whole blocks when they are closed, so publishing does not wait for it.
		Compression: jetstream.S2Compression,
		MaxAge:      MaxAgeDefault,
		Duplicates:  DuplicateWindow,
		MaxMsgSize:  MessageBytesMax,
		AllowDirect: true,
	}
}
