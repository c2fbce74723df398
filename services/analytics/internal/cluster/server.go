package cluster

import (
	"context"

	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/division"
	"tandem.bank/services/analytics/internal/snapshot"
)

// Server is the ClusterService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedClusterServiceServer
	service *Service
	desk    *division.Desk
}

// NewServer returns the service.
func NewServer(s *Service, p division.Publisher, d *definition.Store) *Server {
	return &Server{service: s, desk: &division.Desk{Kind: definition.KindClustering, Publisher: p, Definitions: d, Compute: s.Compute}}
}

// Desk runs definitions by schedule.
func (s *Server) Desk() *division.Desk { return s.desk }

// RunClustering computes a snapshot, stores it, and sends the members home.
func (s *Server) RunClustering(ctx context.Context, req *analyticsv1.RunClusteringRequest) (*analyticsv1.RunClusteringResponse, error) {
	run, err := s.desk.Run(ctx, req.GetAsOf(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	return &analyticsv1.RunClusteringResponse{Run: answer}, err
}

// GetClusteringRun returns a run.
func (s *Server) GetClusteringRun(
	ctx context.Context, req *analyticsv1.GetClusteringRunRequest,
) (*analyticsv1.GetClusteringRunResponse, error) {
	run, err := s.service.runs.Find(ctx, req.GetRunId(), req.GetDefinition())
	if err != nil {
		return nil, err
	}
	answer, err := s.runToProto(ctx, run)
	return &analyticsv1.GetClusteringRunResponse{Run: answer}, err
}

// ListClusteringRuns lists runs.
func (s *Server) ListClusteringRuns(
	ctx context.Context, req *analyticsv1.ListClusteringRunsRequest,
) (*analyticsv1.ListClusteringRunsResponse, error) {
	runs, next, err := s.service.runs.List(ctx, req.GetDefinition(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &analyticsv1.ListClusteringRunsResponse{NextPageToken: next}
	for _, run := range runs {
		row, err := s.runToProto(ctx, run)
		if err != nil {
			return nil, err
		}
		row.Clusters = nil
		answer.Runs = append(answer.Runs, row)
	}
	return answer, nil
}

// membersToken continues a list in the run it began with, even when there is a newer one by then.
type membersToken struct {
	RunID string `json:"run"`
	After uint64 `json:"after"`
}

// ListClusterMembers lists customers of a run.
func (s *Server) ListClusterMembers(
	ctx context.Context, req *analyticsv1.ListClusterMembersRequest,
) (*analyticsv1.ListClusterMembersResponse, error) {
	parameters := []string{"cluster_members", req.GetRunId(), req.GetDefinition(), key(uint32(req.GetCluster()))} //nolint:gosec // not negative
	token, err := page.Decode[membersToken](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	runID, after := req.GetRunId(), uint64(0)
	if token != nil {
		runID, after = token.RunID, token.After
	}
	of, err := division.CallerScope(ctx)
	if err != nil {
		return nil, err
	}
	run, result, err := s.found(ctx, runID, req.GetDefinition())
	if err != nil {
		return nil, err
	}
	size := snapshot.PageSize(req.GetPageSize())
	members, err := s.service.store.members(ctx, run, uint32(req.GetCluster()), after, size+1, of) //nolint:gosec // not negative
	if err != nil {
		return nil, snapshot.Public(err)
	}
	answer := &analyticsv1.ListClusterMembersResponse{RunId: run.ID.String()}
	if len(members) > size {
		members = members[:size]
		if answer.NextPageToken, err = page.Encode(membersToken{run.ID.String(), members[size-1].CustomerID}, parameters...); err != nil {
			return nil, err
		}
	}
	for _, m := range members {
		answer.Members = append(answer.Members, memberToProto(m, result.Model.Numbers))
	}
	return answer, nil
}

// found is a run with what it found.
func (s *Server) found(ctx context.Context, runID, name string) (division.Run, *Result, error) {
	run, err := s.service.runs.Find(ctx, runID, name)
	if err != nil {
		return run, nil, err
	}
	result, err := resultOf(run)
	return run, result, err
}
