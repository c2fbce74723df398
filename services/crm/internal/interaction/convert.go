package interaction

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

func toRow(i *crmv1.Interaction) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Kind:            record.EnumText(i.GetKind()),
		Channel:         record.EnumText(i.GetChannel()),
		OpenedAt:        in.Time("opened_time", i.GetOpenedTime()),
		Subject:         i.GetSubject(),
		Text:            i.GetText(),
		Outcome:         i.GetOutcome(),
		DurationSeconds: i.GetDurationSeconds(),
		Topic:           i.GetTopic(),
		Priority:        record.EnumText(i.GetPriority()),
		FirstAnswerAt:   in.Time("first_answer_time", i.GetFirstAnswerTime()),
		ResolvedAt:      in.Time("resolved_time", i.GetResolvedTime()),
		DueAt:           in.Time("due_time", i.GetDueTime()),
		Satisfaction:    i.GetSatisfaction(),

		Campaign:         i.GetCampaign(),
		Place:            i.GetPlace(),
		Documents:        append([]string{}, i.GetDocuments()...), // none is an empty list, not null
		Class:            i.GetClass(),
		FirstAnswerDueAt: in.Time("first_answer_due_time", i.GetFirstAnswerDueTime()),
	}
	if id := i.GetServiceLevelId(); id != 0 {
		row.ServiceLevelID = &id
	}
	row.Latitude, row.Longitude = branch.ReadLocation(&in, i.GetLocation())
	in.Need("customer_id", i.GetCustomerId(), i.GetCustomerKey())
	row.checkCase(&in)
	refs := []record.Reference{
		record.Ref("customer_id", customer.Table, i.GetCustomerId(), i.GetCustomerKey(), &row.CustomerID),
		record.Ref("manager_id", branch.ManagerTable, i.GetManagerId(), i.GetManagerKey(), &row.ManagerID),
		record.Ref("account_id", account.Table, i.GetAccountId(), i.GetAccountKey(), &row.AccountID),
		record.Ref("contract_id", contract.Table, i.GetContractId(), i.GetContractKey(), &row.ContractID),
		record.Ref("card_id", card.Table, i.GetCardId(), i.GetCardKey(), &row.CardID),
	}
	var taking []record.Reference
	row.Participants, taking = readParticipants(&in, i.GetParticipants())
	refs = append(refs, taking...)
	return row, refs, in.Violations
}

// ToProto renders an interaction.
func ToProto(r *record.Record[Row]) *crmv1.Interaction {
	return &crmv1.Interaction{
		InteractionId:   r.ID,
		Key:             r.Key(),
		CustomerId:      record.Value(r.Row.CustomerID),
		Kind:            record.EnumValue[crmv1.InteractionKind](r.Row.Kind),
		Channel:         record.EnumValue[crmv1.Channel](r.Row.Channel),
		OpenedTime:      record.TimeProto(r.Row.OpenedAt),
		ManagerId:       record.Value(r.Row.ManagerID),
		AccountId:       record.Value(r.Row.AccountID),
		Subject:         r.Row.Subject,
		Text:            r.Row.Text,
		Outcome:         r.Row.Outcome,
		DurationSeconds: r.Row.DurationSeconds,
		Topic:           r.Row.Topic,
		Priority:        record.EnumValue[crmv1.Priority](r.Row.Priority),
		FirstAnswerTime: record.TimeProto(r.Row.FirstAnswerAt),
		ResolvedTime:    record.TimeProto(r.Row.ResolvedAt),
		DueTime:         record.TimeProto(r.Row.DueAt),
		Satisfaction:    r.Row.Satisfaction,
		Etag:            r.Etag(),
		CreateTime:      timestamppb.New(r.CreatedAt),
		UpdateTime:      timestamppb.New(r.UpdatedAt),

		Participants:       participantsProto(r.Row.Participants),
		ContractId:         record.Value(r.Row.ContractID),
		CardId:             record.Value(r.Row.CardID),
		Campaign:           r.Row.Campaign,
		Place:              r.Row.Place,
		Location:           branch.Location(r.Row.Latitude, r.Row.Longitude),
		Documents:          r.Row.Documents,
		Class:              r.Row.Class,
		FirstAnswerDueTime: record.TimeProto(r.Row.FirstAnswerDueAt),
		ServiceLevelId:     record.Value(r.Row.ServiceLevelID),
		CaseState:          record.EnumValue[crmv1.CaseState](r.Row.caseState()),
		Breached:           r.Row.breached(time.Now()),
		ReopenedCount:      r.Row.ReopenedCount,
		ReopenedTime:       record.TimeProto(r.Row.ReopenedAt),
		RatedTime:          record.TimeProto(r.Row.RatedAt),
	}
}

// event leaves subject, text, place, documents and names in Postgres. The business date is the day in the bank's time zone.
func event(r *record.Record[Row], c *eventsv1.Change, location *time.Location) {
	c.Payload = &eventsv1.Change_Interaction{Interaction: &eventsv1.InteractionState{
		CustomerId:      record.Value(r.Row.CustomerID),
		Kind:            r.Row.Kind,
		Channel:         r.Row.Channel,
		OpenedTime:      record.TimeProto(r.Row.OpenedAt),
		BusinessDate:    date.Text(r.Row.OpenedAt.In(location)),
		ManagerId:       record.Value(r.Row.ManagerID),
		AccountId:       record.Value(r.Row.AccountID),
		Outcome:         r.Row.Outcome,
		DurationSeconds: r.Row.DurationSeconds,
		Topic:           r.Row.Topic,
		Priority:        r.Row.Priority,
		FirstAnswerTime: record.TimeProto(r.Row.FirstAnswerAt),
		ResolvedTime:    record.TimeProto(r.Row.ResolvedAt),
		DueTime:         record.TimeProto(r.Row.DueAt),
		Satisfaction:    r.Row.Satisfaction,

		Participants:       participantsEvent(r.Row.Participants),
		ContractId:         record.Value(r.Row.ContractID),
		CardId:             record.Value(r.Row.CardID),
		Campaign:           r.Row.Campaign,
		Class:              r.Row.Class,
		FirstAnswerDueTime: record.TimeProto(r.Row.FirstAnswerDueAt),
		ServiceLevelId:     record.Value(r.Row.ServiceLevelID),
		ReopenedCount:      r.Row.ReopenedCount,
		ReopenedTime:       record.TimeProto(r.Row.ReopenedAt),
		RatedTime:          record.TimeProto(r.Row.RatedAt),
		Breached:           r.Row.breached(r.UpdatedAt),
	}}
}
