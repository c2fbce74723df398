package customerfact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/warehouse"
)

// customerID is the name by which filters compare the customer's number, which is no fact.
const customerID = "customer_id"

// dayMin is the first day that facts are told of: a window of years before it still lies in ClickHouse's Date.
var dayMin = time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC)

// Config is what facts need.
type Config struct {
	Warehouse driver.Conn
	// TimeZone of the bank, which decides what day is today and when a day ends.
	TimeZone *time.Location
	Logger   *slog.Logger
	// Now tells the time; time.Now when nil.
	Now func() time.Time
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.TimeZone == nil || c.Logger == nil {
		return errors.New("customerfact: warehouse, time zone and logger are required")
	}
	return nil
}

// Service tells facts of customers.
type Service struct {
	warehouse driver.Conn
	timeZone  *time.Location
	log       *slog.Logger
	now       func() time.Time
	builtin   *Catalogue
	followers []func(ctx context.Context, change Change)
	// rangeCustomers is the constant of that name; tests take fewer.
	rangeCustomers int

	versionLock sync.Mutex
	version     uint64
	// kept is what refreshed found last; nil when there were no kept facts.
	kept atomic.Pointer[keptDay]
	// first is firstDay in Unix seconds once it is known; 0 before.
	first atomic.Int64
}

// New builds the service.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	catalogue, err := builtin()
	if err != nil {
		return nil, err
	}
	s := &Service{
		warehouse: c.Warehouse, timeZone: c.TimeZone, log: c.Logger.With("component", "customer facts"), now: c.Now, builtin: catalogue,
		rangeCustomers: rangeCustomers,
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Catalogue is what can be asked for: the file, the attributes that the bank has defined, and the scores that were ever run.
func (s *Service) Catalogue(ctx context.Context) (*Catalogue, error) {
	c := s.builtin.copied()
	if err := s.addAttributes(ctx, c); err != nil {
		return nil, public(err)
	}
	if err := s.addScores(ctx, c); err != nil {
		return nil, public(err)
	}
	return c, nil
}

// CatalogueFor is a catalogue in which names can be looked up. Only attributes, scores and mistakes need more than the file, and so a
// question to the warehouse.
func (s *Service) CatalogueFor(ctx context.Context, names []string) (*Catalogue, error) {
	for _, name := range names {
		if _, ok := s.builtin.Fact(name); !ok && name != customerID {
			return s.Catalogue(ctx)
		}
	}
	return s.builtin, nil
}

// Today is the bank's day now, at midnight UTC as days are handed around.
func (s *Service) Today() time.Time { return dateOf(s.now().In(s.timeZone)) }

func dateOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// moment is a day and what was known at its end.
func (s *Service) moment(ctx context.Context, day time.Time) (moment, error) {
	day = dateOf(day)
	today := s.Today()
	switch {
	case day.After(today):
		return moment{}, apperr.InvalidField("as_of", "%s has not come yet", day.Format(time.DateOnly))
	case day.Before(dayMin):
		return moment{}, apperr.InvalidField("as_of", "facts are told of days from %s", dayMin.Format(time.DateOnly))
	}
	first, err := s.firstDay(ctx)
	if err != nil {
		return moment{}, public(err)
	}
	m := moment{day: day, end: s.endOf(day), known: s.endOf(day), rated: s.endOf(day.AddDate(0, 0, -1))}
	if !first.Before(day) {
		m.known, m.rated = s.endOf(first), s.endOf(first)
	}
	if day.Equal(today) {
		m.known = time.Time{}
	}
	return m, nil
}

// endOf is when a day of the bank ends.
func (s *Service) endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, s.timeZone)
}

// firstDay is the day on which the first customer was recorded, today while none was. The column is small, and it is read until
// there is a customer only.
func (s *Service) firstDay(ctx context.Context) (time.Time, error) {
	if known := s.first.Load(); known != 0 {
		return time.Unix(known, 0).UTC(), nil
	}
	var first time.Time
	if err := s.warehouse.QueryRow(ctx, "SELECT min(change_time) FROM customer_history").Scan(&first); err != nil {
		return time.Time{}, fmt.Errorf("customer facts: find the first change: %w", err)
	}
	if first.Unix() == 0 {
		return s.Today(), nil
	}
	day := dateOf(first.In(s.timeZone))
	s.first.Store(day.Unix())
	return day, nil
}

// public turns what an operator must mend into UNAVAILABLE, and leaves the rest.
func public(err error) error {
	if warehouse.Temporary(err) {
		return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse does not answer; try again")
	}
	return err
}
