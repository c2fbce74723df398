package clv

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/btyd"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
)

// clearTimeout bounds the tidying up after a run, which also happens when its caller is gone.
const clearTimeout = 10 * time.Second

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
	*snapshot.Room[Settings, Run, Value]
	store        store
	newestChange func() time.Time
	log          *slog.Logger
	turn         snapshot.Turn
}

// New builds the service.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Service{
		store: newStore(c.Warehouse), newestChange: c.NewestChange, log: c.Logger.With("component", "clv"), turn: snapshot.NewTurn(),
	}
	s.Room = &snapshot.Room[Settings, Run, Value]{
		Name: definition.KindCLV, Runs: s.store.Store,
		Head: func(r *Run) *snapshot.Head { return &r.Head },
		AsOf: func(r *Run) time.Time { return r.AsOf },
		Settings: func(asOf time.Time, spec *definitionv1.Spec) (Settings, error) {
			return NewSettings(asOf, spec.GetClv())
		},
		Compute: s.Compute, Rows: s.store.page(byCustomer), Results: newResults,
	}
	return s, nil
}

// Compute makes a snapshot and stores it. The same settings over the same data give the same values; so when such a run is
// there already, it is the answer.
func (s *Service) Compute(ctx context.Context, settings Settings) (Run, error) {
	done, err := s.turn.Take(ctx)
	if err != nil {
		return Run{}, err
	}
	defer done()
	began := time.Now()
	run, there, err := s.begin(ctx, settings)
	if err != nil || there {
		return run, snapshot.Public(err)
	}
	if err := s.compute(ctx, &run); err != nil {
		return Run{}, snapshot.Public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "as_of", day(run.AsOf), "customers", run.Customers,
		"purchases", run.Purchases, "seconds", time.Since(began).Seconds())
	return run, nil
}

// begin finds the run of the same settings over the same data, or prepares a new one.
func (s *Service) begin(ctx context.Context, settings Settings) (run Run, there bool, err error) {
	run = Run{Settings: settings}
	key, err := settings.key()
	if err != nil {
		return run, false, err
	}
	if run.Head, err = snapshot.NewHead(key, s.newestChange()); err != nil {
		return run, false, err
	}
	if twin, found, err := s.Twin(ctx, &run); err != nil || found {
		return twin, found, err
	}
	previous, err := s.store.First(ctx, "settings_key = {key:String} AND as_of < {as_of:Date}", snapshot.NewestFirst,
		named("key", run.SettingsKey), named("as_of", day(run.AsOf)))
	if errors.Is(err, snapshot.ErrNone) {
		return run, false, nil
	}
	run.PreviousID, run.PreviousAsOf = previous.ID, previous.AsOf
	return run, false, err
}

// compute fills the run step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, run *Run) error {
	var err error
	if run.BaseCurrency, err = snapshot.Currency(ctx, s.store.Conn, run.firstDate(), run.AsOf); err != nil {
		return err
	}
	defer s.clear(ctx, *run)
	if err := run.timed(ctx, "histories", func() error { return s.store.stage(ctx, run) }); err != nil {
		return err
	}
	if run.Customers == 0 {
		return snapshot.NoTransactions(run.firstDate(), run.AsOf)
	}
	models, err := s.fit(ctx, run)
	if err != nil {
		return err
	}
	if err := run.timed(ctx, "predictions", func() error { return s.store.predictions(ctx, *run, models) }); err != nil {
		return err
	}
	if err := run.timed(ctx, "places", func() error { return s.store.place(ctx, run) }); err != nil {
		return err
	}
	run.Computed()
	return s.store.Save(ctx, *run)
}

// fit makes the models of a run and tries them on its last days; both go into the registry.
func (s *Service) fit(ctx context.Context, run *Run) (models fleet, err error) {
	if err := run.timed(ctx, "models", func() (err error) { models, err = s.forecast(ctx, *run); return err }); err != nil {
		return nil, err
	}
	return models, run.timed(ctx, "backtest", func() error {
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
