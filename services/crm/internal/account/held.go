package account

import (
	"context"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// current selects the holdings of today, by the calendar of the database session.
const current = "(valid_from IS NULL OR valid_from <= current_date) AND (valid_to IS NULL OR valid_to >= current_date)"

// ForCustomer returns the accounts that a customer holds today, with the role, oldest holding first.
func ForCustomer(ctx context.Context, q record.Querier, customerID int64, limit int) ([]*crmv1.HeldAccount, error) {
	holdings, err := HolderTable.Select(ctx, q, "customer_id = $1 AND "+current+" ORDER BY account_holder_id LIMIT $2", customerID, limit)
	if err != nil || len(holdings) == 0 {
		return nil, err
	}
	accounts, err := Table.Select(ctx, q, "account_id = ANY($1)", accountIDs(holdings))
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*record.Record[Row], len(accounts))
	for _, a := range accounts {
		byID[a.ID] = a
	}
	held := make([]*crmv1.HeldAccount, len(holdings))
	for i, h := range holdings {
		held[i] = &crmv1.HeldAccount{
			Account: toProto(byID[*h.Row.AccountID]), Role: record.EnumValue[crmv1.HolderRole](h.Row.Role),
		}
	}
	return held, nil
}

// OwnedBy returns the ids of the accounts that a customer owns today.
func OwnedBy(ctx context.Context, q record.Querier, customerID int64) ([]int64, error) {
	holdings, err := HolderTable.Select(ctx, q, "customer_id = $1 AND role = 'owner' AND "+current, customerID)
	return accountIDs(holdings), err
}

func accountIDs(holdings []*holding) []int64 {
	ids := make([]int64, len(holdings))
	for i, h := range holdings {
		ids[i] = *h.Row.AccountID
	}
	return ids
}

// Holders returns holdings by id.
func Holders(ctx context.Context, q record.Querier, ids []int64) (map[int64]*HolderRow, error) {
	found, err := HolderTable.Select(ctx, q, "account_holder_id = ANY($1)", ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*HolderRow, len(found))
	for _, h := range found {
		byID[h.ID] = &h.Row
	}
	return byID, nil
}
