package rfm

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/warehouse"
)

// clearTimeout bounds the tidying up after a run, which also happens when its caller is gone.
const clearTimeout = 10 * time.Second

// Reasons of FAILED_PRECONDITION.
const (
	ReasonNoTransactions = "NO_TRANSACTIONS"
	ReasonMixedCurrency  = "MIXED_CURRENCY"
)

// Publisher sends the results of a run home, and keeps trying later when it returns an error.
type Publisher interface {
	Publish(ctx context.Context, runID string) error
}

// Config is what runs need.
type Config struct {
	Warehouse driver.Conn
	// NewestChange tells the change time of the newest change in the warehouse.
	NewestChange func() time.Time
	// TimeZone of the bank, which decides what day is today.
	TimeZone *time.Location
	Logger   *slog.Logger
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.NewestChange == nil || c.TimeZone == nil || c.Logger == nil {
		return errors.New("rfm: warehouse, newest change, time zone and logger are required")
	}
	return nil
}

// Service computes runs and reads them.
type Service struct {
	store        store
	newestChange func() time.Time
	timeZone     *time.Location
	log          *slog.Logger
	// turn lets one run compute at a time: each uses the whole of ClickHouse.
	turn chan struct{}
}

// New builds the service.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Service{
		store: store{c.Warehouse}, newestChange: c.NewestChange, timeZone: c.TimeZone,
		log: c.Logger.With("component", "rfm"), turn: make(chan struct{}, 1),
	}, nil
}

// Compute makes a snapshot and stores it. The same settings over the same data give the same scores; only the run's id
// and times differ.
func (s *Service) Compute(ctx context.Context, settings Settings) (Run, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	began := time.Now()
	if today := began.In(s.timeZone).Format(time.DateOnly); day(settings.AsOf) > today {
		s.log.WarnContext(ctx, "as_of lies in the future: the same run will differ once that day has passed", "as_of", day(settings.AsOf), "today", today)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Run{}, err
	}
	run := Run{ID: id, Settings: settings, NewestEventTime: s.newestChange(), Segments: settings.cellSegments()}
	if run.SettingsKey, err = settings.key(); err != nil {
		return Run{}, err
	}
	if err := s.compute(ctx, &run); err != nil {
		return Run{}, public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "as_of", day(run.AsOf), "customers", run.Customers,
		"transactions", run.Transactions, "seconds", time.Since(began).Seconds())
	return run, nil
}

// compute fills the run step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, run *Run) error {
	currencies, err := s.store.currencies(ctx, run.Settings)
	if err != nil {
		return err
	}
	switch len(currencies) {
	case 0:
		return noTransactions(run.Settings)
	case 1:
		run.BaseCurrency = currencies[0]
	default:
		return apperr.New(codes.FailedPrecondition, ReasonMixedCurrency,
			"transactions in the window have different base currencies: %s", strings.Join(currencies, ", "))
	}
	defer s.clear(ctx, *run)
	if err := s.store.stage(ctx, *run); err != nil {
		return err
	}
	if err := s.store.edges(ctx, run); err != nil {
		return err
	}
	run.fixEdges()
	if run.Customers == 0 {
		return noTransactions(run.Settings)
	}
	if err := s.store.score(ctx, *run); err != nil {
		return err
	}
	run.ComputedTime = time.Now().UTC().Truncate(time.Microsecond)
	return s.store.save(ctx, *run)
}

// clear removes the values of a run, whatever became of it. What can't be removed now goes by its age.
func (s *Service) clear(ctx context.Context, run Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if err := s.store.unstage(ctx, run); err != nil {
		s.log.WarnContext(ctx, "values of a run remain until they are a day old", "run_id", run.ID, "error", err)
	}
}

func noTransactions(s Settings) error {
	return apperr.New(codes.FailedPrecondition, ReasonNoTransactions,
		"no transactions count from %s to %s", day(s.firstDate()), day(s.AsOf))
}

// public turns what an operator must mend into UNAVAILABLE, and leaves the rest.
func public(err error) error {
	var known *apperr.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, errNoRun):
		return apperr.NotFound("there is no such rfm run")
	case warehouse.Temporary(err):
		return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse does not answer; try again")
	}
	return err
}
