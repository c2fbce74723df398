package servicelevel

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

func toProto(r *record.Record[Row]) *crmv1.ServiceLevel {
	return &crmv1.ServiceLevel{
		ServiceLevelId:   r.ID,
		Key:              r.Key(),
		Name:             r.Row.Name,
		Class:            r.Row.Class,
		Kind:             record.EnumValue[crmv1.InteractionKind](r.Row.Kind),
		Priority:         record.EnumValue[crmv1.Priority](r.Row.Priority),
		FirstAnswerHours: r.Row.FirstAnswerHours,
		ResolutionHours:  r.Row.ResolutionHours,
		Calendar:         record.EnumValue[crmv1.ServiceCalendar](r.Row.Calendar),
		Etag:             r.Etag(),
		CreateTime:       timestamppb.New(r.CreatedAt),
		UpdateTime:       timestamppb.New(r.UpdatedAt),
	}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_ServiceLevel{ServiceLevel: &eventsv1.ServiceLevelState{
		Name:             r.Row.Name,
		Class:            r.Row.Class,
		Kind:             r.Row.Kind,
		Priority:         r.Row.Priority,
		FirstAnswerHours: r.Row.FirstAnswerHours,
		ResolutionHours:  r.Row.ResolutionHours,
		Calendar:         r.Row.Calendar,
	}}
}
