package profile

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/population"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Server is the ProfileSchemeService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedProfileSchemeServiceServer
	service *Service
	desk    *division.Desk
}

// NewServer returns the service.
func NewServer(s *Service, p division.Publisher, d *definition.Store) *Server {
	return &Server{service: s, desk: &division.Desk{Kind: definition.KindProfileScheme, Publisher: p, Definitions: d, Compute: s.Compute}}
}

// Desk runs definitions by schedule.
func (s *Server) Desk() *division.Desk { return s.desk }

// RunProfileScheme computes a snapshot, stores it, and sends the members home.
func (s *Server) RunProfileScheme(
	ctx context.Context, req *analyticsv1.RunProfileSchemeRequest,
) (*analyticsv1.RunProfileSchemeResponse, error) {
	run, err := s.desk.Run(ctx, req.GetAsOf(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	return &analyticsv1.RunProfileSchemeResponse{Run: answer}, err
}

// DryRunProfileScheme tells what a scheme would say, and stores nothing.
func (s *Server) DryRunProfileScheme(
	ctx context.Context, req *analyticsv1.DryRunProfileSchemeRequest,
) (*analyticsv1.DryRunProfileSchemeResponse, error) {
	saved, err := s.desk.Definitions.ForCaller(ctx, definition.Ref{Name: req.GetDefinition()})
	if err != nil {
		return nil, err
	}
	before, err := s.service.runs.Find(ctx, "", saved.Name)
	if err != nil {
		return nil, err
	}
	asOf := before.AsOf
	if req.GetAsOf() != nil {
		if asOf, err = date.Field("as_of", req.GetAsOf()); err != nil {
			return nil, err
		}
	}
	if err := s.service.check(ctx, req.GetScheme(), asOf); err != nil {
		return nil, err
	}
	wrong, err := population.FilterProblems(ctx, s.service.segments, req.GetScheme().GetFilter())
	if err != nil {
		return nil, snapshot.Public(err)
	}
	if err := apperr.Invalid(wrong...); err != nil {
		return nil, err
	}
	now, err := s.service.placed(ctx, req.GetScheme(), asOf)
	if err != nil {
		return nil, err
	}
	moves, err := s.service.moves(ctx, movesQuery(before, now))
	if err != nil {
		return nil, snapshot.Public(err)
	}
	return dryRun(req.GetScheme(), division.Run{Definition: saved.Name, AsOf: asOf}, before, moves), nil
}

// dryRun sums up the moves by cells.
//
//nolint:gosec // counts
func dryRun(
	scheme *definitionv1.ProfileSchemeDefinition, would, before division.Run, moves []move,
) *analyticsv1.DryRunProfileSchemeResponse {
	answer := &analyticsv1.DryRunProfileSchemeResponse{AsOf: date.Proto(would.AsOf), RunId: before.ID.String()}
	counts := map[string]uint64{}
	for _, m := range moves {
		counts[m.to] += m.customers
		if m.from != m.to {
			answer.Moved += int64(m.customers)
		}
		answer.Moves = append(answer.Moves, moveToProto(m))
	}
	for _, cell := range scheme.GetCells() {
		would.Parts = append(would.Parts, division.Part{Key: cell.GetName(), Customers: counts[cell.GetName()]})
		would.Customers += counts[cell.GetName()]
	}
	answer.Customers, answer.Cells = int64(would.Customers), cellsToProto(scheme, would)
	return answer
}

func moveToProto(m move) *analyticsv1.ProfileMove {
	return &analyticsv1.ProfileMove{From: m.from, To: m.to, Customers: int64(m.customers)} //nolint:gosec // a count
}

// GetProfileRun returns a run.
func (s *Server) GetProfileRun(ctx context.Context, req *analyticsv1.GetProfileRunRequest) (*analyticsv1.GetProfileRunResponse, error) {
	run, err := s.service.runs.Find(ctx, req.GetRunId(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	return &analyticsv1.GetProfileRunResponse{Run: answer}, err
}

// ListProfileRuns lists runs.
func (s *Server) ListProfileRuns(ctx context.Context, req *analyticsv1.ListProfileRunsRequest) (*analyticsv1.ListProfileRunsResponse, error) {
	runs, next, err := s.service.runs.List(ctx, req.GetDefinition(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListProfileRunsResponse{NextPageToken: next}
	for _, run := range runs {
		scheme, err := schemeOf(run)
		if err != nil {
			return nil, err
		}
		answer.Runs = append(answer.Runs, headToProto(scheme, run))
	}
	return answer, nil
}

// GetProfileMigration counts who went from where to where.
func (s *Server) GetProfileMigration(
	ctx context.Context, req *analyticsv1.GetProfileMigrationRequest,
) (*analyticsv1.GetProfileMigrationResponse, error) {
	saved, err := s.desk.Definitions.ForCaller(ctx, definition.Ref{Name: req.GetDefinition()})
	if err != nil {
		return nil, err
	}
	from, err := date.Field("from", req.GetFrom())
	if err != nil {
		return nil, err
	}
	to, err := date.Field("to", req.GetTo())
	if err != nil {
		return nil, err
	}
	before, err := s.service.runs.At(ctx, saved.Name, from)
	if err != nil {
		return nil, err
	}
	now, err := s.service.runs.At(ctx, saved.Name, to)
	if err != nil {
		return nil, err
	}
	moves, err := s.service.moves(ctx, movesQuery(before, placesOfRun(now)))
	if err != nil {
		return nil, snapshot.Public(err)
	}
	answer := &analyticsv1.GetProfileMigrationResponse{
		FromRunId: before.ID.String(), FromAsOf: date.Proto(before.AsOf), ToRunId: now.ID.String(), ToAsOf: date.Proto(now.AsOf),
	}
	for _, m := range moves {
		answer.Moves = append(answer.Moves, moveToProto(m))
	}
	return answer, nil
}

func schemeOf(run division.Run) (*definitionv1.ProfileSchemeDefinition, error) {
	scheme := &definitionv1.ProfileSchemeDefinition{}
	return scheme, run.Spec(scheme)
}

// runToProto renders a run with its combinations of levels.
func (s *Server) runToProto(ctx context.Context, run division.Run) (*analyticsv1.ProfileRun, error) {
	scheme, err := schemeOf(run)
	if err != nil {
		return nil, err
	}
	found, err := s.service.combinations(ctx, run)
	if err != nil {
		return nil, snapshot.Public(err)
	}
	answer, of := headToProto(scheme, run), axes(scheme)
	for _, c := range found {
		answer.Combinations = append(answer.Combinations, &analyticsv1.ProfileCombination{
			Attractiveness: of[0].levels()[c.levels[0]-1], Interaction: of[1].levels()[c.levels[1]-1], Risk: of[2].levels()[c.levels[2]-1],
			Cell: c.cell, Customers: int64(c.customers), //nolint:gosec // a count
		})
	}
	return answer, nil
}

//nolint:gosec // counts and versions far below the limits
func headToProto(scheme *definitionv1.ProfileSchemeDefinition, run division.Run) *analyticsv1.ProfileRun {
	answer := &analyticsv1.ProfileRun{
		RunId: run.ID.String(), Definition: run.Definition, DefinitionVersion: int64(run.Version), AsOf: date.Proto(run.AsOf),
		Customers: int64(run.Customers), Cells: cellsToProto(scheme, run), ComputedTime: timestamppb.New(run.ComputedTime),
	}
	if !run.NewestEventTime.IsZero() {
		answer.NewestEventTime = timestamppb.New(run.NewestEventTime)
	}
	return answer
}

func cellsToProto(scheme *definitionv1.ProfileSchemeDefinition, run division.Run) []*analyticsv1.ProfileCellSum {
	out := make([]*analyticsv1.ProfileCellSum, len(run.Parts))
	for i, p := range run.Parts {
		cell := cellOf(scheme, p.Key)
		out[i] = &analyticsv1.ProfileCellSum{
			Name: p.Key, Title: cell.GetTitle(), Group: cell.GetGroup(), Segment: run.Segment(p.Key), Customers: int64(p.Customers), //nolint:gosec // a count
		}
		if run.Customers > 0 {
			out[i].Share = float64(p.Customers) / float64(run.Customers)
		}
	}
	return out
}

// cellOf finds a cell by its name.
func cellOf(scheme *definitionv1.ProfileSchemeDefinition, name string) *definitionv1.ProfileCell {
	for _, cell := range scheme.GetCells() {
		if cell.GetName() == name {
			return cell
		}
	}
	return nil
}
