package relation

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

func toRow(m *crmv1.Relation) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Type:           record.EnumText(m.GetType()),
		OtherName:      m.GetOtherName(),
		OtherBirthDate: in.Date("other_birth_date", m.GetOtherBirthDate()),
		ValidFrom:      in.Date("valid_from", m.GetValidFrom()),
		ValidTo:        in.Date("valid_to", m.GetValidTo()),
		EndReason:      m.GetEndReason(),
		Weight:         in.Decimal("weight", m.GetWeight()),
		Formality:      record.EnumText(m.GetFormality()),
		Share:          in.Decimal("share", m.GetShare()),
		Position:       m.GetPosition(),
		DecisionPower:  record.EnumText(m.GetDecisionPower()),
		Note:           m.GetNote(),
	}
	in.Need("customer_id", m.GetCustomerId(), m.GetCustomerKey())
	row.checkAttributes(&in)
	row.checkOther(&in, m.GetOtherCustomerId() != 0 || m.GetOtherCustomerKey() != nil)
	refs := []record.Reference{
		record.Ref("customer_id", customer.Table, m.GetCustomerId(), m.GetCustomerKey(), &row.CustomerID),
		record.Ref("other_customer_id", customer.Table, m.GetOtherCustomerId(), m.GetOtherCustomerKey(), &row.OtherCustomerID),
	}
	return row, refs, in.Violations
}

func toProto(r *record.Record[Row]) *crmv1.Relation {
	return &crmv1.Relation{
		RelationId:      r.ID,
		Key:             r.Key(),
		CustomerId:      record.Value(r.Row.CustomerID),
		Type:            record.EnumValue[crmv1.RelationType](r.Row.Type),
		OtherCustomerId: record.Value(r.Row.OtherCustomerID),
		OtherName:       r.Row.OtherName,
		OtherBirthDate:  record.DateProto(r.Row.OtherBirthDate),
		ValidFrom:       record.DateProto(r.Row.ValidFrom),
		ValidTo:         record.DateProto(r.Row.ValidTo),
		EndReason:       r.Row.EndReason,
		Weight:          record.DecimalText(r.Row.Weight),
		Formality:       record.EnumValue[crmv1.Formality](r.Row.Formality),
		Share:           record.DecimalText(r.Row.Share),
		Position:        r.Row.Position,
		DecisionPower:   record.EnumValue[crmv1.DecisionPower](r.Row.DecisionPower),
		Note:            r.Row.Note,
		Etag:            r.Etag(),
		CreateTime:      timestamppb.New(r.CreatedAt),
		UpdateTime:      timestamppb.New(r.UpdatedAt),
	}
}

// event leaves names, birth dates, positions and free texts in Postgres.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Relation{Relation: &eventsv1.RelationState{
		CustomerId:      record.Value(r.Row.CustomerID),
		OtherCustomerId: record.Value(r.Row.OtherCustomerID),
		Type:            r.Row.Type,
		Formality:       r.Row.Formality,
		ValidFrom:       record.DateText(r.Row.ValidFrom),
		ValidTo:         record.DateText(r.Row.ValidTo),
		Weight:          record.DecimalText(r.Row.Weight),
		Share:           record.DecimalText(r.Row.Share),
		DecisionPower:   r.Row.DecisionPower,
	}}
}
