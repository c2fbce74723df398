package fact

import (
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type product struct {
	record
	code, name, family, currency string
	margin                       *decimal.Decimal
	validFrom, validTo           *time.Time
}

var productTable = warehouse.NewTable("product", with("product_id", func(r *product) *record { return &r.record },
	warehouse.Col("code", func(r *product) string { return r.code }),
	warehouse.Col("name", func(r *product) string { return r.name }),
	warehouse.Col("family", func(r *product) string { return r.family }),
	warehouse.Col("currency", func(r *product) string { return r.currency }),
	warehouse.Col("margin", func(r *product) *decimal.Decimal { return r.margin }),
	warehouse.Col("valid_from", func(r *product) *time.Time { return r.validFrom }),
	warehouse.Col("valid_to", func(r *product) *time.Time { return r.validTo }),
)...)

func productOf(rec record, s *eventsv1.ProductState) (product, error) {
	f := fields{prefix: "product"}
	return product{
		record:    rec,
		code:      s.GetCode(),
		name:      s.GetName(),
		family:    s.GetFamily(),
		currency:  s.GetCurrency(),
		margin:    f.decimal("margin", s.GetMargin(), marginDigits, marginScale),
		validFrom: f.day("valid_from", s.GetValidFrom()),
		validTo:   f.day("valid_to", s.GetValidTo()),
	}, f.fault()
}

type contract struct {
	record
	kind, state          string
	accountID, productID uint64
	amount               *decimal.Decimal
	amountCurrency       string
	instalment           *decimal.Decimal
	instalmentCurrency   string
	durationMonths       uint32
	opened, closed       *time.Time
	purpose              string
}

var contractTable = warehouse.NewTable("contract", with("contract_id", func(r *contract) *record { return &r.record },
	warehouse.Col("kind", func(r *contract) string { return r.kind }),
	warehouse.Col("state", func(r *contract) string { return r.state }),
	warehouse.Col("account_id", func(r *contract) uint64 { return r.accountID }),
	warehouse.Col("product_id", func(r *contract) uint64 { return r.productID }),
	warehouse.Col("amount", func(r *contract) *decimal.Decimal { return r.amount }),
	warehouse.Col("amount_currency", func(r *contract) string { return r.amountCurrency }),
	warehouse.Col("instalment", func(r *contract) *decimal.Decimal { return r.instalment }),
	warehouse.Col("instalment_currency", func(r *contract) string { return r.instalmentCurrency }),
	warehouse.Col("duration_months", func(r *contract) uint32 { return r.durationMonths }),
	warehouse.Col("opened", func(r *contract) *time.Time { return r.opened }),
	warehouse.Col("closed", func(r *contract) *time.Time { return r.closed }),
	warehouse.Col("purpose", func(r *contract) string { return r.purpose }),
)...)

func contractOf(rec record, s *eventsv1.ContractState) (contract, error) {
	f := fields{prefix: "contract"}
	amount, amountCurrency := f.amount("amount", s.GetAmount())
	instalment, instalmentCurrency := f.amount("instalment", s.GetInstalment())
	return contract{
		record:             rec,
		kind:               s.GetKind(),
		state:              s.GetState(),
		accountID:          f.ref("account_id", s.GetAccountId()),
		productID:          f.ref("product_id", s.GetProductId()),
		amount:             amount,
		amountCurrency:     amountCurrency,
		instalment:         instalment,
		instalmentCurrency: instalmentCurrency,
		durationMonths:     f.count("duration_months", s.GetDurationMonths()),
		opened:             f.day("opened", s.GetOpened()),
		closed:             f.day("closed", s.GetClosed()),
		purpose:            s.GetPurpose(),
	}, f.fault()
}
