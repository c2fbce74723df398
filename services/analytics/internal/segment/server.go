package segment

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	googledate "google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/snapshot"
	"tandem.bank/services/analytics/internal/warehouse"
)

// sizesMax is how many sizes of each kind are listed.
const sizesMax = 10_000

// Server is the SegmentService: from proto to Service and back, nothing else.
type Server struct {
	analyticsv1.UnimplementedSegmentServiceServer
	service *Service
}

// NewServer returns the service.
func NewServer(s *Service) *Server { return &Server{service: s} }

// PreviewSegment evaluates an expression and saves nothing.
func (s *Server) PreviewSegment(ctx context.Context, req *analyticsv1.PreviewSegmentRequest) (*analyticsv1.PreviewSegmentResponse, error) {
	asOf, err := date.Field("as_of", req.GetAsOf())
	if err != nil {
		return nil, err
	}
	found, err := s.service.Preview(ctx, req, asOf)
	if err != nil {
		return nil, err
	}
	out := &analyticsv1.PreviewSegmentResponse{
		AsOf: date.Proto(found.AsOf), Customers: int64(found.Customers), BaseCustomers: int64(found.Base), //nolint:gosec // counts
		Breakdowns: found.Breakdowns, Overlaps: found.Overlaps,
	}
	if found.Base > 0 {
		out.Share = float64(found.Customers) / float64(found.Base)
	}
	for _, id := range found.Sample {
		out.SampleCustomerIds = append(out.SampleCustomerIds, int64(id)) //nolint:gosec // ids come from int64s
	}
	if newest := s.service.newestChange(); !newest.IsZero() {
		out.NewestEventTime = timestamppb.New(newest)
	}
	return out, nil
}

// RunSegment computes a snapshot, or returns the one that there is.
func (s *Server) RunSegment(ctx context.Context, req *analyticsv1.RunSegmentRequest) (*analyticsv1.RunSegmentResponse, error) {
	asOf, err := date.Field("as_of", req.GetAsOf())
	if err != nil {
		return nil, err
	}
	run, err := s.service.snapshotOf(ctx, definition.RefOf(req.GetDefinition()), asOf)
	if err != nil {
		return nil, err
	}
	return &analyticsv1.RunSegmentResponse{Run: runToProto(run)}, nil
}

