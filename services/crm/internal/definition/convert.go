package definition

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	definitionv1 "tandem.bank/proto/gen/go/tandem/definition/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

func toProto(r *record.Record[Row]) *crmv1.Definition {
	return &crmv1.Definition{
		DefinitionId: r.ID, Key: r.Key(), Name: r.Row.Name, Title: r.Row.Title, Description: r.Row.Description,
		Spec: proto.CloneOf(r.Row.Spec.Spec), Kind: record.EnumValue[crmv1.DefinitionKind](r.Row.Kind),
		Version: r.Row.SpecVersion, VersionTime: record.TimeProto(r.Row.SpecAt), VersionAuthor: r.Row.SpecAuthor,
		ChangeNote: r.Row.ChangeNote, Schedule: r.Row.schedule(), Owner: r.Row.Owner, ReaderRoles: r.Row.ReaderRoles,
		EditorRoles: r.Row.EditorRoles, State: record.EnumValue[crmv1.DefinitionState](r.Row.State), Etag: r.Etag(),
		CreateTime: timestamppb.New(r.CreatedAt), UpdateTime: timestamppb.New(r.UpdatedAt),
	}
}

func (r *Row) schedule() *definitionv1.Schedule {
	if r.Cron == "" {
		return nil
	}
	return &definitionv1.Schedule{Cron: r.Cron, DaysBack: r.DaysBack, Paused: r.Paused}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Definition{Definition: &eventsv1.DefinitionState{
		Name: r.Row.Name, Title: r.Row.Title, Kind: r.Row.Kind, State: r.Row.State, Owner: r.Row.Owner,
		ReaderRoles: r.Row.ReaderRoles, EditorRoles: r.Row.EditorRoles, SpecVersion: r.Row.SpecVersion, Spec: r.Row.Spec.Spec,
		SpecTime: record.TimeProto(r.Row.SpecAt), Schedule: r.Row.schedule(),
	}}
}
