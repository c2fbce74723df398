package fact

import (
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

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
	purpose, currency    string

	annualRate, rateMargin *decimal.Decimal
	rateKind, dayCount     string
	referenceRate          string
	limit                  *decimal.Decimal
	secured                uint8
	signed, maturity       *time.Time
	stateSince             *time.Time
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
	warehouse.Col("currency", func(r *contract) string { return r.currency }),
	warehouse.Col("annual_rate", func(r *contract) *decimal.Decimal { return r.annualRate }),
	warehouse.Col("rate_kind", func(r *contract) string { return r.rateKind }),
	warehouse.Col("reference_rate", func(r *contract) string { return r.referenceRate }),
	warehouse.Col("rate_margin", func(r *contract) *decimal.Decimal { return r.rateMargin }),
	warehouse.Col("day_count", func(r *contract) string { return r.dayCount }),
	warehouse.Col("credit_limit", func(r *contract) *decimal.Decimal { return r.limit }),
	warehouse.Col("secured", func(r *contract) uint8 { return r.secured }),
	warehouse.Col("signed", func(r *contract) *time.Time { return r.signed }),
	warehouse.Col("maturity", func(r *contract) *time.Time { return r.maturity }),
	warehouse.Col("state_since", func(r *contract) *time.Time { return r.stateSince }),
)...)

func contractOf(rec record, s *eventsv1.ContractState) (contract, error) {
	f := fields{prefix: "contract"}
	amount, amountCurrency := f.amount("amount", s.GetAmount())
	instalment, instalmentCurrency := f.amount("instalment", s.GetInstalment())
	limit, _ := f.amount("limit", s.GetLimit())
	row := contract{
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
		currency:           s.GetCurrency(),
		annualRate:         f.decimal("annual_rate", s.GetAnnualRate(), marginDigits, marginScale),
		rateKind:           s.GetRateKind(),
		referenceRate:      s.GetReferenceRate(),
		rateMargin:         f.decimal("rate_margin", s.GetRateMargin(), marginDigits, marginScale),
		dayCount:           s.GetDayCount(),
		limit:              limit,
		signed:             f.day("signed", s.GetSigned()),
		maturity:           f.day("maturity", s.GetMaturity()),
		stateSince:         f.time("state_since", s.GetStateSince()),
	}
	if s.GetSecured() {
		row.secured = 1
	}
	return row, f.fault()
}

type contractParty struct {
	record
	contractID, customerID uint64
	role                   string
	share                  *decimal.Decimal
	validFrom, validTo     *time.Time
}

var contractPartyTable = warehouse.NewTable("contract_party",
	with("contract_party_id", func(r *contractParty) *record { return &r.record },
		warehouse.Col("contract_id", func(r *contractParty) uint64 { return r.contractID }),
		warehouse.Col("customer_id", func(r *contractParty) uint64 { return r.customerID }),
		warehouse.Col("role", func(r *contractParty) string { return r.role }),
		warehouse.Col("share", func(r *contractParty) *decimal.Decimal { return r.share }),
		warehouse.Col("valid_from", func(r *contractParty) *time.Time { return r.validFrom }),
		warehouse.Col("valid_to", func(r *contractParty) *time.Time { return r.validTo }),
	)...)

func contractPartyOf(rec record, s *eventsv1.ContractPartyState) (contractParty, error) {
	f := fields{prefix: "contract_party"}
	return contractParty{
		record:     rec,
		contractID: f.need("contract_id", s.GetContractId()),
		customerID: f.need("customer_id", s.GetCustomerId()),
		role:       s.GetRole(),
		share:      f.decimal("share", s.GetShare(), fractionDigits, fractionScale),
		validFrom:  f.day("valid_from", s.GetValidFrom()),
		validTo:    f.day("valid_to", s.GetValidTo()),
	}, f.fault()
}

type instalment struct {
	record
	contractID                     uint64
	number                         uint32
	due                            time.Time
	paidOn                         *time.Time
	currency, state                string
	principal, interest, fee, paid decimal.Decimal
}

var instalmentTable = warehouse.NewTable("instalment",
	with("instalment_id", func(r *instalment) *record { return &r.record },
		warehouse.Col("contract_id", func(r *instalment) uint64 { return r.contractID }),
		warehouse.Col("position", func(r *instalment) uint32 { return r.number }),
		warehouse.Col("due", func(r *instalment) time.Time { return r.due }),
		warehouse.Col("currency", func(r *instalment) string { return r.currency }),
		warehouse.Col("principal", func(r *instalment) decimal.Decimal { return r.principal }),
		warehouse.Col("interest", func(r *instalment) decimal.Decimal { return r.interest }),
		warehouse.Col("fee", func(r *instalment) decimal.Decimal { return r.fee }),
		warehouse.Col("paid", func(r *instalment) decimal.Decimal { return r.paid }),
		warehouse.Col("paid_on", func(r *instalment) *time.Time { return r.paidOn }),
		warehouse.Col("state", func(r *instalment) string { return r.state }),
	)...)

func instalmentOf(rec record, s *eventsv1.InstalmentState) (instalment, error) {
	f := fields{prefix: "instalment"}
	row := instalment{
		record:     rec,
		contractID: f.need("contract_id", s.GetContractId()),
		number:     f.count("number", s.GetNumber()),
		currency:   f.currency("currency", s.GetCurrency()),
		principal:  f.money("principal", s.GetPrincipal()),
		interest:   f.money("interest", s.GetInterest()),
		fee:        f.money("fee", s.GetFee()),
		paid:       f.money("paid", s.GetPaid()),
		paidOn:     f.day("paid_on", s.GetPaidOn()),
		state:      f.oneOf("state", s.GetState(), "open", "partly_paid", "paid", "waived"),
	}
	if due := f.day("due", s.GetDue()); due != nil {
		row.due = *due
	} else {
		f.fail("due", "must be set")
	}
	return row, f.fault()
}
