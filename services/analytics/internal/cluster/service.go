package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tandem.bank/pkg/apperr"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/segment"
	"tandem.bank/services/analytics/internal/snapshot"
)

// clearTimeout bounds the tidying up after a run, which also happens when its caller is gone.
const clearTimeout = 10 * time.Second

// Service computes runs and reads them.
type Service struct {
	store        store
	runs         *division.Store
	facts        *customerfact.Service
	segments     *segment.Service
	newestChange func() time.Time
	log          *slog.Logger
	// turn lets one run compute at a time: each holds a sample in memory.
	turn snapshot.Turn
}

// New builds the service.
func New(c population.Config) (*Service, error) {
	if err := c.Validate("cluster"); err != nil {
		return nil, err
	}
	return &Service{
		store: store{c.Warehouse}, runs: division.NewStore(c.Warehouse, "cluster", "cluster_run", "cluster_member", "toString(cluster)"),
		facts: c.Facts, segments: c.Segments, newestChange: c.NewestChange, log: c.Logger.With("component", "cluster"), turn: snapshot.NewTurn(),
	}, nil
}

// Runs are the stored runs, whose results go home as insights.
func (s *Service) Runs() *division.Store { return s.runs }

// Compute makes a snapshot of a definition as of a day and stores it. The same definition, version and day over the same data
// give the same clusters; so when such a run is there already, it is the answer.
func (s *Service) Compute(ctx context.Context, d *definition.Definition, asOf time.Time) (division.Run, error) {
	catalogue, err := s.facts.Catalogue(ctx)
	if err != nil {
		return division.Run{}, err
	}
	if err := snapshot.CheckDay(asOf); err != nil {
		return division.Run{}, err
	}
	if err := apperr.Invalid(problems(catalogue, d.Spec.GetClustering())...); err != nil {
		return division.Run{}, err
	}
	done, err := s.turn.Take(ctx)
	if err != nil {
		return division.Run{}, err
	}
	defer done()
	began, spec := time.Now(), complete(d.Spec.GetClustering())
	run, there, err := s.runs.Begin(ctx, division.Plan{Definition: d.Name, Version: d.Version, AsOf: asOf, Spec: spec}, s.newestChange())
	if err != nil || there {
		return run, err
	}
	if err := s.compute(ctx, spec, &run); err != nil {
		return division.Run{}, snapshot.Public(err)
	}
	s.log.InfoContext(ctx, "computed", "run_id", run.ID, "definition", run.Definition, "customers", run.Customers,
		"clusters", len(run.Parts), "seconds", time.Since(began).Seconds())
	return run, nil
}

// compute fills the run step by step; its row comes last and makes it visible.
func (s *Service) compute(ctx context.Context, spec *definitionv1.ClusteringDefinition, run *division.Run) error {
	defer s.clear(ctx, run.ID)
	names := make([]string, len(spec.GetFacts()))
	for i, f := range spec.GetFacts() {
		names[i] = f.GetFact()
	}
	facts, err := s.stage(ctx, spec, *run, names)
	if err != nil {
		return err
	}
	sample, err := s.store.sample(ctx, run.ID, int(spec.GetSampleCustomers()))
	if err != nil {
		return err
	}
	model, fitted, err := fit(ctx, spec, sample)
	if err != nil {
		return err
	}
	earlier, previous, err := s.earlier(ctx, *run, model)
	if err != nil {
		return err
	}
	if earlier != nil {
		model.Previous = previous
	}
	if err := model.number(fitted, earlier); err != nil {
		return err
	}
	rules := describe(spec, facts, model, fitted, sample)
	result := newResult(model, rules)
	if err := s.store.place(ctx, *run, result, fitted.Scorer()); err != nil {
		return err
	}
	return s.finish(ctx, run, result)
}

// finish stores what was found.
func (s *Service) finish(ctx context.Context, run *division.Run, result *Result) error {
	for _, p := range result.Profiles {
		run.Customers += p.Customers
		run.Parts = append(run.Parts, division.Part{Key: key(p.Number), Customers: p.Customers})
	}
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode clusters: %w", err)
	}
	run.Result = string(text)
	return s.runs.Finish(ctx, run)
}

// key of a cluster among the parts of a run.
func key(number uint32) string { return strconv.FormatUint(uint64(number), 10) }

// earlier is the model whose numbers go on: of the run nearest to the day whose facts are the same.
func (s *Service) earlier(ctx context.Context, run division.Run, model *Model) (earlier *Model, id string, err error) {
	found, err := s.runs.Near(ctx, run.Definition, run.AsOf)
	if err != nil {
		return nil, "", err
	}
	for _, r := range found {
		result, err := resultOf(r)
		if err != nil {
			return nil, "", err
		}
		if model.continues(result.Model) {
			return result.Model, r.ID.String(), nil
		}
	}
	return nil, "", nil
}

// resultOf reads what a run found.
func resultOf(run division.Run) (*Result, error) {
	result := &Result{}
	if err := json.Unmarshal([]byte(run.Result), result); err != nil {
		return nil, fmt.Errorf("clusters of run %s: %w", run.ID, err)
	}
	for _, p := range result.Profiles {
		if p.Rule != nil {
			p.Rule.locate(result.Model.Space)
		}
	}
	return result, nil
}

// clear removes what only the computation needed, whatever became of it. What can't be removed now goes by its age.
func (s *Service) clear(ctx context.Context, run uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if err := s.store.unstage(ctx, run); err != nil {
		s.log.WarnContext(ctx, "facts of a run remain until they are a day old", "run_id", run, "error", err)
	}
}