// ListSegmentMembers lists members of a snapshot, or of now.
func (s *Server) ListSegmentMembers(
	ctx context.Context, req *analyticsv1.ListSegmentMembersRequest,
) (*analyticsv1.ListSegmentMembersResponse, error) {
	parameters := []string{"segment_members", req.GetSegment(), req.GetRunId()}
	from, err := behind(req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	if _, err := s.service.visible(ctx, definition.Ref{Name: req.GetSegment()}); err != nil {
		return nil, err
	}
	out, more, size := &analyticsv1.ListSegmentMembersResponse{}, false, snapshot.PageSize(req.GetPageSize())
	if req.GetRunId() == "" {
		out.AsOf = date.Proto(s.service.facts.Today())
		err = s.service.follower.members(ctx, req.GetSegment(), func(members *roaring64.Bitmap) {
			out.Customers = int64(members.GetCardinality()) //nolint:gosec // a count
			out.CustomerIds, more = paged(members, from, size)
		})
	} else {
		more, err = s.membersOf(ctx, req, from, size, out)
	}
	if err != nil {
		return nil, err
	}
	out.NextPageToken, err = nextPage(out.GetCustomerIds(), more, parameters...)
	return out, err
}

// membersOf reads a page of members of a snapshot.
func (s *Server) membersOf(
	ctx context.Context, req *analyticsv1.ListSegmentMembersRequest, from uint64, size int, out *analyticsv1.ListSegmentMembersResponse,
) (more bool, err error) {
	found, err := s.service.store.runs(ctx, "run_id = {run_id:UUID} AND segment = {segment:String}", "computed_time", 1,
		warehouse.Named("run_id", req.GetRunId()), warehouse.Named("segment", req.GetSegment()))
	if err != nil {
		return false, warehouse.Public(err)
	}
	if len(found) == 0 {
		return false, apperr.NotFound("there is no snapshot %s of %s", req.GetRunId(), req.GetSegment())
	}
	out.Customers, out.AsOf = int64(found[0].Customers), date.Proto(found[0].AsOf) //nolint:gosec // a count
	// One more than asked for tells whether there is a next page.
	err = s.service.store.members(ctx, found[0], from, size+1, func(id uint64) {
		out.CustomerIds = append(out.CustomerIds, int64(id)) //nolint:gosec // ids come from int64s
	})
	if more = len(out.GetCustomerIds()) > size; more {
		out.CustomerIds = out.CustomerIds[:size]
	}
	return more, warehouse.Public(err)
}

// CombineSegments combines the members of segments.
func (s *Server) CombineSegments(ctx context.Context, req *analyticsv1.CombineSegmentsRequest) (*analyticsv1.CombineSegmentsResponse, error) {
	asOf, err := date.Field("as_of", req.GetAsOf())
	if err != nil {
		return nil, err
	}
	parameters := append([]string{"segment_combination", req.GetOperation().String(), date.Text(asOf)}, req.GetSegments()...)
	from, err := behind(req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	set, err := s.service.combine(ctx, req.GetSegments(), req.GetOperation(), asOf)
	if err != nil {
		return nil, err
	}
	ids, more := paged(set, from, snapshot.PageSize(req.GetPageSize()))
	out := &analyticsv1.CombineSegmentsResponse{Customers: int64(set.GetCardinality()), CustomerIds: ids} //nolint:gosec // a count
	out.NextPageToken, err = nextPage(ids, more, parameters...)
	return out, err
}

// CompareSegment tells who joined and left between two days.
func (s *Server) CompareSegment(ctx context.Context, req *analyticsv1.CompareSegmentRequest) (*analyticsv1.CompareSegmentResponse, error) {
	var runs [2]Run
	var sets [2]*roaring64.Bitmap
	for i, day := range []*googledate.Date{req.GetFrom(), req.GetTo()} {
		asOf, err := date.Field([]string{"from", "to"}[i], day)
		if err != nil {
			return nil, err
		}
		if runs[i], err = s.service.snapshotOf(ctx, definition.RefOf(req.GetDefinition()), asOf); err != nil {
			return nil, err
		}
		if sets[i], err = s.service.store.bitmap(ctx, runs[i]); err != nil {
			return nil, warehouse.Public(err)
		}
	}
	parameters := []string{"segment_comparison", runs[0].ID.String(), runs[1].ID.String()}
	from, err := behind(req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	joined, left := roaring64.AndNot(sets[1], sets[0]), roaring64.AndNot(sets[0], sets[1])
	size := snapshot.PageSize(req.GetPageSize())
	out := &analyticsv1.CompareSegmentResponse{
		From: runToProto(runs[0]), To: runToProto(runs[1]),
		JoinedCustomers: int64(joined.GetCardinality()), LeftCustomers: int64(left.GetCardinality()), //nolint:gosec // counts
		StayedCustomers: int64(sets[0].AndCardinality(sets[1])), //nolint:gosec // a count
	}
	// Both lists are one set in pages, so that one token continues both.
	ids, more := paged(roaring64.Or(joined, left), from, size)
	for _, id := range ids {
		if joined.Contains(uint64(id)) { //nolint:gosec // ids are positive
			out.JoinedCustomerIds = append(out.JoinedCustomerIds, id)
		} else {
			out.LeftCustomerIds = append(out.LeftCustomerIds, id)
		}
	}
	out.NextPageToken, err = nextPage(ids, more, parameters...)
	return out, err
}

// ListSegmentSizes lists sizes over time.
func (s *Server) ListSegmentSizes(ctx context.Context, req *analyticsv1.ListSegmentSizesRequest) (*analyticsv1.ListSegmentSizesResponse, error) {
	from, err := date.Field("from", req.GetFrom())
	if err != nil {
		return nil, err
	}
	to, err := date.Field("to", req.GetTo())
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = warehouse.DayMax
	}
	if from.IsZero() {
		from = warehouse.DayMin
	}
	if _, err := s.service.visible(ctx, definition.Ref{Name: req.GetSegment()}); err != nil {
		return nil, err
	}
	runs, err := s.service.store.runs(ctx, "segment = {segment:String} AND as_of BETWEEN {from:Date} AND {to:Date}", "as_of DESC, computed_time DESC",
		sizesMax, warehouse.Named("segment", req.GetSegment()), warehouse.Named("from", warehouse.Day(from)), warehouse.Named("to", warehouse.Day(to)))
	if err != nil {
		return nil, warehouse.Public(err)
	}
	out := &analyticsv1.ListSegmentSizesResponse{}
	for _, run := range slices.Backward(runs) {
		out.Snapshots = append(out.Snapshots, runToProto(run))
	}
	days, err := s.service.days(ctx, req.GetSegment())
	if err != nil {
		return nil, warehouse.Public(err)
	}
	for _, day := range days[max(len(days)-sizesMax, 0):] {
		if at, _ := date.Time(day.GetDay()); !at.Before(from) && !at.After(to) {
			out.Days = append(out.Days, day)
		}
	}
	return out, nil
}

// ExplainMembership explains why a customer is or is not a member.
func (s *Server) ExplainMembership(
	ctx context.Context, req *analyticsv1.ExplainMembershipRequest,
) (*analyticsv1.ExplainMembershipResponse, error) {
	var at time.Time
	if req.GetAt() != nil {
		at = req.GetAt().AsTime()
	}
	return s.service.Explain(ctx, req.GetSegment(), uint64(req.GetCustomerId()), at) //nolint:gosec // positive
}

// ListMembershipEvents lists joins and leaves.
func (s *Server) ListMembershipEvents(
	ctx context.Context, req *analyticsv1.ListMembershipEventsRequest,
) (*analyticsv1.ListMembershipEventsResponse, error) {
	found, next, err := s.service.eventPage(ctx, req)
	if err != nil {
		return nil, err
	}
	out := &analyticsv1.ListMembershipEventsResponse{NextPageToken: next}
	for _, e := range found {
		out.Events = append(out.Events, eventToProto(e))
	}
	return out, nil
}

//nolint:gosec // counts and versions
func runToProto(r Run) *analyticsv1.SegmentRun {
	out := &analyticsv1.SegmentRun{
		RunId: r.ID.String(), Segment: r.Segment, DefinitionVersion: int64(r.Version), AsOf: date.Proto(r.AsOf), Customers: int64(r.Customers),
		BaseCustomers: int64(r.Base), Thresholds: r.Thresholds, ReferenceVersions: map[string]int64{}, ComputedTime: timestamppb.New(r.ComputedTime),
	}
	for name, version := range r.References {
		out.ReferenceVersions[name] = int64(version)
	}
	if !r.NewestEventTime.IsZero() {
		out.NewestEventTime = timestamppb.New(r.NewestEventTime)
	}
	return out
}
