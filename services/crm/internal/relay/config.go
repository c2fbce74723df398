// Package relay publishes the outbox: it follows the inserts through one logical replication slot, in commit order, and
// sends each as a message to the JetStream stream CRM.
//
// The slot is the truth about what is published. A position is confirmed only at the end of a transaction, and only
// when the server has acknowledged every message up to there; whatever goes wrong, the session ends and the next one
// starts at the last confirmed position. Messages may therefore come twice, and never get lost. Only one session can
// hold a slot: that elects the active relay among all processes, and the others wait.
//
// Postgres must run with wal_level = logical. max_slot_wal_keep_size should be set (4GB, say): a slot that nobody reads
// then can't fill the disk. Its loss is harmless. The relay makes a new slot and replays the outbox table, as long as
// it happens within the outbox's retention.
package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/pkg/natsx"
)

const (
	// SlotNameDefault is the slot of the one relay of a database. Slots are named per Postgres cluster, so two databases
	// in one cluster need two names.
	SlotNameDefault = "tandem_relay"
	// Publication is made by the migrations.
	Publication = "tandem_outbox"

	// messagesInFlightDefault and bytesInFlightDefault bound what is sent and not yet acknowledged. They keep a local
	// server busy (thousands of small messages per round trip) and cost little memory.
	messagesInFlightDefault = 4096
	bytesInFlightDefault    = 16 << 20
	takeoverIntervalDefault = time.Second
	// watermarkIntervalDefault is how often published_before is brought forward: far more often than partitions are
	// dropped, and far too seldom to show in the load.
	watermarkIntervalDefault = 10 * time.Second
)

var slotNamePattern = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// Config of a relay.
type Config struct {
	// Pool of the operational database. The replication connection is made with the same address and credentials; its
	// role needs the REPLICATION attribute.
	Pool *pgxpool.Pool
	// JetStream to publish to.
	JetStream jetstream.JetStream
	// StreamOptions change how missing streams are created.
	StreamOptions []natsx.StreamOption
	// Logger receives changes of state.
	Logger *slog.Logger
	// Registerer receives the metrics.
	Registerer prometheus.Registerer
	// SlotName of the replication slot; empty means SlotNameDefault.
	SlotName string
	// MessagesInFlight and BytesInFlight bound unacknowledged messages; zero means 4096 and 16 MiB.
	MessagesInFlight int
	BytesInFlight    int64
	// TakeoverInterval is how often a waiting relay looks whether the slot is free; zero means a second.
	TakeoverInterval time.Duration
	// WatermarkInterval is how often the published watermark is stored; zero means ten seconds.
	WatermarkInterval time.Duration
}

// Validate reports every unusable field and fills in defaults.
func (c *Config) Validate() error {
	var errs []error
	if c.Pool == nil || c.JetStream == nil || c.Logger == nil || c.Registerer == nil {
		errs = append(errs, errors.New("relay: pool, jetstream, logger and registerer must be set"))
	}
	if c.SlotName == "" {
		c.SlotName = SlotNameDefault
	}
	if !slotNamePattern.MatchString(c.SlotName) {
		errs = append(errs, fmt.Errorf("relay slot name: must be 1 to 63 lower-case letters, digits and underscores, is %q", c.SlotName))
	}
	if c.MessagesInFlight == 0 {
		c.MessagesInFlight = messagesInFlightDefault
	}
	if c.BytesInFlight == 0 {
		c.BytesInFlight = bytesInFlightDefault
	}
	// A message that is larger than the window would wait for ever.
	if c.BytesInFlight < natsx.MessageBytesMax {
		errs = append(errs, fmt.Errorf("relay bytes in flight: must be at least %d, is %d", natsx.MessageBytesMax, c.BytesInFlight))
	}
	if c.MessagesInFlight < 1 {
		errs = append(errs, fmt.Errorf("relay messages in flight: must be at least 1, is %d", c.MessagesInFlight))
	}
	if c.TakeoverInterval == 0 {
		c.TakeoverInterval = takeoverIntervalDefault
	}
	if c.WatermarkInterval == 0 {
		c.WatermarkInterval = watermarkIntervalDefault
	}
	if c.TakeoverInterval < 0 || c.WatermarkInterval < 0 {
		errs = append(errs, errors.New("relay intervals: must not be negative"))
	}
	return errors.Join(errs...)
}
