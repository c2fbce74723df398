package relation

import (
	"context"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

// stored is a relation on its way in or as it is kept.
type stored = record.Record[Row]

// resolved checks rows whose parties are known: whether these fit the type, and that nobody becomes their own ancestor or
// parent company.
func resolved(ctx context.Context, q record.Querier, rows []*stored) ([]error, error) {
	var ids []int64
	for _, r := range rows {
		ids = append(ids, *r.Row.CustomerID)
		if r.Row.OtherCustomerID != nil {
			ids = append(ids, *r.Row.OtherCustomerID)
		}
	}
	parties, err := customer.Parties(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(rows))
	for i, r := range rows {
		errs[i] = fits(&r.Row, parties)
	}
	return errs, refuseCircles(ctx, q, rows, errs)
}

// fits refuses a relation of a customer to itself, and parties of a kind that the type does not relate.
func fits(row *Row, parties map[int64]*customer.Party) error {
	var broken []apperr.Violation
	refuse := func(field, wanted string, id *int64) {
		if id != nil && wanted != anybody && parties[*id].Kind != wanted {
			broken = append(broken, apperr.Violation{
				Field:       field,
				Description: "must be an " + wanted + " in a relation of type " + row.Type + "; " + parties[*id].Kind + " given",
			})
		}
	}
	refuse("customer_id", rules[row.Type].customer, row.CustomerID)
	refuse("other_customer_id", rules[row.Type].other, row.OtherCustomerID)
	if row.OtherCustomerID != nil && *row.OtherCustomerID == *row.CustomerID {
		broken = append(broken, apperr.Violation{Field: "other_customer_id", Description: "must be another customer than customer_id"})
	}
	return apperr.Invalid(broken...)
}
