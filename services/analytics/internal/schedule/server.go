package schedule

import (
	"cmp"
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/cron"
	"tandem.bank/pkg/date"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Server is the ScheduleService.
type Server struct {
	analyticsv1.UnimplementedScheduleServiceServer
	scheduler *Scheduler
}

// NewServer returns the service.
func NewServer(s *Scheduler) *Server { return &Server{scheduler: s} }

// ListSchedules lists what runs by itself.
func (s *Server) ListSchedules(ctx context.Context, _ *analyticsv1.ListSchedulesRequest) (*analyticsv1.ListSchedulesResponse, error) {
	definitions, err := s.readable(ctx)
	if err != nil {
		return nil, err
	}
	newest, err := s.scheduler.store.newest(ctx)
	if err != nil {
		return nil, warehouse.Public(err)
	}
	answer := &analyticsv1.ListSchedulesResponse{}
	now := time.Now()
	for _, d := range definitions {
		if d.Archived || d.Schedule == nil {
			continue
		}
		entry := &analyticsv1.Schedule{
			Name: d.Name, Kind: d.Kind, Version: int64(d.Version), Cron: d.Schedule.GetCron(), Paused: d.Schedule.GetPaused(), //nolint:gosec // small
		}
		if last := newest[d.ID]; last != nil {
			entry.LastRun = last.toProto()
		}
		if plan, err := cron.Parse(entry.GetCron(), s.scheduler.timeZone); err == nil && !entry.GetPaused() {
			next := plan.Next(now)
			entry.NextTime, entry.NextAsOf = timestamppb.New(next), date.Proto(s.scheduler.asOf(d, next))
		}
		answer.Schedules = append(answer.Schedules, entry)
	}
	slices.SortStableFunc(answer.GetSchedules(), func(a, b *analyticsv1.Schedule) int {
		return cmp.Or(comparePaused(a, b), a.GetNextTime().AsTime().Compare(b.GetNextTime().AsTime()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return answer, nil
}

// comparePaused puts what does not fire last.
func comparePaused(a, b *analyticsv1.Schedule) int {
	rank := func(s *analyticsv1.Schedule) int {
		if s.GetNextTime() == nil {
			return 1
		}
		return 0
	}
	return rank(a) - rank(b)
}

// ListScheduleRuns lists runs, newest first.
func (s *Server) ListScheduleRuns(
	ctx context.Context, req *analyticsv1.ListScheduleRunsRequest,
) (*analyticsv1.ListScheduleRunsResponse, error) {
	parameters := []string{"schedule_runs", req.GetName()}
	token, err := page.Decode[place](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	after := place{}
	if token != nil {
		after = *token
	}
	definitions, err := s.readable(ctx)
	if err != nil {
		return nil, err
	}
	ids := []uint64{}
	for _, d := range definitions {
		if req.GetName() == "" || d.Name == req.GetName() {
			ids = append(ids, d.ID)
		}
	}
	size := page.Size(req.GetPageSize())
	runs, err := s.scheduler.store.page(ctx, ids, after, size+1)
	if err != nil {
		return nil, warehouse.Public(err)
	}
	answer := &analyticsv1.ListScheduleRunsResponse{}
	if len(runs) > size {
		runs = runs[:size]
		last := runs[size-1]
		end := place{last.started.UnixMicro(), last.definitionID, last.specVersion, day(last.asOf)}
		if answer.NextPageToken, err = page.Encode(end, parameters...); err != nil {
			return nil, err
		}
	}
	for _, r := range runs {
		answer.Runs = append(answer.Runs, r.toProto())
	}
	return answer, nil
}

// readable are the definitions that the caller may read.
func (s *Server) readable(ctx context.Context) ([]*definition.Definition, error) {
	definitions, err := s.scheduler.definitions.All(ctx)
	caller, _ := auth.FromContext(ctx)
	return slices.DeleteFunc(definitions, func(d *definition.Definition) bool { return !d.MayRead(caller) }), err
}

// RunNow runs a definition and waits.
func (s *Server) RunNow(ctx context.Context, req *analyticsv1.RunNowRequest) (*analyticsv1.RunNowResponse, error) {
	asOf, err := s.runDay(req)
	if err != nil {
		return nil, err
	}
	ref := definition.Ref{Name: req.GetName(), Version: uint64(req.GetVersion())} //nolint:gosec // not negative
	d, err := s.scheduler.definitions.ForCaller(ctx, ref)
	if err != nil {
		return nil, err
	}
	lane := s.scheduler.lanes[d.Kind]
	if lane == nil {
		return nil, apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "definitions of the kind %s are not run", d.Kind)
	}
	if err := d.Runnable(d.Kind); err != nil {
		return nil, err
	}
	select {
	case lane.turn <- struct{}{}:
		defer func() { <-lane.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var r *run
	waited := s.scheduler.locks.Wait(ctx, lockName(d.Kind), func(held context.Context) {
		r, err = s.scheduler.attempt(held, job{definition: d, asOf: asOf})
	})
	if waited != nil {
		return nil, apperr.Wrap(waited, codes.Unavailable, apperr.ReasonUnavailable, "NATS does not answer; try again")
	}
	if err != nil {
		return nil, warehouse.Public(err)
	}
	return &analyticsv1.RunNowResponse{Run: r.toProto()}, nil
}

// runDay is the day that a request names, or yesterday.
func (s *Server) runDay(req *analyticsv1.RunNowRequest) (time.Time, error) {
	yesterday := s.scheduler.yesterday(time.Now())
	if req.GetAsOf() == nil {
		return yesterday, nil
	}
	asOf, err := date.Time(req.GetAsOf())
	switch {
	case err != nil:
		return asOf, apperr.InvalidField("as_of", "%v", err)
	case asOf.After(yesterday.AddDate(0, 0, 1)):
		return asOf, apperr.InvalidField("as_of", "must not lie in the future: a run is done once, and that day is not over")
	case asOf.Year() < time.Unix(0, 0).UTC().Year():
		return asOf, apperr.InvalidField("as_of", "must not lie before 1970")
	}
	return asOf, nil
}

var outcomes = map[outcome]analyticsv1.ScheduleOutcome{
	running: analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_RUNNING,
	done:    analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_DONE,
	failed:  analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_FAILED,
	givenUp: analyticsv1.ScheduleOutcome_SCHEDULE_OUTCOME_GIVEN_UP,
}

func (r *run) toProto() *analyticsv1.ScheduleRun {
	optional := func(t time.Time) *timestamppb.Timestamp {
		if !known(t) {
			return nil
		}
		return timestamppb.New(t)
	}
	return &analyticsv1.ScheduleRun{
		Name: r.name, Kind: r.kind, Version: int64(r.specVersion), AsOf: date.Proto(r.asOf), FireTime: optional(r.fired), //nolint:gosec // small
		StartTime: optional(r.started), EndTime: optional(r.ended), Outcome: outcomes[r.outcome], Result: r.result, Error: r.problem,
		Attempts: int32(r.attempts), //nolint:gosec // small
	}
}
