package fact

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type transaction struct {
	record
	accountID              uint64
	businessDate, rateDate time.Time
	direction, kind        string
	amount, baseValue      decimal.Decimal
	currency, baseCurrency string
	balanceAfter           *decimal.Decimal
	purpose, state         string
	cardID                 uint64
	channel                string
}

var transactionTable = warehouse.NewTable("transaction",
	with("transaction_id", func(r *transaction) *record { return &r.record },
		warehouse.Col("account_id", func(r *transaction) uint64 { return r.accountID }),
		warehouse.Col("business_date", func(r *transaction) time.Time { return r.businessDate }),
		warehouse.Col("direction", func(r *transaction) string { return r.direction }),
		warehouse.Col("kind", func(r *transaction) string { return r.kind }),
		warehouse.Col("amount", func(r *transaction) decimal.Decimal { return r.amount }),
		warehouse.Col("currency", func(r *transaction) string { return r.currency }),
		warehouse.Col("base_value", func(r *transaction) decimal.Decimal { return r.baseValue }),
		warehouse.Col("base_currency", func(r *transaction) string { return r.baseCurrency }),
		warehouse.Col("rate_date", func(r *transaction) time.Time { return r.rateDate }),
		warehouse.Col("balance_after", func(r *transaction) *decimal.Decimal { return r.balanceAfter }),
		warehouse.Col("purpose", func(r *transaction) string { return r.purpose }),
		warehouse.Col("card_id", func(r *transaction) uint64 { return r.cardID }),
		warehouse.Col("channel", func(r *transaction) string { return r.channel }),
		warehouse.Col("state", func(r *transaction) string { return r.state }),
	)...)

// transactionsOf reads a bundle: all of it or, when one of its transactions is wrong, nothing.
func transactionsOf(rec record, bundle *eventsv1.TransactionBundle) ([]transaction, error) {
	head := fields{prefix: "transaction_bundle"}
	baseCurrency := head.currency("base_currency", bundle.GetBaseCurrency())
	if len(bundle.GetTransactions()) == 0 {
		head.fail("transactions", "must not be empty")
	}
	if head.err != nil {
		return nil, head.err
	}
	rows := make([]transaction, len(bundle.GetTransactions()))
	for i, s := range bundle.GetTransactions() {
		row, err := transactionOf(rec, s, i)
		if err != nil {
			return nil, err
		}
		row.baseCurrency = baseCurrency
		rows[i] = row
	}
	return rows, nil
}

// transactionOf reads one transaction of a bundle. It has its own id and version; the bundle's change gives the rest
// of the record.
func transactionOf(rec record, s *eventsv1.TransactionState, index int) (transaction, error) {
	f := fields{prefix: "transaction_bundle.transactions[" + strconv.Itoa(index) + "]"}
	rec.id = f.need("transaction_id", s.GetTransactionId())
	rec.version = f.ref("version", s.GetVersion())
	row := transaction{
		record:       rec,
		accountID:    f.need("account_id", s.GetAccountId()),
		businessDate: f.businessDay("business_date", s.GetBusinessDate()),
		direction:    f.oneOf("direction", s.GetDirection(), "credit", "debit"),
		kind:         s.GetKind(),
		amount:       f.money("amount.value", s.GetAmount().GetValue()),
		currency:     f.currency("amount.currency", s.GetAmount().GetCurrency()),
		baseValue:    f.money("base_value", s.GetBaseValue()),
		balanceAfter: f.decimal("balance_after", s.GetBalanceAfter(), moneyDigits, moneyScale),
		purpose:      s.GetPurpose(),
		cardID:       f.ref("card_id", s.GetCardId()),
		channel:      s.GetChannel(),
		state:        f.oneOf("state", s.GetState(), "posted", "reversed"),
	}
	// Without a rate's date the amount was in base currency already, or the rate is that of the day.
	row.rateDate = row.businessDate
	if s.GetRateDate() != "" {
		row.rateDate = f.businessDay("rate_date", s.GetRateDate())
	}
	return row, f.fault()
}
