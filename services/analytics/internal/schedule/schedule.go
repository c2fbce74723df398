// Package schedule runs definitions by themselves, when their schedules say so.
//
// A run is for one version of a spec and one as_of, and is recorded in the warehouse before it begins and when it ends. So
// it is done once: a schedule that fires again for the same day finds it done, and a run whose end was lost with the machine
// is done again. Of several processes over one warehouse, one runs the definitions of a kind at a time: it holds a lock in NATS,
// and a lost lock breaks the run off. What a schedule missed while the service was away is caught up on, the newest days of it.
package schedule

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"tandem.bank/pkg/cron"
	"tandem.bank/pkg/natsx"
	"tandem.bank/services/analytics/internal/definition"
)

const (
	// pollInterval is how often it is looked what is due: definitions change, and cron counts in minutes.
	pollInterval = 10 * time.Second
	// catchUpMax bounds how many missed days of one definition are caught up on.
	catchUpMax = 12
	// lookBackMax bounds how far back a schedule is followed that never fired: a year of daily ones is cheap to count.
	lookBackMax = 400 * 24 * time.Hour
	// attemptsMax bounds how often a run is tried.
	attemptsMax = 5
	// retryAfter is the pause behind the first failure; it doubles with each.
	retryAfter = time.Minute
)

// Runner runs a definition as of a day, at midnight UTC, and says what it made: the id of a run, or where a file is. It is
// called again for the same day and version only when it returned an error or never returned.
type Runner func(ctx context.Context, d *definition.Definition, asOf time.Time) (result string, err error)

// Config is what the scheduler needs.
type Config struct {
	Warehouse   driver.Conn
	Definitions *definition.Store
	// Locks let one process run something of a kind at a time.
	Locks *natsx.Locks
	// TimeZone of the bank: schedules are told by its clock.
	TimeZone *time.Location
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.Definitions == nil || c.Locks == nil || c.TimeZone == nil || c.Logger == nil || c.Registry == nil {
		return errors.New("schedule: warehouse, definitions, locks, time zone, logger and registry are required")
	}
	return nil
}

// Scheduler fires what is due.
type Scheduler struct {
	store       store
	definitions *definition.Store
	locks       *natsx.Locks
	timeZone    *time.Location
	log         *slog.Logger
	metrics     *metrics
	lanes       map[string]*lane
}

// lane runs the definitions of one kind in this process, one at a time: each run may use the whole warehouse.
type lane struct {
	run  Runner
	turn chan struct{}
}

// New builds a scheduler that knows no kind.
func New(c Config) (*Scheduler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(c.Registry)
	if err != nil {
		return nil, err
	}
	return &Scheduler{
		store: store{c.Warehouse}, definitions: c.Definitions, locks: c.Locks, timeZone: c.TimeZone, log: c.Logger.With("component", "schedule"),
		metrics: m, lanes: map[string]*lane{},
	}, nil
}

// Register says how definitions of a kind are run. All kinds are registered before Run.
func (s *Scheduler) Register(kind string, run Runner) {
	s.lanes[kind] = &lane{run: run, turn: make(chan struct{}, 1)}
}

// job is a run that is due.
type job struct {
	definition *definition.Definition
	asOf       time.Time
	// fired is when the schedule said so; zero for a run by hand.
	fired time.Time
}

func (j job) key() key { return key{j.definition.ID, j.definition.Version, day(j.asOf)} }

// fires are the days for which a definition is due: those whose moment lies after since and not after now, the newest
// catchUpMax of them, oldest first.
func (s *Scheduler) fires(d *definition.Definition, since, now time.Time) ([]job, error) {
	plan, err := cron.Parse(d.Schedule.GetCron(), s.timeZone)
	if err != nil {
		return nil, err
	}
	if earliest := now.Add(-lookBackMax); since.Before(earliest) {
		since = earliest
	}
	var due []job
	for at := plan.Next(since); !at.IsZero() && !at.After(now); at = plan.Next(at) {
		next := job{definition: d, asOf: s.asOf(d, at), fired: at}
		if n := len(due); n > 0 && due[n-1].asOf.Equal(next.asOf) {
			due[n-1] = next // fires that mean the same day are one
			continue
		}
		due = append(due, next)
		if len(due) > catchUpMax {
			due = slices.Delete(due, 0, 1)
		}
	}
	return due, nil
}

// asOf is the day that a moment means.
func (s *Scheduler) asOf(d *definition.Definition, at time.Time) time.Time {
	back := int(d.Schedule.GetDaysBack())
	if back == 0 {
		back = 1
	}
	year, month, dayOfMonth := at.In(s.timeZone).Date()
	return time.Date(year, month, dayOfMonth-back, 0, 0, 0, 0, time.UTC)
}

// yesterday is the newest whole day by the bank's calendar.
func (s *Scheduler) yesterday(now time.Time) time.Time {
	year, month, dayOfMonth := now.In(s.timeZone).Date()
	return time.Date(year, month, dayOfMonth-1, 0, 0, 0, 0, time.UTC)
}

func day(t time.Time) string { return t.Format(time.DateOnly) }
