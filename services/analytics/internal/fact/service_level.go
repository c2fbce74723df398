package fact

import (
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type serviceLevel struct {
	record
	name, class, kind, priority, calendar string
	firstAnswerHours, resolutionHours     uint32
}

var serviceLevelTable = warehouse.NewTable("service_level",
	with("service_level_id", func(r *serviceLevel) *record { return &r.record },
		warehouse.Col("name", func(r *serviceLevel) string { return r.name }),
		warehouse.Col("class", func(r *serviceLevel) string { return r.class }),
		warehouse.Col("kind", func(r *serviceLevel) string { return r.kind }),
		warehouse.Col("priority", func(r *serviceLevel) string { return r.priority }),
		warehouse.Col("first_answer_hours", func(r *serviceLevel) uint32 { return r.firstAnswerHours }),
		warehouse.Col("resolution_hours", func(r *serviceLevel) uint32 { return r.resolutionHours }),
		warehouse.Col("calendar", func(r *serviceLevel) string { return r.calendar }),
	)...)

func serviceLevelOf(rec record, s *eventsv1.ServiceLevelState) (serviceLevel, error) {
	f := fields{prefix: "service_level"}
	return serviceLevel{
		record:           rec,
		name:             s.GetName(),
		class:            s.GetClass(),
		kind:             s.GetKind(),
		priority:         s.GetPriority(),
		firstAnswerHours: f.count("first_answer_hours", s.GetFirstAnswerHours()),
		resolutionHours:  f.count("resolution_hours", s.GetResolutionHours()),
		calendar:         s.GetCalendar(),
	}, f.fault()
}
