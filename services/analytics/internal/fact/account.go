package fact

import (
	"time"

	"github.com/shopspring/decimal"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type account struct {
	record
	currency                      string
	productID, regionID, branchID uint64
	state, statementFrequency     string
	opened, closed                *time.Time
	contractID                    uint64
	overdraftLimit                *decimal.Decimal
	stateSince                    *time.Time
}

var accountTable = warehouse.NewTable("account", with("account_id", func(r *account) *record { return &r.record },
	warehouse.Col("currency", func(r *account) string { return r.currency }),
	warehouse.Col("product_id", func(r *account) uint64 { return r.productID }),
	warehouse.Col("region_id", func(r *account) uint64 { return r.regionID }),
	warehouse.Col("branch_id", func(r *account) uint64 { return r.branchID }),
	warehouse.Col("state", func(r *account) string { return r.state }),
	warehouse.Col("statement_frequency", func(r *account) string { return r.statementFrequency }),
	warehouse.Col("opened", func(r *account) *time.Time { return r.opened }),
	warehouse.Col("closed", func(r *account) *time.Time { return r.closed }),
	warehouse.Col("contract_id", func(r *account) uint64 { return r.contractID }),
	warehouse.Col("overdraft_limit", func(r *account) *decimal.Decimal { return r.overdraftLimit }),
	warehouse.Col("state_since", func(r *account) *time.Time { return r.stateSince }),
)...)

func accountOf(rec record, s *eventsv1.AccountState) (account, error) {
	f := fields{prefix: "account"}
	return account{
		record:             rec,
		currency:           f.currency("currency", s.GetCurrency()),
		productID:          f.ref("product_id", s.GetProductId()),
		regionID:           f.ref("region_id", s.GetRegionId()),
		branchID:           f.ref("branch_id", s.GetBranchId()),
		state:              s.GetState(),
		statementFrequency: s.GetStatementFrequency(),
		opened:             f.day("opened", s.GetOpened()),
		closed:             f.day("closed", s.GetClosed()),
		contractID:         f.ref("contract_id", s.GetContractId()),
		overdraftLimit:     f.decimal("overdraft_limit", s.GetOverdraftLimit(), moneyDigits, moneyScale),
		stateSince:         f.time("state_since", s.GetStateSince()),
	}, f.fault()
}

type accountHolder struct {
	record
	accountID, customerID uint64
	role                  string
	validFrom, validTo    *time.Time
}

var accountHolderTable = warehouse.NewTable("account_holder",
	with("account_holder_id", func(r *accountHolder) *record { return &r.record },
		warehouse.Col("account_id", func(r *accountHolder) uint64 { return r.accountID }),
		warehouse.Col("customer_id", func(r *accountHolder) uint64 { return r.customerID }),
		warehouse.Col("role", func(r *accountHolder) string { return r.role }),
		warehouse.Col("valid_from", func(r *accountHolder) *time.Time { return r.validFrom }),
		warehouse.Col("valid_to", func(r *accountHolder) *time.Time { return r.validTo }),
	)...)

func accountHolderOf(rec record, s *eventsv1.AccountHolderState) (accountHolder, error) {
	f := fields{prefix: "account_holder"}
	return accountHolder{
		record:     rec,
		accountID:  f.need("account_id", s.GetAccountId()),
		customerID: f.need("customer_id", s.GetCustomerId()),
		role:       s.GetRole(),
		validFrom:  f.day("valid_from", s.GetValidFrom()),
		validTo:    f.day("valid_to", s.GetValidTo()),
	}, f.fault()
}

type card struct {
	record
	customerID, accountID, productID uint64
	scheme, state                    string
	issued, expiry                   *time.Time
	linkedAccountIDs                 []uint64
	replacedByCardID                 uint64
	stateSince                       *time.Time
}

var cardTable = warehouse.NewTable("card", with("card_id", func(r *card) *record { return &r.record },
	warehouse.Col("customer_id", func(r *card) uint64 { return r.customerID }),
	warehouse.Col("account_id", func(r *card) uint64 { return r.accountID }),
	warehouse.Col("product_id", func(r *card) uint64 { return r.productID }),
	warehouse.Col("scheme", func(r *card) string { return r.scheme }),
	warehouse.Col("state", func(r *card) string { return r.state }),
	warehouse.Col("issued", func(r *card) *time.Time { return r.issued }),
	warehouse.Col("expiry", func(r *card) *time.Time { return r.expiry }),
	warehouse.Col("linked_account_ids", func(r *card) []uint64 { return r.linkedAccountIDs }),
	warehouse.Col("replaced_by_card_id", func(r *card) uint64 { return r.replacedByCardID }),
	warehouse.Col("state_since", func(r *card) *time.Time { return r.stateSince }),
)...)

func cardOf(rec record, s *eventsv1.CardState) (card, error) {
	f := fields{prefix: "card"}
	row := card{
		record:     rec,
		customerID: f.ref("customer_id", s.GetCustomerId()),
		accountID:  f.ref("account_id", s.GetAccountId()),
		productID:  f.ref("product_id", s.GetProductId()),
		scheme:     s.GetScheme(),
		state:      s.GetState(),
		issued:     f.day("issued", s.GetIssued()),
		expiry:     f.day("expiry", s.GetExpiry()),

		linkedAccountIDs: make([]uint64, len(s.GetLinkedAccountIds())),
		replacedByCardID: f.ref("replaced_by_card_id", s.GetReplacedByCardId()),
		stateSince:       f.time("state_since", s.GetStateSince()),
	}
	for i, id := range s.GetLinkedAccountIds() {
		row.linkedAccountIDs[i] = f.need("linked_account_ids", id)
	}
	return row, f.fault()
}
