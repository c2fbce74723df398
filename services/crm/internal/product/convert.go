package product

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/record"
)

func toRow(p *crmv1.Product) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Code:      p.GetCode(),
		Name:      p.GetName(),
		Family:    record.EnumText(p.GetFamily()),
		Currency:  in.Currency("currency", p.GetCurrency()),
		Margin:    in.Decimal("margin", p.GetMargin()),
		ValidFrom: in.Date("valid_from", p.GetValidFrom()),
		ValidTo:   in.Date("valid_to", p.GetValidTo()),
	}
	return row, nil, in.Violations
}

func toProto(r *record.Record[Row]) *crmv1.Product {
	return &crmv1.Product{
		ProductId:  r.ID,
		Key:        r.Key(),
		Code:       r.Row.Code,
		Name:       r.Row.Name,
		Family:     record.EnumValue[crmv1.ProductFamily](r.Row.Family),
		Currency:   r.Row.Currency,
		Margin:     record.DecimalText(r.Row.Margin),
		ValidFrom:  record.DateProto(r.Row.ValidFrom),
		ValidTo:    record.DateProto(r.Row.ValidTo),
		Etag:       r.Etag(),
		CreateTime: timestamppb.New(r.CreatedAt),
		UpdateTime: timestamppb.New(r.UpdatedAt),
	}
}

func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Product{Product: &eventsv1.ProductState{
		Code:      r.Row.Code,
		Name:      r.Row.Name,
		Family:    r.Row.Family,
		Currency:  r.Row.Currency,
		Margin:    record.DecimalText(r.Row.Margin),
		ValidFrom: record.DateText(r.Row.ValidFrom),
		ValidTo:   record.DateText(r.Row.ValidTo),
	}}
}
