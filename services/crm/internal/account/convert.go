package account

import (
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/branch"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/record"
)

func toRow(a *crmv1.Account) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Currency:           in.Currency("currency", a.GetCurrency()),
		State:              record.EnumText(a.GetState()),
		StatementFrequency: record.EnumText(a.GetStatementFrequency()),
		Opened:             in.Date("opened", a.GetOpened()),
		Closed:             in.Date("closed", a.GetClosed()),
		StateReason:        a.GetStateReason(),
		StateSince:         in.Time("state_since", a.GetStateSince()),
		OverdraftLimit:     readLimit(&in, a),
	}
	var err error
	if row.Number, err = readNumber(a.GetNumber()); err != nil {
		in.Refuse("number", err.Error())
	}
	in.NotBefore("closed", row.Closed, "opened", row.Opened)
	refs := []record.Reference{
		record.Ref("product_id", product.Table, a.GetProductId(), a.GetProductKey(), &row.ProductID),
		record.Ref("region_id", branch.RegionTable, a.GetRegionId(), a.GetRegionKey(), &row.RegionID),
		record.Ref("branch_id", branch.BranchTable, a.GetBranchId(), a.GetBranchKey(), &row.BranchID),
		record.Ref("contract_id", contractTable, a.GetContractId(), a.GetContractKey(), &row.ContractID),
	}
	return row, refs, in.Violations
}

// readLimit reads the arranged overdraft, which has the currency of the account.
func readLimit(in *record.Reader, a *crmv1.Account) decimal.NullDecimal {
	limit, currency := in.Money("overdraft_limit", a.GetOverdraftLimit())
	switch {
	case limit.Decimal.IsNegative():
		in.Refuse("overdraft_limit", "must not be negative")
	case limit.Valid && currency != a.GetCurrency():
		in.Refuse("overdraft_limit", "must be in the currency of the account, "+a.GetCurrency())
	}
	return limit
}

func toProto(r *record.Record[Row]) *crmv1.Account {
	return &crmv1.Account{
		AccountId:          r.ID,
		Key:                r.Key(),
		Number:             r.Row.Number,
		Currency:           r.Row.Currency,
		ProductId:          record.Value(r.Row.ProductID),
		RegionId:           record.Value(r.Row.RegionID),
		BranchId:           record.Value(r.Row.BranchID),
		State:              record.EnumValue[crmv1.AccountState](r.Row.State),
		StatementFrequency: record.EnumValue[crmv1.StatementFrequency](r.Row.StatementFrequency),
		Opened:             record.DateProto(r.Row.Opened),
		Closed:             record.DateProto(r.Row.Closed),
		LedgerBalance:      record.MoneyProto(r.Row.LedgerBalance, r.Row.Currency),
		BalanceDate:        record.DateProto(r.Row.BalanceDate),
		ContractId:         record.Value(r.Row.ContractID),
		StateReason:        r.Row.StateReason,
		StateSince:         record.TimeProto(r.Row.StateSince),
		OverdraftLimit:     record.MoneyProto(r.Row.OverdraftLimit, r.Row.Currency),
		AvailableBalance:   record.MoneyProto(r.Row.AvailableBalance, r.Row.Currency),
		HeldAmount:         record.MoneyProto(r.Row.HeldAmount, r.Row.Currency),
		BalanceTime:        record.TimeProto(r.Row.BalanceTime),
		Etag:               r.Etag(),
		CreateTime:         timestamppb.New(r.CreatedAt),
		UpdateTime:         timestamppb.New(r.UpdatedAt),
	}
}

// event leaves the number in Postgres. The balance travels with the transactions.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Account{Account: &eventsv1.AccountState{
		Currency:           r.Row.Currency,
		ProductId:          record.Value(r.Row.ProductID),
		RegionId:           record.Value(r.Row.RegionID),
		BranchId:           record.Value(r.Row.BranchID),
		State:              r.Row.State,
		StatementFrequency: r.Row.StatementFrequency,
		Opened:             record.DateText(r.Row.Opened),
		Closed:             record.DateText(r.Row.Closed),
		ContractId:         record.Value(r.Row.ContractID),
		OverdraftLimit:     record.DecimalText(r.Row.OverdraftLimit),
		StateSince:         record.TimeProto(r.Row.StateSince),
	}}
}
