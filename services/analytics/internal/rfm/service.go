package rfm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/proto"

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
	*snapshot.Room[Settings, Run, Score]
	store        store
	newestChange func() time.Time
	timeZone     *time.Location
	log          *slog.Logger
	turn         snapshot.Turn
}

// New builds the service.
func New(c Config) (*Service, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Service{
		store: newStore(c.Warehouse), newestChange: c.NewestChange, timeZone: c.TimeZone, log: c.Logger.With("component", "rfm"), turn: snapshot.NewTurn(),
	}
	s.Room = &snapshot.Room[Settings, Run, Score]{
		Name: definition.KindRFM, Runs: s.store.Store,
		Head: func(r *Run) *snapshot.Head { return &r.Head },
		AsOf: func(r *Run) time.Time { return r.AsOf },
		Settings: func(asOf time.Time, spec *definitionv1.Spec) (Settings, error) {
			return SettingsOf(asOf, spec.GetRfm())
		},
		Compute: s.Compute, Rows: s.store.page(byCustomer), Results: newResults,
	}
	return s, nil
}

// Compute makes a snapshot and stores it. The same settings over the same data give the same scores; so when such a run is
// there already, it is the answer.
func (s *Service) Compute(ctx context.Context, settings Settings) (Run, error) {
	done, err := s.turn.Take(ctx)
	if err != nil {
		return Run{}, err
	}
	defer done()
	began := time.Now()
	if today := began.In(s.timeZone).Format(time.DateOnly); day(settings.AsOf) > today {
		s.log.WarnContext(ctx, "as_of lies in the future: the same run will differ once that day has passed", "as_of", day(settings.AsOf), "today", today)
	}
	key, err := settings.key()
	if err != nil {
		return Run{}, err
	}
	head, err := snapshot.NewHead(key, s.newestChange())
	if err != nil {
		return Run{}, err
	}
	run := Run{Head: head, Settings: settings, Segments: settings.cellSegments()}
	// The key does not tell the names of cells.
	if twin, found, err := s.Twin(ctx, &run); err != nil || found && proto.Equal(twin.spec, run.spec) {
		return twin, snapshot.Public(err)
	}
	if err := s.compute(ctx, &run); err != nil {
		return Run{}, snapshot.Public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "as_of", day(run.AsOf), "customers", run.Customers,
		"transactions", run.Transactions, "seconds", time.Since(began).Seconds())
	return run, nil
}

// compute fills the run step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, run *Run) error {
	var err error
	if run.BaseCurrency, err = snapshot.Currency(ctx, s.store.Conn, run.firstDate(), run.AsOf); err != nil {
		return err
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
		return snapshot.NoTransactions(run.firstDate(), run.AsOf)
	}
	if err := s.store.score(ctx, *run); err != nil {
		return err
	}
	run.Computed()
	if err := s.store.Save(ctx, *run); err != nil {
		return err
	}
	if err := s.store.arrange(ctx, *run); err != nil {
		// The run stands. Its pages by place are slower until the next run of its year asks for it again.
		s.log.WarnContext(ctx, "scores are not laid down by place", "run_id", run.ID, "error", err)
	}
	return nil
}

// clear removes the values of a run, whatever became of it. What can't be removed now goes by its age.
func (s *Service) clear(ctx context.Context, run Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if err := s.store.unstage(ctx, run); err != nil {
		s.log.WarnContext(ctx, "values of a run remain until they are a day old", "run_id", run.ID, "error", err)
	}
}
