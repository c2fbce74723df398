package interaction

import (
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// caseStateSQL and breachedSQL say in SQL what caseState and breached say of a row.
const (
	caseStateSQL = `CASE WHEN kind NOT IN ('complaint', 'request') THEN '' WHEN resolved_at IS NOT NULL THEN 'resolved'
    WHEN first_answer_at IS NOT NULL THEN 'answered' ELSE 'open' END`
	breachedSQL = `(first_answer_due_at < coalesce(first_answer_at, now()) OR due_at < coalesce(resolved_at, now())) IS TRUE`
)

var schema = filter.Schema{
	{Name: "interaction_id", Column: "interaction_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "kind", Column: "kind", Kind: filter.Enum, Values: record.EnumTexts[crmv1.InteractionKind](), Required: true},
	{Name: "channel", Column: "channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Channel]()},
	{Name: "opened_time", Column: "opened_at", Kind: filter.Time, Required: true, Indexed: true},
	{Name: "manager_id", Column: "manager_id", Kind: filter.Int},
	{Name: "account_id", Column: "account_id", Kind: filter.Int},
	{Name: "subject", Column: "subject", Kind: filter.Text},
	{Name: "text", Column: "text", Kind: filter.Text},
	{Name: "outcome", Column: "outcome", Kind: filter.Text},
	{Name: "duration_seconds", Column: "duration_seconds", Kind: filter.Int, Required: true},
	{Name: "topic", Column: "topic", Kind: filter.Text},
	{Name: "priority", Column: "priority", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Priority]()},
	{Name: "first_answer_time", Column: "first_answer_at", Kind: filter.Time},
	{Name: "resolved_time", Column: "resolved_at", Kind: filter.Time},
	{Name: "due_time", Column: "due_at", Kind: filter.Time},
	{Name: "satisfaction", Column: "satisfaction", Kind: filter.Int, Required: true},
	{Name: "contract_id", Column: "contract_id", Kind: filter.Int},
	{Name: "card_id", Column: "card_id", Kind: filter.Int},
	{Name: "campaign", Column: "campaign", Kind: filter.Text},
	{Name: "place", Column: "place", Kind: filter.Text},
	{Name: "location.latitude", Column: "latitude", Kind: filter.Decimal},
	{Name: "location.longitude", Column: "longitude", Kind: filter.Decimal},
	{Name: "documents", Column: "documents", Kind: filter.Text, Repeated: filter.JSONArray},
	{Name: "class", Column: "class", Kind: filter.Text},
	{Name: "service_level_id", Column: "service_level_id", Kind: filter.Int},
	{Name: "first_answer_due_time", Column: "first_answer_due_at", Kind: filter.Time},
	{Name: "case_state", Column: caseStateSQL, Kind: filter.Enum, Values: record.EnumTexts[crmv1.CaseState]()},
	{Name: "breached", Column: breachedSQL, Kind: filter.Bool, Required: true},
	{Name: "reopened_count", Column: "reopened_count", Kind: filter.Int, Required: true},
	{Name: "reopened_time", Column: "reopened_at", Kind: filter.Time},
	{Name: "rated_time", Column: "rated_at", Kind: filter.Time},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}
