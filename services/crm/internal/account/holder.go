package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// HolderRow is a holding as Postgres keeps it: both its days belong to it.
type HolderRow struct {
	AccountID  *int64      `json:"account_id"`
	CustomerID *int64      `json:"customer_id"`
	Role       string      `json:"role"`
	ValidFrom  pgtype.Date `json:"valid_from"`
	ValidTo    pgtype.Date `json:"valid_to"`
}

// HolderTable keeps holdings; other rooms refer to it.
var HolderTable = record.NewTable[HolderRow]("account_holder", sight.ByCustomer("account_holder.customer_id"))

var holderSchema = filter.Schema{
	{Name: "account_holder_id", Column: "account_holder_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "account_id", Column: "account_id", Kind: filter.Int, Required: true},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "role", Column: "role", Kind: filter.Enum, Values: record.EnumTexts[crmv1.HolderRole](), Required: true},
	{Name: "valid_from", Column: "valid_from", Kind: filter.Date},
	{Name: "valid_to", Column: "valid_to", Kind: filter.Date},
}

var roleOwner = record.EnumText(crmv1.HolderRole_HOLDER_ROLE_OWNER)

func holderToRow(h *crmv1.AccountHolder) (HolderRow, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := HolderRow{
		Role:      record.EnumText(h.GetRole()),
		ValidFrom: in.Date("valid_from", h.GetValidFrom()),
		ValidTo:   in.Date("valid_to", h.GetValidTo()),
	}
	in.Need("account_id", h.GetAccountId(), h.GetAccountKey())
	in.Need("customer_id", h.GetCustomerId(), h.GetCustomerKey())
	in.NotBefore("valid_to", row.ValidTo, "valid_from", row.ValidFrom)
	refs := []record.Reference{
		record.Ref("account_id", Table, h.GetAccountId(), h.GetAccountKey(), &row.AccountID),
		record.Ref("customer_id", customer.Table, h.GetCustomerId(), h.GetCustomerKey(), &row.CustomerID),
	}
	return row, refs, in.Violations
}

func holderToProto(r *record.Record[HolderRow]) *crmv1.AccountHolder {
	return &crmv1.AccountHolder{
		AccountHolderId: r.ID,
		Key:             r.Key(),
		AccountId:       record.Value(r.Row.AccountID),
		CustomerId:      record.Value(r.Row.CustomerID),
		Role:            record.EnumValue[crmv1.HolderRole](r.Row.Role),
		ValidFrom:       record.DateProto(r.Row.ValidFrom),
		ValidTo:         record.DateProto(r.Row.ValidTo),
		Etag:            r.Etag(),
	}
}

func holderEvent(r *record.Record[HolderRow], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_AccountHolder{AccountHolder: &eventsv1.AccountHolderState{
		AccountId:  record.Value(r.Row.AccountID),
		CustomerId: record.Value(r.Row.CustomerID),
		Role:       r.Row.Role,
		ValidFrom:  record.DateText(r.Row.ValidFrom),
		ValidTo:    record.DateText(r.Row.ValidTo),
	}}
}

// holding is one owner's time with an account.
type holding = record.Record[HolderRow]

// oneOwner refuses a second owner of an account at the same time: its transactions count as the owner's. Rows are held
// against those stored and those before them in the batch; a stored holding that the batch replaces counts as replaced.
// The table has a constraint that says the same; this finds the other holding, so that the answer can name it.
func oneOwner(ctx context.Context, q record.Querier, rows []*holding) ([]error, error) {
	owners, replaced := map[int64][]*holding{}, map[string]bool{}
	var accounts []int64
	for _, r := range rows {
		replaced[name(r)] = true
		if r.Row.Role == roleOwner {
			accounts = append(accounts, *r.Row.AccountID)
		}
	}
	if err := lock(ctx, q, accounts); err != nil {
		return nil, err
	}
	stored, err := HolderTable.Select(ctx, q, "account_id = ANY($1) AND role = 'owner'", accounts)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		if !replaced[name(s)] {
			owners[*s.Row.AccountID] = append(owners[*s.Row.AccountID], s)
		}
	}
	errs := make([]error, len(rows))
	for i, r := range rows {
		if r.Row.Role == roleOwner {
			errs[i] = join(owners, r)
		}
	}
	return errs, nil
}

// lock lets one call at a time change who owns these accounts: without it two calls that give an account an owner at the
// same moment would not see each other's.
func lock(ctx context.Context, q record.Querier, accounts []int64) error {
	rows, err := q.Query(ctx, "SELECT FROM account WHERE account_id = ANY($1) ORDER BY account_id FOR NO KEY UPDATE", accounts)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// join adds an owner to those of the account, unless another one is there at the same time.
func join(owners map[int64][]*holding, r *holding) error {
	account := *r.Row.AccountID
	for _, other := range owners[account] {
		if name(other) != name(r) && overlap(&other.Row, &r.Row) {
			return apperr.Duplicate("role", "account %d already has an owner in that time: customer %d by holding %s, %s",
				account, *other.Row.CustomerID, name(other), period(&other.Row))
		}
	}
	owners[account] = append(owners[account], r)
	return nil
}

// overlap says whether two holdings share a day; no first day means since ever, no last day for ever.
func overlap(a, b *HolderRow) bool {
	startsLate := func(x, y *HolderRow) bool {
		return x.ValidFrom.Valid && y.ValidTo.Valid && x.ValidFrom.Time.After(y.ValidTo.Time)
	}
	return !startsLate(a, b) && !startsLate(b, a)
}

// name is what a caller knows a holding by.
func name(r *holding) string {
	if key := r.Key(); key != nil {
		return key.GetSource() + "/" + key.GetExternalId()
	}
	return fmt.Sprint(r.ID)
}

func period(row *HolderRow) string {
	from, to := "since ever", ", with no end"
	if row.ValidFrom.Valid {
		from = "from " + record.DateText(row.ValidFrom)
	}
	if row.ValidTo.Valid {
		to = " to " + record.DateText(row.ValidTo)
	}
	return from + to
}
