package fact

import (
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Weights and shares are fractions from 0 to 1.
const (
	fractionDigits = 9
	fractionScale  = 8
)

type relation struct {
	record
	customerID, otherCustomerID uint64
	kind, formality             string
	validFrom, validTo          *time.Time
	weight, share               *decimal.Decimal
	decisionPower               string
}

var relationTable = warehouse.NewTable("relation", with("relation_id", func(r *relation) *record { return &r.record },
	warehouse.Col("customer_id", func(r *relation) uint64 { return r.customerID }),
	warehouse.Col("other_customer_id", func(r *relation) uint64 { return r.otherCustomerID }),
	warehouse.Col("type", func(r *relation) string { return r.kind }),
	warehouse.Col("formality", func(r *relation) string { return r.formality }),
	warehouse.Col("valid_from", func(r *relation) *time.Time { return r.validFrom }),
	warehouse.Col("valid_to", func(r *relation) *time.Time { return r.validTo }),
	warehouse.Col("weight", func(r *relation) *decimal.Decimal { return r.weight }),
	warehouse.Col("share", func(r *relation) *decimal.Decimal { return r.share }),
	warehouse.Col("decision_power", func(r *relation) string { return r.decisionPower }),
)...)

func relationOf(rec record, s *eventsv1.RelationState) (relation, error) {
	f := fields{prefix: "relation"}
	return relation{
		record:          rec,
		customerID:      f.need("customer_id", s.GetCustomerId()),
		otherCustomerID: f.ref("other_customer_id", s.GetOtherCustomerId()),
		kind:            s.GetType(),
		formality:       s.GetFormality(),
		validFrom:       f.day("valid_from", s.GetValidFrom()),
		validTo:         f.day("valid_to", s.GetValidTo()),
		weight:          f.decimal("weight", s.GetWeight(), fractionDigits, fractionScale),
		share:           f.decimal("share", s.GetShare(), fractionDigits, fractionScale),
		decisionPower:   s.GetDecisionPower(),
	}, f.fault()
}
