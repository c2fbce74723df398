// Package card is payment cards: a token, the first six and last four digits, never the full number.
package card

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a card as Postgres keeps it.
type Row struct {
	Token           string      `json:"token"`
	First6          string      `json:"first6"`
	Last4           string      `json:"last4"`
	Scheme          string      `json:"scheme"`
	Expiry          pgtype.Date `json:"expiry"`
	State           string      `json:"state"`
	CustomerID      *int64      `json:"customer_id"`
	AccountID       *int64      `json:"account_id"`
	AccountHolderID *int64      `json:"account_holder_id"`
	ProductID       *int64      `json:"product_id"`
	Issued          pgtype.Date `json:"issued"`
	LinkedAccounts  []Linked    `json:"linked_accounts"`
	ReplacedByID    *int64      `json:"replaced_by_card_id"`
	StateReason     string      `json:"state_reason"`
	StateSince      *time.Time  `json:"state_since"`
}

// Linked is a further account of a card.
type Linked struct {
	AccountID *int64 `json:"account_id"`
	Role      string `json:"role"`
}

func life(row *Row) record.Life {
	return record.Life{State: &row.State, Reason: &row.StateReason, Since: &row.StateSince}
}

// Table keeps cards; other rooms refer to it.
var Table = record.NewTable[Row]("card", sight.ByCustomer("card.customer_id"))

// linked are the further accounts of cards.
var linked = &filter.Related{
	Name: "linked_accounts", Key: "l.card_id", Of: "card.card_id",
	From: "(SELECT card_id, (further->>'account_id')::bigint AS account_id, further->>'role' AS role FROM card," +
		" jsonb_array_elements(linked_accounts) AS further) l",
}

var schema = filter.Schema{
	{Name: "card_id", Column: "card_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "token", Column: "token", Kind: filter.Text},
	{Name: "first6", Column: "first6", Kind: filter.Text},
	{Name: "last4", Column: "last4", Kind: filter.Text},
	{Name: "scheme", Column: "scheme", Kind: filter.Text},
	{Name: "expiry", Column: "expiry", Kind: filter.Date},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CardState](), Required: true},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "account_id", Column: "account_id", Kind: filter.Int, Required: true},
	{Name: "linked_accounts.account_id", Column: "l.account_id", Kind: filter.Int, Required: true, Related: linked},
	{Name: "linked_accounts.role", Column: "l.role", Kind: filter.Enum, Values: record.EnumTexts[crmv1.CardAccountRole](), Related: linked},
	{Name: "product_id", Column: "product_id", Kind: filter.Int},
	{Name: "issued", Column: "issued", Kind: filter.Date},
	{Name: "replaced_by_card_id", Column: "replaced_by_card_id", Kind: filter.Int},
	{Name: "state_reason", Column: "state_reason", Kind: filter.Text},
	{Name: "state_since", Column: "state_since", Kind: filter.Time},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// fromHolding fills in customer and account from the holding that a message names instead.
func fromHolding(ctx context.Context, q record.Querier, rows []*record.Record[Row]) ([]error, error) {
	var ids []int64
	for _, r := range rows {
		if r.Row.AccountHolderID != nil {
			ids = append(ids, *r.Row.AccountHolderID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	holdings, err := account.Holders(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(rows))
	for i, r := range rows {
		if r.Row.AccountHolderID == nil {
			continue
		}
		holding := holdings[*r.Row.AccountHolderID]
		errs[i] = apperr.Invalid(append(
			settle("customer", &r.Row.CustomerID, holding.CustomerID),
			settle("account", &r.Row.AccountID, holding.AccountID)...)...)
	}
	return errs, nil
}

// settle takes over what the holding says; a message that says something else contradicts itself.
func settle(what string, given **int64, held *int64) []apperr.Violation {
	if *given == nil {
		*given = held
	}
	if **given != *held {
		return []apperr.Violation{{Field: what + "_id", Description: "contradicts account_holder_key: that holding belongs to another " + what}}
	}
	return nil
}
