package clv

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
	"tandem.bank/pkg/btyd"
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
	Logger       *slog.Logger
}

// Validate names what is missing.
func (c Config) Validate() error {
	if c.Warehouse == nil || c.NewestChange == nil || c.Logger == nil {
		return errors.New("clv: warehouse, newest change and logger are required")
	}
	return nil
}

// Service computes runs and reads them.
type Service struct {
	store        store
	newestChange func() time.Time
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
		store: store{c.Warehouse}, newestChange: c.NewestChange, log: c.Logger.With("component", "clv"), turn: make(chan struct{}, 1),
	}, nil
}

// Compute makes a snapshot and stores it. The same settings over the same data give the same values; so when such a run is
// there already, it is the answer.
func (s *Service) Compute(ctx context.Context, settings Settings) (Run, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	began := time.Now()
	run, there, err := s.begin(ctx, settings)
	if err != nil || there {
		return run, public(err)
	}
	if err := s.compute(ctx, &run); err != nil {
		return Run{}, public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "as_of", day(run.AsOf), "customers", run.Customers,
		"purchases", run.Purchases, "seconds", time.Since(began).Seconds())
	return run, nil
}

// begin finds the run of the same settings over the same data, or prepares a new one.
func (s *Service) begin(ctx context.Context, settings Settings) (run Run, there bool, err error) {
	run = Run{Settings: settings, NewestEventTime: s.newestChange().Truncate(time.Microsecond)}
	if run.ID, err = uuid.NewV7(); err != nil {
		return run, false, err
	}
	if run.SettingsKey, err = settings.key(); err != nil {
		return run, false, err
	}
	twin, err := s.store.first(ctx, twinQuery(run))
	switch {
	case err == nil && twin.NewestEventTime.Equal(run.NewestEventTime):
		return twin, true, nil
	case err != nil && !errors.Is(err, errNoRun):
		return run, false, err
	}
	previous, err := s.store.first(ctx, previousQuery(run))
	if errors.Is(err, errNoRun) {
		return run, false, nil
	}
	run.PreviousID, run.PreviousAsOf = previous.ID, previous.AsOf
	return run, false, err
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
			"transactions have different base currencies: %s", strings.Join(currencies, ", "))
	}
	defer s.clear(ctx, *run)
	if err := run.timed("histories", func() error { return s.store.stage(ctx, run) }); err != nil {
		return err
	}
	if run.Customers == 0 {
		return noTransactions(run.Settings)
	}
	models, err := s.fit(ctx, run)
	if err != nil {
		return err
	}
	if err := run.timed("predictions", func() error { return s.store.predictions(ctx, *run, models) }); err != nil {
		return err
	}
	if err := run.timed("places", func() error { return s.store.place(ctx, run) }); err != nil {
		return err
	}
	run.ComputedTime = time.Now().UTC().Truncate(time.Microsecond)
	return s.store.save(ctx, *run)
}

// fit makes the models of a run and tries them on its last days; both go into the registry.
func (s *Service) fit(ctx context.Context, run *Run) (models fleet, err error) {
	if err := run.timed("models", func() (err error) { models, err = s.forecast(ctx, *run); return err }); err != nil {
		return nil, err
	}
	return models, run.timed("backtest", func() error {
		held, results, err := s.backtest(ctx, *run, models)
		if err != nil {
			return err
		}
		if err := s.store.saveModels(ctx, *run, models, held); err != nil {
			return err
		}
		return s.store.saveBacktests(ctx, *run, results)
	})
}

// forecast fits the models of the values.
func (s *Service) forecast(ctx context.Context, run Run) (fleet, error) {
	data, err := s.store.samples(ctx, run, purposeForecast)
	if err != nil {
		return nil, err
	}
	models := fleet{}
	for _, group := range data.groups(int(run.spec.GetFitCustomersMin())) {
		if models[group], err = data.of(group).fit(run.Settings, run.models()); err != nil {
			return nil, err
		}
		models[group].Purpose, models[group].Group, models[group].DataTo = purposeForecast, group, run.AsOf
	}
	return models, nil
}

// backtest fits the same kinds of models to the past before the holdout, and compares what they foretell with what came.
func (s *Service) backtest(ctx context.Context, run Run, models fleet) (fleet, []Backtest, error) {
	data, err := s.store.samples(ctx, run, purposeHoldout)
	if err != nil {
		return nil, nil, err
	}
	held := fleet{}
	for group, model := range models {
		kind := run.models()[0]
		if model.Counts != nil {
			kind = model.Counts.Kind
		}
		if held[group], err = data.of(group).fit(run.Settings, []btyd.Kind{kind}); err != nil {
			return nil, nil, err
		}
		held[group].Purpose, held[group].Group, held[group].DataTo = purposeHoldout, group, run.calibrationEnd()
	}
	trials := newTrials(run.Settings, held, data)
	if err := s.store.outcomes(ctx, run, trials.add); err != nil {
		return nil, nil, err
	}
	return held, trials.results(), nil
}

// clear removes what only the computation needed, whatever became of it. What can't be removed now goes by its age.
func (s *Service) clear(ctx context.Context, run Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if err := s.store.unstage(ctx, run); err != nil {
		s.log.WarnContext(ctx, "histories of a run remain until they are a day old", "run_id", run.ID, "error", err)
	}
}

func noTransactions(s Settings) error {
	return apperr.New(codes.FailedPrecondition, ReasonNoTransactions,
		"no customer bought anything that counts from %s to %s", day(s.firstDate()), day(s.AsOf))
}

// public turns what an operator must mend into UNAVAILABLE, and leaves the rest.
func public(err error) error {
	var known *apperr.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, errNoRun):
		return apperr.NotFound("there is no such clv run")
	case warehouse.Temporary(err):
		return apperr.Wrap(err, codes.Unavailable, apperr.ReasonUnavailable, "ClickHouse does not answer; try again")
	}
	return err
}
