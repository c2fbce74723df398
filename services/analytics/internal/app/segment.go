package app

import (
	"context"
	"time"

	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/lifecycle"
	"tandem.bank/pkg/natsx"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/customerfact"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/insight"
	"tandem.bank/services/analytics/internal/run"
	"tandem.bank/services/analytics/internal/schedule"
	"tandem.bank/services/analytics/internal/segment"
)

// segments builds segments over facts: their service, compiler and schedule, what follows them, and what sends joins and leaves
// home.
func (s *service) segments(
	server *grpcserver.Server, location *time.Location, facts *customerfact.Service, newest func() time.Time, saved *definition.Store,
	kinds *definition.Registry, scheduler *schedule.Scheduler,
) (*segment.Service, []lifecycle.Part, error) {
	rooms, err := segment.New(segment.Config{
		Warehouse: s.warehouse, Facts: facts, Definitions: saved, NewestChange: newest, TimeZone: location, Logger: s.log, Registry: s.registry,
	})
	if err != nil {
		return nil, nil, err
	}
	home, err := insight.New(insight.Config{JetStream: s.js, Source: rooms, Logger: s.log, Registry: s.registry})
	if err != nil {
		return nil, nil, err
	}
	facts.OnChange(func(_ context.Context, change customerfact.Change) {
		if change.Everybody() {
			rooms.EverybodyChanged(change.Causes)
			return
		}
		rooms.Changed(change.Customers, change.CausesOf)
	})
	kinds.Register(definition.KindSegment, rooms.Compile)
	scheduler.Register(definition.KindSegment, rooms.RunDefinition)
	service := segment.NewServer(rooms)
	run.Register(s.runs, analyticsv1.SegmentService_RunSegment_FullMethodName, service.RunSegment)
	analyticsv1.RegisterSegmentServiceServer(server, service)
	follow := following{service: rooms, home: home, locks: natsx.NewLocks(s.js, 0)}
	return rooms, []lifecycle.Part{{Name: "insights of segments", Run: home.Run}, {Name: "segments", Run: follow.run}}, nil
}

// following follows segments in one process at a time: two would find the same joins.
type following struct {
	service *segment.Service
	home    *insight.Publisher
	locks   *natsx.Locks
}

// lockPause is the pause after the lock could not be asked for, or was lost.
const lockPause = time.Second

func (f following) run(ctx context.Context) error {
	for ctx.Err() == nil {
		// Trouble with NATS shows in the health of the service; the lock is asked for again.
		_ = f.locks.Wait(ctx, "segments", func(ctx context.Context) { _ = f.service.Follow(ctx, f.home) })
		select {
		case <-ctx.Done():
		case <-time.After(lockPause):
		}
	}
	return nil
}
