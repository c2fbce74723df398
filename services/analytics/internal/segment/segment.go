// Package segment finds the customers of segments: on a day, as snapshots that never change, and now, by following every change.
//
// A segment is a definition. Its expression is compiled, with all segments that it refers to, to one statement over the facts of
// customers: each segment is a column of true and false, and one that refers to others stands in the SELECT around theirs. So
// many segments cost one reading of the facts, for all customers or for those that changed.
//
// What is followed lives in memory as bitmaps, and as a log of joins and leaves in the warehouse, of which the bitmaps follow. The log
// is written before the bitmaps move, and when writing fails they are read from it again: nothing is lost, and nothing comes twice.
package segment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
)

// ReasonNotFollowed is the reason of FAILED_PRECONDITION for a segment whose members of now are not known yet.
const ReasonNotFollowed = "SEGMENT_NOT_FOLLOWED"

// Run is a snapshot.
type Run struct {
	ID      uuid.UUID
	Segment string
	// Version of the definition.
	Version uint64
	// AsOf is the day, at midnight UTC.
	AsOf time.Time
	// Customers are its members, Base all customers there were.
	Customers, Base uint64
	// References are the versions of the segments that it refers to.
	References map[string]uint32
	// Thresholds that it compared with.
	Thresholds      thresholds
	ComputedTime    time.Time
	NewestEventTime time.Time
}

// Event is a join or a leave.
type Event struct {
	Segment    string
	CustomerID uint64
	Time       time.Time
	// Joined is false for a leave.
	Joined  bool
	Version uint32
	AsOf    time.Time
	Run     uuid.UUID
	Cause   Cause
	// Changed are the kinds of records that changed.
	Changed []string
}

// Cause says what made somebody join or leave.
type Cause string

// Causes.
const (
	// CauseChange is a change of the customer's facts.
	CauseChange Cause = "change"
	// CauseDefinition is a new version of the definition, or of one that it refers to.
	CauseDefinition Cause = "definition"
	// CauseDay is the beginning of a day.
	CauseDay Cause = "day"
	// CauseCatchUp is a full evaluation after the service was away.
	CauseCatchUp Cause = "catch_up"
	// CauseArchived is the end of the segment.
	CauseArchived Cause = "archived"
)

// Config is what segments need.
type Config struct {
	Warehouse   driver.Conn
	Facts       *customerfact.Service
	Definitions *definition.Store
	// NewestChange tells the change time of the newest change in the warehouse.
	NewestChange func() time.Time
	// TimeZone of the bank, by which relative days count.
	TimeZone *time.Location
	Logger   *slog.Logger
	// Registry takes the metrics.
	Registry prometheus.Registerer
	// Now tells the time that relative days are relative to; time.Now when nil.
	Now func() time.Time
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.Facts == nil || c.Definitions == nil || c.NewestChange == nil || c.TimeZone == nil || c.Logger == nil ||
		c.Registry == nil {
		return errors.New("segment: warehouse, facts, definitions, newest change, time zone, logger and registry are required")
	}
	return nil
}

// Service evaluates segments and keeps what it finds.
type Service struct {
	store        store
	facts        *customerfact.Service
	definitions  *definition.Store
	newestChange func() time.Time
	timeZone     *time.Location
	log          *slog.Logger
	turn         snapshot.Turn
	now          func() time.Time
	follower     *follower
	metrics      *metrics
}

// New builds the service; nothing is followed until Follow runs.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Service{
		store: store{c.Warehouse}, facts: c.Facts, definitions: c.Definitions, newestChange: c.NewestChange, timeZone: c.TimeZone,
		log: c.Logger.With("component", "segment"), turn: snapshot.NewTurn(), now: c.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.follower = newFollower(s)
	var err error
	s.metrics, err = newMetrics(c.Registry, s.follower)
	return s, err
}

// moment is what relative times in expressions are relative to: now, or the end of a day of the past.
func (s *Service) moment(day time.Time) time.Time {
	if !day.Before(s.facts.Today()) {
		return s.now().In(s.timeZone)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, s.timeZone)
}

// day is the day of a request: today when there is none.
func (s *Service) day(asOf time.Time) time.Time {
	if asOf.IsZero() {
		return s.facts.Today()
	}
	return asOf
}

// visible finds a segment for the caller of a context. Errors: NOT_FOUND, INVALID_ARGUMENT (of another kind), UNAVAILABLE.
func (s *Service) visible(ctx context.Context, ref definition.Ref) (*definition.Definition, error) {
	d, err := s.definitions.ForCaller(ctx, ref)
	if err != nil {
		return nil, err
	}
	return d, ofSegments(d)
}

// ofSegments refuses a definition of another kind.
func ofSegments(d *definition.Definition) error {
	if d.Kind != definition.KindSegment {
		return apperr.InvalidField("segment", "%s is a definition of the kind %s", d.Name, d.Kind)
	}
	return nil
}

func notFollowed(name string) error {
	return apperr.New(codes.FailedPrecondition, ReasonNotFollowed, "the members of %s are not known yet; it is evaluated within seconds", name)
}
