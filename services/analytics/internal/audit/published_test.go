package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/audit"
)

// told collects what a server streams.
type told struct {
	grpc.ServerStream
	ctx     context.Context
	changes []string
}

func (r *told) Context() context.Context { return r.ctx }

func (r *told) Send(m *analyticsv1.StreamPublishedChangesResponse) error {
	for _, c := range m.GetChanges() {
		r.changes = append(r.changes, fmt.Sprintf("%s %s %d v%d %s", c.GetTime().AsTime().Format("05.000000"), c.GetEntity(), c.GetEntityId(), c.GetVersion(), c.GetActor()))
	}
	return nil
}

// Every version is told by time, a repeated message once, and the chain itself not at all.
func TestPublishedChanges(t *testing.T) {
	t.Parallel()
	conn := open(t)
	moment := time.Date(2026, 3, 1, 10, 0, 1, 5000, time.UTC)
	region := func(id, version int64, at time.Time) *eventsv1.Change {
		return &eventsv1.Change{
			Entity: "region", EntityId: id, Version: version, Actor: "eva", ChangeTime: timestamppb.New(at),
			Payload: &eventsv1.Change_Region{Region: &eventsv1.RegionState{Name: "R"}},
		}
	}
	bundle := &eventsv1.Change{
		Entity: "behaviour_event_bundle", EntityId: 4, Version: 1, Actor: "web", ChangeTime: timestamppb.New(moment),
		Payload: &eventsv1.Change_BehaviourEventBundle{BehaviourEventBundle: &eventsv1.BehaviourEventBundle{
			Events: []*eventsv1.BehaviourEventState{{BehaviourEventId: 4, Version: 1, VisitorId: "v", Kind: "site_visit", Time: sealed, BusinessDate: "2026-03-01"}},
		}},
	}
	account := &eventsv1.Change{
		Entity: "service_account", EntityId: 2, Version: 1, Actor: "adam", ChangeTime: timestamppb.New(moment),
		Payload: &eventsv1.Change_ServiceAccount{ServiceAccount: &eventsv1.ServiceAccountState{}},
	}
	for _, c := range []*eventsv1.Change{
		region(9, 2, moment.Add(time.Second)), region(9, 1, moment), region(9, 1, moment), account, bundle, region(3, 1, moment), region(3, 2, moment),
	} {
		insert(t, conn, c)
	}
	all := []string{
		"01.000005 behaviour_event_bundle 4 v1 web", "01.000005 region 3 v1 eva", "01.000005 region 3 v2 eva", "01.000005 region 9 v1 eva",
		"01.000005 service_account 2 v1 adam", "02.000005 region 9 v2 eva",
	}
	later := timestamppb.New(moment.Add(time.Microsecond))
	for name, test := range map[string]struct {
		from, to *timestamppb.Timestamp
		want     []string
	}{"all": {want: all}, "from": {from: later, want: all[5:]}, "to": {to: later, want: all[:5]}, "none": {to: timestamppb.New(moment)}} {
		got := &told{ctx: t.Context()}
		err := audit.NewServer(conn).StreamPublishedChanges(&analyticsv1.StreamPublishedChangesRequest{FromTime: test.from, ToTime: test.to}, got)
		if diff := cmp.Diff(test.want, got.changes); diff != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s%v", name, diff, err)
		}
	}
	backwards := &analyticsv1.StreamPublishedChangesRequest{FromTime: later, ToTime: later}
	if err := audit.NewServer(conn).StreamPublishedChanges(backwards, &told{ctx: t.Context()}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("backwards: %v", err)
	}
}
