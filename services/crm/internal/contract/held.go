package contract

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
)

const (
	accountsOf = "SELECT DISTINCT account_id FROM contract WHERE contract_id = ANY($1::bigint[]) AND account_id IS NOT NULL"
	partiesOf  = "SELECT DISTINCT customer_id FROM contract_party WHERE contract_id = ANY($1::bigint[]) AND customer_id IS NOT NULL"
)

// CustomersOf returns a function that tells whom contracts are about: their parties, and who holds their accounts today.
func CustomersOf(q record.Querier) func(ctx context.Context, contractIDs []int64) ([]int64, error) {
	holders := account.CustomersOf(q)
	numbers := func(ctx context.Context, sql string, ids []int64) ([]int64, error) {
		rows, err := q.Query(ctx, sql, ids)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	return func(ctx context.Context, contractIDs []int64) ([]int64, error) {
		parties, err := numbers(ctx, partiesOf, contractIDs)
		if err != nil {
			return nil, err
		}
		accounts, err := numbers(ctx, accountsOf, contractIDs)
		if err != nil || len(accounts) == 0 {
			return parties, err
		}
		held, err := holders(ctx, accounts)
		return append(parties, held...), err
	}
}
