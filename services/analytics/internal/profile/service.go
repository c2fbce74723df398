package profile

import (
	"context"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Service computes runs and reads them.
type Service struct {
	conn         driver.Conn
	runs         *division.Store
	facts        *customerfact.Service
	segments     *segment.Service
	newestChange func() time.Time
	log          *slog.Logger
	// turn lets one run compute at a time: each uses the whole of ClickHouse.
	turn snapshot.Turn
}

// New builds the service.
func New(c population.Config) (*Service, error) {
	if err := c.Validate("profile"); err != nil {
		return nil, err
	}
	return &Service{
		conn: c.Warehouse, runs: division.NewStore(c.Warehouse, "profile", "profile_run", "profile_place", "toString(cell)"),
		facts: c.Facts, segments: c.Segments, newestChange: c.NewestChange, log: c.Logger.With("component", "profile"), turn: snapshot.NewTurn(),
	}, nil
}

// Runs are the stored runs, whose results go home as insights.
func (s *Service) Runs() *division.Store { return s.runs }

// Compile checks a definition of a profile scheme as a run would; it is a definition.Compiler.
func (s *Service) Compile(ctx context.Context, name string, spec *definitionv1.Spec) ([]apperr.Violation, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	wrong, err := population.Problems(ctx, s.segments, name, spec.GetProfileScheme().GetFilter(), spec)
	return append(problems(catalogue, spec.GetProfileScheme()), wrong...), err
}

// check refuses a scheme that can't be computed as of a day.
func (s *Service) check(ctx context.Context, d *definitionv1.ProfileSchemeDefinition, asOf time.Time) error {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return err
	}
	if err := snapshot.CheckDay(asOf); err != nil {
		return err
	}
	return apperr.Invalid(problems(catalogue, d)...)
}

// Compute makes a snapshot of a definition as of a day and stores it. The same definition, version and day over the same data
// give the same places; so when such a run is there already, it is the answer.
func (s *Service) Compute(ctx context.Context, d *definition.Definition, asOf time.Time) (division.Run, error) {
	spec := d.Spec.GetProfileScheme()
	if err := s.check(ctx, spec, asOf); err != nil {
		return division.Run{}, err
	}
	done, err := s.turn.Take(ctx)
	if err != nil {
		return division.Run{}, err
	}
	defer done()
	began := time.Now()
	run, there, err := s.runs.Begin(ctx, division.Plan{Definition: d.Name, Version: d.Version, AsOf: asOf, Spec: spec}, s.newestChange())
	if err != nil || there {
		return run, err
	}
	if err := s.compute(ctx, spec, &run); err != nil {
		return division.Run{}, snapshot.Public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "definition", run.Definition, "customers", run.Customers,
		"seconds", time.Since(began).Seconds())
	return run, nil
}

// compute stores the places and then the run; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, spec *definitionv1.ProfileSchemeDefinition, run *division.Run) error {
	q, err := s.placed(ctx, spec, run.AsOf)
	if err != nil {
		return err
	}
	q.SQL = insertSQL + q.SQL + ")"
	q.Args = append(q.Args, warehouse.Named("run_id", run.ID.String()), warehouse.Named("as_of", warehouse.Day(run.AsOf)))
	if err := warehouse.Exec(ctx, s.conn, "profile: place customers", q); err != nil {
		return err
	}
	found, err := s.combinations(ctx, *run)
	if err != nil {
		return err
	}
	counts := map[string]uint64{}
	for _, c := range found {
		counts[c.cell] += c.customers
		run.Customers += c.customers
	}
	for _, cell := range spec.GetCells() {
		run.Parts = append(run.Parts, division.Part{Key: cell.GetName(), Customers: counts[cell.GetName()]})
	}
	return s.runs.Finish(ctx, run)
}

// sum counts the customers of a combination of levels.
type sum struct {
	levels    [3]uint8
	cell      string
	customers uint64
}

// combinations of levels that have customers in a run.
func (s *Service) combinations(ctx context.Context, run division.Run) ([]sum, error) {
	var out []sum
	err := warehouse.Each(ctx, s.conn, "profile: count combinations", ofRun(combinationsSQL, run), func(rows driver.Rows) error {
		var c sum
		err := rows.Scan(&c.levels[0], &c.levels[1], &c.levels[2], &c.cell, &c.customers)
		out = append(out, c)
		return err
	})
	return out, err
}

// move counts customers who went from one cell to another.
type move struct {
	from, to  string
	customers uint64
}

func (s *Service) moves(ctx context.Context, q warehouse.Query) ([]move, error) {
	var out []move
	err := warehouse.Each(ctx, s.conn, "profile: count moves", q, func(rows driver.Rows) error {
		var m move
		err := rows.Scan(&m.from, &m.to, &m.customers)
		out = append(out, m)
		return err
	})
	return out, err
}
