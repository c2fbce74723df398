package fact

import (
	"strconv"
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type behaviourEvent struct {
	record
	customerID, productID   uint64
	visitorID, kind         string
	eventTime, businessDate time.Time
	channel, device         string
	page, campaign          string
	durationSeconds         uint32
}

var behaviourEventTable = warehouse.NewTable("behaviour_event",
	with("behaviour_event_id", func(r *behaviourEvent) *record { return &r.record },
		warehouse.Col("customer_id", func(r *behaviourEvent) uint64 { return r.customerID }),
		warehouse.Col("visitor_id", func(r *behaviourEvent) string { return r.visitorID }),
		warehouse.Col("kind", func(r *behaviourEvent) string { return r.kind }),
		warehouse.Col("event_time", func(r *behaviourEvent) time.Time { return r.eventTime }),
		warehouse.Col("business_date", func(r *behaviourEvent) time.Time { return r.businessDate }),
		warehouse.Col("channel", func(r *behaviourEvent) string { return r.channel }),
		warehouse.Col("device", func(r *behaviourEvent) string { return r.device }),
		warehouse.Col("page", func(r *behaviourEvent) string { return r.page }),
		warehouse.Col("campaign", func(r *behaviourEvent) string { return r.campaign }),
		warehouse.Col("product_id", func(r *behaviourEvent) uint64 { return r.productID }),
		warehouse.Col("duration_seconds", func(r *behaviourEvent) uint32 { return r.durationSeconds }),
	)...)

// behaviourEventsOf reads a bundle: all of it or, when one of its events is wrong, nothing.
func behaviourEventsOf(rec record, bundle *eventsv1.BehaviourEventBundle) ([]behaviourEvent, error) {
	if len(bundle.GetEvents()) == 0 {
		return nil, invalid("behaviour_event_bundle.events", "must not be empty")
	}
	rows := make([]behaviourEvent, len(bundle.GetEvents()))
	for i, s := range bundle.GetEvents() {
		row, err := behaviourEventOf(rec, s, i)
		if err != nil {
			return nil, err
		}
		rows[i] = row
	}
	return rows, nil
}

// behaviourEventOf reads one event of a bundle, which has its own id and version.
func behaviourEventOf(rec record, s *eventsv1.BehaviourEventState, index int) (behaviourEvent, error) {
	f := fields{prefix: "behaviour_event_bundle.events[" + strconv.Itoa(index) + "]"}
	rec.id = f.need("behaviour_event_id", s.GetBehaviourEventId())
	rec.version = f.ref("version", s.GetVersion())
	row := behaviourEvent{
		record:          rec,
		customerID:      f.ref("customer_id", s.GetCustomerId()),
		productID:       f.ref("product_id", s.GetProductId()),
		visitorID:       s.GetVisitorId(),
		kind:            s.GetKind(),
		businessDate:    f.businessDay("business_date", s.GetBusinessDate()),
		channel:         s.GetChannel(),
		device:          s.GetDevice(),
		page:            s.GetPage(),
		campaign:        s.GetCampaign(),
		durationSeconds: f.count("duration_seconds", s.GetDurationSeconds()),
	}
	if at := f.time("time", s.GetTime()); at != nil {
		row.eventTime = *at
	} else {
		f.fail("time", "must be set")
	}
	if row.kind == "" {
		f.fail("kind", "must be set")
	}
	return row, f.fault()
}
