// Package relation is who is related to whom: families, companies, guarantees, and the people to talk to.
//
// "Other is the <type> of customer" is how a row reads: customer 1, child, other 2 says that 2 is a child of 1. It is
// stored once and found from both sides. Other may be somebody who is no customer: then a name stands for the number.
package relation

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a relation as Postgres keeps it: both its days belong to it.
type Row struct {
	CustomerID      *int64              `json:"customer_id"`
	Type            string              `json:"type"`
	OtherCustomerID *int64              `json:"other_customer_id"`
	OtherName       string              `json:"other_name"`
	OtherBirthDate  pgtype.Date         `json:"other_birth_date"`
	ValidFrom       pgtype.Date         `json:"valid_from"`
	ValidTo         pgtype.Date         `json:"valid_to"`
	EndReason       string              `json:"end_reason"`
	Weight          decimal.NullDecimal `json:"weight"`
	Formality       string              `json:"formality"`
	Share           decimal.NullDecimal `json:"share"`
	Position        string              `json:"position"`
	DecisionPower   string              `json:"decision_power"`
	Note            string              `json:"note"`
}

// Table keeps relations. One is seen from both its ends, and written only by those who see both.
var Table = record.NewTable[Row]("relation", sight.ByCustomer("relation.customer_id"), sight.ByCustomer("relation.other_customer_id"))

var writable = sight.All(sight.ByCustomer("relation.customer_id"),
	sight.Any(sight.Unset("relation.other_customer_id"), sight.ByCustomer("relation.other_customer_id")))

var schema = filter.Schema{
	{Name: "relation_id", Column: "relation_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "type", Column: "type", Kind: filter.Enum, Values: record.EnumTexts[crmv1.RelationType](), Required: true},
	{Name: "other_customer_id", Column: "other_customer_id", Kind: filter.Int},
	{Name: "other_name", Column: "other_name", Kind: filter.Text},
	{Name: "other_birth_date", Column: "other_birth_date", Kind: filter.Date},
	{Name: "valid_from", Column: "valid_from", Kind: filter.Date},
	{Name: "valid_to", Column: "valid_to", Kind: filter.Date},
	{Name: "end_reason", Column: "end_reason", Kind: filter.Text},
	{Name: "weight", Column: "weight", Kind: filter.Decimal},
	{Name: "formality", Column: "formality", Kind: filter.Enum, Values: record.EnumTexts[crmv1.Formality](), Required: true},
	{Name: "share", Column: "share", Kind: filter.Decimal},
	{Name: "position", Column: "position", Kind: filter.Text},
	{Name: "decision_power", Column: "decision_power", Kind: filter.Enum, Values: record.EnumTexts[crmv1.DecisionPower]()},
	{Name: "note", Column: "note", Kind: filter.Text},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// checkAttributes refuses what the type does not have, and a time that ends before it begins.
func (r *Row) checkAttributes(in *record.Reader) {
	if r.Share.Valid && r.Type != typeShareholder {
		in.Refuse("share", "is only for a shareholder")
	}
	if r.DecisionPower != "" && r.Type != typeContactPerson {
		in.Refuse("decision_power", "is only for a contact person")
	}
	if r.Position != "" && r.Type != typeContactPerson && r.Type != typeDirector && r.Type != typeEmployer {
		in.Refuse("position", "is only for a contact person, a director or an employee")
	}
	if r.EndReason != "" && !r.ValidTo.Valid {
		in.Refuse("end_reason", "is only for a relation with valid_to")
	}
	in.NotBefore("valid_to", r.ValidTo, "valid_from", r.ValidFrom)
}

// checkOther refuses another party that has neither a number nor a name, or both; a birth date goes with a person's name.
func (r *Row) checkOther(in *record.Reader, isCustomer bool) {
	switch {
	case !isCustomer && r.OtherName == "":
		in.Refuse("other_customer_id", "is required; or set other_customer_key, or other_name for somebody who is no customer")
	case isCustomer && r.OtherName != "":
		in.Refuse("other_name", "is only for somebody who is no customer")
	}
	switch {
	case !r.OtherBirthDate.Valid:
	case isCustomer:
		in.Refuse("other_birth_date", "is only for somebody who is no customer")
	case rules[r.Type].other == organisation:
		in.Refuse("other_birth_date", "is only for a person")
	case r.OtherBirthDate.Time.After(time.Now().AddDate(0, 0, 1)):
		in.Refuse("other_birth_date", "must not be in the future")
	}
}

// change keeps what a relation is: other parties or another type would be another relation. Only somebody known by name
// may become a customer. A relation without a formality keeps the one it has, a new one gets that of its type.
func change(old, updated *Row) error {
	if old == nil {
		if updated.Formality == "" {
			updated.Formality = rules[updated.Type].formality()
		}
		return nil
	}
	if updated.Formality == "" {
		updated.Formality = old.Formality
	}
	var broken []apperr.Violation
	immutable := func(field string, same bool) {
		if !same {
			broken = append(broken, apperr.Violation{Field: field, Description: "can't change"})
		}
	}
	immutable("type", old.Type == updated.Type)
	immutable("customer_id", *old.CustomerID == *updated.CustomerID)
	immutable("other_customer_id", old.OtherCustomerID == nil || record.Value(old.OtherCustomerID) == record.Value(updated.OtherCustomerID))
	return apperr.Invalid(broken...)
}
