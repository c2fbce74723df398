package contract

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// What is overdue is worked out when it is asked for: it grows with each day, and a stored number would be wrong tomorrow.
// An instalment is overdue from the day after it fell due, by the bank's calendar, which the sessions have.
const (
	overdueInstalment = "i.outstanding > 0 AND i.due < current_date"

	// daysPastDueSQL are the days since the oldest overdue instalment fell due, 0 when there is none.
	daysPastDueSQL = "coalesce(current_date - (SELECT min(i.due) FROM instalment i WHERE i.contract_id = contract.contract_id AND " +
		overdueInstalment + "), 0)"

	// overdueAmountSQL is what is overdue, 0 when nothing is.
	overdueAmountSQL = "coalesce((SELECT sum(i.outstanding) FROM instalment i WHERE i.contract_id = contract.contract_id AND " +
		overdueInstalment + "), 0)"
	// overdueJoin adds overdue_days and overdue, the amount, to contracts.
	overdueJoin = ` LEFT JOIN LATERAL (SELECT current_date - min(i.due) AS overdue_days, sum(i.outstanding) AS overdue
    FROM instalment i WHERE i.contract_id = contract.contract_id AND ` + overdueInstalment + ") late ON true"

	arrearsSQL = `SELECT i.contract_id, current_date - min(i.due), sum(i.outstanding) FROM instalment i
WHERE i.contract_id = ANY($1) AND ` + overdueInstalment + " GROUP BY i.contract_id"
)

// arrears is what is overdue of a contract.
type arrears struct {
	days   *int32
	amount decimal.NullDecimal
}

func (a arrears) show(c *crmv1.Contract) {
	c.DaysPastDue = record.Value(a.days)
	c.OverdueAmount = record.MoneyProto(a.amount, c.GetCurrency())
}

// shown puts what is overdue on contracts, one query for all, unless reading them failed.
func (s *Server) shown(ctx context.Context, failure error, contracts ...*crmv1.Contract) error {
	if failure != nil || len(contracts) == 0 {
		return failure
	}
	byID, ids := map[int64]*crmv1.Contract{}, make([]int64, len(contracts))
	for i, c := range contracts {
		byID[c.GetContractId()], ids[i] = c, c.GetContractId()
	}
	rows, err := s.pool.Query(ctx, arrearsSQL, ids)
	if err != nil {
		return err
	}
	var id int64
	var late arrears
	_, err = pgx.ForEachRow(rows, []any{&id, &late.days, &late.amount}, func() error {
		late.show(byID[id])
		return nil
	})
	return err
}
