package fact

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type balance struct {
	record
	businessDate time.Time
	currency     string
	ledger       decimal.Decimal
	available    *decimal.Decimal
	closing      uint8
}

var balanceTable = warehouse.NewTable("account_balance",
	with("account_id", func(r *balance) *record { return &r.record },
		warehouse.Col("business_date", func(r *balance) time.Time { return r.businessDate }),
		warehouse.Col("currency", func(r *balance) string { return r.currency }),
		warehouse.Col("ledger", func(r *balance) decimal.Decimal { return r.ledger }),
		warehouse.Col("available", func(r *balance) *decimal.Decimal { return r.available }),
		warehouse.Col("closing", func(r *balance) uint8 { return r.closing }),
	)...)

// balancesOf reads a bundle: all of it or, when one of its statements is wrong, nothing.
func balancesOf(rec record, bundle *eventsv1.BalanceBundle) ([]balance, error) {
	rows := make([]balance, len(bundle.GetBalances()))
	for i, s := range bundle.GetBalances() {
		f := fields{prefix: "balance_bundle.balances[" + strconv.Itoa(i) + "]"}
		rec.id = f.need("account_id", s.GetAccountId())
		if at := f.time("as_of_time", s.GetAsOfTime()); at == nil {
			f.fail("as_of_time", "must be set")
		} else {
			rec.version = f.ref("as_of_time", at.UnixMicro())
		}
		rows[i] = balance{
			record:       rec,
			businessDate: f.businessDay("business_date", s.GetBusinessDate()),
			currency:     f.currency("currency", s.GetCurrency()),
			ledger:       f.money("ledger", s.GetLedger()),
			available:    f.decimal("available", s.GetAvailable(), moneyDigits, moneyScale),
		}
		if s.GetClosing() {
			rows[i].closing = 1
		}
		if f.err != nil {
			return nil, f.err
		}
	}
	return rows, nil
}
