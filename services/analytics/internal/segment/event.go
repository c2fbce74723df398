package segment

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/page"
	analyticsv1 "tandem.bank/proto/gen/go/tandem/analytics/v1"
	"tandem.bank/services/analytics/internal/definition"
	"tandem.bank/services/analytics/internal/warehouse"
)

// eventPlace continues a list of events behind one.
type eventPlace struct {
	Time     int64  `json:"t"`
	Segment  string `json:"s"`
	Customer uint64 `json:"c"`
}

// eventPage reads a page of events and the token of the next.
func (s *Service) eventPage(ctx context.Context, req *analyticsv1.ListMembershipEventsRequest) (out []Event, next string, err error) {
	names, err := s.eventSegments(ctx, req.GetSegment())
	if err != nil {
		return nil, "", err
	}
	parameters := []string{"membership_events", req.GetSegment(), req.GetFromTime().String(), req.GetToTime().String(), customerText(req)}
	place, err := page.Decode[eventPlace](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, "", err
	}
	from, to := time.UnixMicro(0), time.Now().Add(time.Hour)
	if req.GetFromTime() != nil {
		from = req.GetFromTime().AsTime()
	}
	if req.GetToTime() != nil {
		to = req.GetToTime().AsTime()
	}
	size := page.Size(req.GetPageSize())
	which := "true"
	args := []any{
		warehouse.Named("segments", names), warehouse.Named("from", instant(from)), warehouse.Named("to", instant(to)), warehouse.Named("limit", size+1),
	}
	if req.GetCustomerId() != 0 {
		which = "customer_id = {customer_id:UInt64}"
		args = append(args, warehouse.Named("customer_id", req.GetCustomerId()))
	}
	if place != nil {
		which += " AND (event_time, segment, customer_id) < " +
			"(fromUnixTimestamp64Micro({after:Int64}, 'UTC'), {after_segment:String}, {after_customer:UInt64})"
		args = append(args, warehouse.Named("after", place.Time), warehouse.Named("after_segment", place.Segment),
			warehouse.Named("after_customer", place.Customer))
	}
	out, err = s.store.events(ctx, which, args...)
	if err != nil || len(out) <= size {
		return out, "", warehouse.Public(err)
	}
	out = out[:size]
	last := out[size-1]
	next, err = page.Encode(eventPlace{last.Time.UnixMicro(), last.Segment, last.CustomerID}, parameters...)
	return out, next, err
}

func customerText(req *analyticsv1.ListMembershipEventsRequest) string {
	return (&analyticsv1.ListMembershipEventsRequest{CustomerId: req.GetCustomerId()}).String()
}

// eventSegments are the segments whose events the caller of a context may see: the one named, or all.
func (s *Service) eventSegments(ctx context.Context, name string) ([]string, error) {
	if name != "" {
		_, err := s.visible(ctx, definition.Ref{Name: name})
		return []string{name}, err
	}
	known, err := s.readable(ctx)
	return slices.Sorted(maps.Keys(known)), warehouse.Public(err)
}

// lastEvent is the newest event of a customer up to a time; nil when there is none.
func (s *Service) lastEvent(ctx context.Context, name string, customer uint64, at time.Time) (*analyticsv1.MembershipEvent, error) {
	to := time.Now().Add(time.Hour)
	if !at.IsZero() {
		to = at.Add(time.Microsecond)
	}
	found, err := s.store.events(ctx, "customer_id = {customer_id:UInt64}", warehouse.Named("segments", []string{name}),
		warehouse.Named("from", instant(time.UnixMicro(0))), warehouse.Named("to", instant(to)), warehouse.Named("limit", 1),
		warehouse.Named("customer_id", customer))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return eventToProto(found[0]), nil
}

// days are the sizes of a followed segment on the days on which somebody joined or left.
func (s *Service) days(ctx context.Context, name string) ([]*analyticsv1.SegmentDay, error) {
	var out []*analyticsv1.SegmentDay
	size := int64(0)
	q := warehouse.Query{SQL: daysSQL, Args: []any{warehouse.Named("segment", name), warehouse.Named("zone", s.timeZone.String())}}
	err := warehouse.Each(ctx, s.store.conn, "segment: read sizes", q, func(rows driver.Rows) error {
		var day time.Time
		var joins, leaves uint64
		if err := rows.Scan(&day, &joins, &leaves); err != nil {
			return err
		}
		size += int64(joins) - int64(leaves)
		out = append(out, &analyticsv1.SegmentDay{Day: date.Proto(day), Customers: size, Joins: int64(joins), Leaves: int64(leaves)})
		return nil
	})
	return out, err
}

var causes = map[Cause]analyticsv1.MembershipCause{
	CauseChange:     analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_CHANGE,
	CauseDefinition: analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_DEFINITION,
	CauseDay:        analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_DAY,
	CauseCatchUp:    analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_CATCH_UP,
	CauseArchived:   analyticsv1.MembershipCause_MEMBERSHIP_CAUSE_ARCHIVED,
}

func eventToProto(e Event) *analyticsv1.MembershipEvent {
	return &analyticsv1.MembershipEvent{
		Segment: e.Segment, CustomerId: int64(e.CustomerID), Joined: e.Joined, EventTime: timestamppb.New(e.Time), //nolint:gosec // from an int64
		DefinitionVersion: int64(e.Version), AsOf: date.Proto(e.AsOf), Cause: causes[e.Cause], Changed: e.Changed,
	}
}
