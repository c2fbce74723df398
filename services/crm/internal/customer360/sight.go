package customer360

import (
	"context"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// concealUnseen leaves of related customers whom the caller does not see only their numbers.
func concealUnseen(ctx context.Context, q record.Querier, around []*crmv1.Connection) error {
	if sight.Of(ctx).AllRows() || len(around) == 0 {
		return nil
	}
	ids := make([]int64, len(around))
	for i, c := range around {
		ids[i] = c.GetParty().GetCustomerId()
	}
	seen, err := customer.Table.Sees(ctx, q, ids...)
	for _, c := range around {
		if id := c.GetParty().GetCustomerId(); id != 0 && !seen[id] {
			c.Party = &crmv1.RelatedParty{CustomerId: id}
		}
	}
	return err
}
