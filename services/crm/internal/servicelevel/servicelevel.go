// Package servicelevel is what the bank promises: within how many hours complaints and requests are answered and resolved.
package servicelevel

import (
	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a service level as Postgres keeps it.
type Row struct {
	Name             string `json:"name"`
	Class            string `json:"class"`
	Kind             string `json:"kind"`
	Priority         string `json:"priority"`
	FirstAnswerHours int32  `json:"first_answer_hours"`
	ResolutionHours  int32  `json:"resolution_hours"`
	Calendar         string `json:"calendar"`
}

// Table keeps service levels; other rooms refer to it.
var Table = record.NewTable[Row]("service_level", sight.Everybody)

var schema = filter.Schema{
	{Name: "service_level_id", Column: "service_level_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text},
	{Name: "class", Column: "class", Kind: filter.Text},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: caseKinds},
	{Name: "priority", Column: "priority", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Priority]()},
	{Name: "first_answer_hours", Column: "first_answer_hours", Kind: filter.Int, Required: true},
	{Name: "resolution_hours", Column: "resolution_hours", Kind: filter.Int, Required: true},
	{Name: "calendar", Column: "calendar", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ServiceCalendar]()},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

var (
	caseKinds = []string{
		record.EnumText(crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT), record.EnumText(crmv1.InteractionKind_INTERACTION_KIND_REQUEST),
	}
	businessHours = record.EnumText(crmv1.ServiceCalendar_SERVICE_CALENDAR_BUSINESS_HOURS)
)

func toRow(l *crmv1.ServiceLevel) (Row, []record.Reference, []apperr.Violation) {
	row := Row{
		Name:             l.GetName(),
		Class:            l.GetClass(),
		Kind:             record.EnumText(l.GetKind()),
		Priority:         record.EnumText(l.GetPriority()),
		FirstAnswerHours: l.GetFirstAnswerHours(),
		ResolutionHours:  l.GetResolutionHours(),
		Calendar:         record.EnumText(l.GetCalendar()),
	}
	if row.Calendar == "" {
		row.Calendar = businessHours
	}
	return row, nil, nil
}
