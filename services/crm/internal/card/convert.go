package card

import (
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/product"
	"tandem.bank/services/crm/internal/record"
)

func toRow(c *crmv1.Card) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Token:  c.GetToken(),
		First6: c.GetFirst6(),
		Last4:  c.GetLast4(),
		Scheme: c.GetScheme(),
		Expiry: in.Date("expiry", c.GetExpiry()),
		State:  record.EnumText(c.GetState()),
		Issued: in.Date("issued", c.GetIssued()),

		LinkedAccounts: []Linked{},
		StateReason:    c.GetStateReason(),
		StateSince:     in.Time("state_since", c.GetStateSince()),
	}
	if row.Expiry.Valid && row.Expiry.Time.Day() != 1 {
		in.Refuse("expiry", "must be the first day of a month: a card is good to the month's end")
	}
	if row.Expiry.Valid && row.Issued.Valid && !row.Expiry.Time.AddDate(0, 1, 0).After(row.Issued.Time) {
		in.Refuse("expiry", "must not be before issued")
	}
	if c.GetAccountHolderKey() == nil {
		in.Need("customer_id", c.GetCustomerId(), c.GetCustomerKey())
		in.Need("account_id", c.GetAccountId(), c.GetAccountKey())
	}
	refs := []record.Reference{
		record.Ref("customer_id", customer.Table, c.GetCustomerId(), c.GetCustomerKey(), &row.CustomerID),
		record.Ref("account_id", account.Table, c.GetAccountId(), c.GetAccountKey(), &row.AccountID),
		record.Ref("account_holder_id", account.HolderTable, 0, c.GetAccountHolderKey(), &row.AccountHolderID),
		record.Ref("product_id", product.Table, c.GetProductId(), c.GetProductKey(), &row.ProductID),
	}
	refs = append(refs, record.Ref("replaced_by_card_id", Table, c.GetReplacedByCardId(), c.GetReplacedByCardKey(), &row.ReplacedByID))
	return row, append(refs, row.link(&in, c.GetLinkedAccounts())...), in.Violations
}

// link reads the further accounts of a card.
func (row *Row) link(in *record.Reader, accounts []*crmv1.CardAccount) []record.Reference {
	var refs []record.Reference
	row.LinkedAccounts = make([]Linked, len(accounts))
	for i, a := range accounts {
		field := fmt.Sprintf("linked_accounts[%d].account_id", i)
		in.Need(field, a.GetAccountId(), a.GetAccountKey())
		linked := &row.LinkedAccounts[i]
		linked.Role = record.EnumText(a.GetRole())
		refs = append(refs, record.Ref(field, account.Table, a.GetAccountId(), a.GetAccountKey(), &linked.AccountID))
	}
	return refs
}

// checkLinks refuses an account that a card has twice.
func checkLinks(row *Row) error {
	seen := map[int64]bool{*row.AccountID: true}
	for i, linked := range row.LinkedAccounts {
		if seen[*linked.AccountID] {
			return apperr.InvalidField(fmt.Sprintf("linked_accounts[%d].account_id", i), "account %d is an account of the card already", *linked.AccountID)
		}
		seen[*linked.AccountID] = true
	}
	return nil
}

func linkedProto(linked []Linked) []*crmv1.CardAccount {
	var out []*crmv1.CardAccount
	for _, l := range linked {
		out = append(out, &crmv1.CardAccount{AccountId: *l.AccountID, Role: record.EnumValue[crmv1.CardAccountRole](l.Role)})
	}
	return out
}

func linkedIDs(linked []Linked) []int64 {
	var out []int64
	for _, l := range linked {
		out = append(out, *l.AccountID)
	}
	return out
}

func toProto(r *record.Record[Row]) *crmv1.Card {
	return &crmv1.Card{
		CardId:     r.ID,
		Key:        r.Key(),
		Token:      r.Row.Token,
		First6:     r.Row.First6,
		Last4:      r.Row.Last4,
		Scheme:     r.Row.Scheme,
		Expiry:     record.DateProto(r.Row.Expiry),
		State:      record.EnumValue[crmv1.CardState](r.Row.State),
		CustomerId: record.Value(r.Row.CustomerID),
		AccountId:  record.Value(r.Row.AccountID),
		ProductId:  record.Value(r.Row.ProductID),
		Issued:     record.DateProto(r.Row.Issued),

		LinkedAccounts:   linkedProto(r.Row.LinkedAccounts),
		ReplacedByCardId: record.Value(r.Row.ReplacedByID),
		StateReason:      r.Row.StateReason,
		StateSince:       record.TimeProto(r.Row.StateSince),

		Etag:       r.Etag(),
		CreateTime: timestamppb.New(r.CreatedAt),
		UpdateTime: timestamppb.New(r.UpdatedAt),
	}
}

// event leaves token and digits in Postgres.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Card{Card: &eventsv1.CardState{
		CustomerId: record.Value(r.Row.CustomerID),
		AccountId:  record.Value(r.Row.AccountID),
		ProductId:  record.Value(r.Row.ProductID),
		Scheme:     r.Row.Scheme,
		State:      r.Row.State,
		Issued:     record.DateText(r.Row.Issued),
		Expiry:     record.DateText(r.Row.Expiry),

		LinkedAccountIds: linkedIDs(r.Row.LinkedAccounts),
		ReplacedByCardId: record.Value(r.Row.ReplacedByID),
		StateSince:       record.TimeProto(r.Row.StateSince),
	}}
}

// ForCustomer reads a customer's cards by id.
func ForCustomer(into *[]*crmv1.Card, customerID int64, limit int) record.Part {
	return Table.Part(func(found []*record.Record[Row]) { *into = record.Protos(found, toProto) },
		"customer_id = $1 ORDER BY card_id LIMIT $2", customerID, limit)
}
