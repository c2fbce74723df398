// Package consent is what customers allow the bank to do: for which purpose, on which channel, from when to when.
package consent

import (
	"maps"
	"slices"
	"time"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// Row is a consent as Postgres keeps it.
type Row struct {
	CustomerID       *int64     `json:"customer_id"`
	Purpose          string     `json:"purpose"`
	Channel          string     `json:"channel"`
	GrantedAt        *time.Time `json:"granted_at"`
	ExpiresAt        *time.Time `json:"expires_at"`
	TextVersion      string     `json:"text_version"`
	Proof            string     `json:"proof"`
	GrantedHow       string     `json:"granted_how"`
	WithdrawnAt      *time.Time `json:"withdrawn_at"`
	WithdrawnHow     string     `json:"withdrawn_how"`
	WithdrawalReason string     `json:"withdrawal_reason"`
	WithdrawalProof  string     `json:"withdrawal_proof"`
}

// Table keeps consents.
var Table = record.NewTable[Row]("consent", sight.ByCustomer("consent.customer_id"))

var schema = filter.Schema{
	{Name: "consent_id", Column: "consent_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "customer_id", Column: "customer_id", Kind: filter.Int, Required: true},
	{Name: "purpose", Column: "purpose", Kind: filter.Text, Required: true},
	{Name: "channel", Column: "channel", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ConsentChannel](), Required: true},
	{Name: "granted_time", Column: "granted_at", Kind: filter.Time},
	{Name: "expires_time", Column: "expires_at", Kind: filter.Time},
	{Name: "text_version", Column: "text_version", Kind: filter.Text},
	{Name: "proof", Column: "proof", Kind: filter.Text},
	{Name: "granted_how", Column: "granted_how", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ConsentMethod]()},
	{Name: "withdrawn_time", Column: "withdrawn_at", Kind: filter.Time},
	{Name: "withdrawn_how", Column: "withdrawn_how", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ConsentMethod]()},
	{Name: "withdrawal_reason", Column: "withdrawal_reason", Kind: filter.Text},
	{Name: "withdrawal_proof", Column: "withdrawal_proof", Kind: filter.Text},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// clockSkewMax is how far the clock of a source may be ahead of ours.
const clockSkewMax = 5 * time.Minute

// checkDecided refuses the time of a decision that nobody can have made yet.
func checkDecided(in *record.Reader, field string, at *time.Time) {
	if at != nil && at.After(time.Now().Add(clockSkewMax)) {
		in.Refuse(field, "must not be in the future")
	}
}

// check keeps the times of a consent in order, and what describes a decision beside its time.
func (r *Row) check(in *record.Reader) {
	checkDecided(in, "granted_time", r.GrantedAt)
	checkDecided(in, "withdrawn_time", r.WithdrawnAt)
	if r.GrantedAt == nil && r.WithdrawnAt == nil {
		in.Refuse("granted_time", "is required; or set withdrawn_time")
	}
	if r.GrantedAt != nil && r.WithdrawnAt != nil && r.WithdrawnAt.Before(*r.GrantedAt) {
		in.Refuse("withdrawn_time", "must not be before granted_time")
	}
	if r.GrantedAt != nil && r.ExpiresAt != nil && !r.ExpiresAt.After(*r.GrantedAt) {
		in.Refuse("expires_time", "must be after granted_time")
	}
	if r.GrantedAt == nil {
		onlyWith(in, "granted_time", map[string]bool{
			"expires_time": r.ExpiresAt != nil, "text_version": r.TextVersion != "", "proof": r.Proof != "", "granted_how": r.GrantedHow != "",
		})
	}
	if r.WithdrawnAt == nil {
		onlyWith(in, "withdrawn_time", map[string]bool{
			"withdrawn_how": r.WithdrawnHow != "", "withdrawal_reason": r.WithdrawalReason != "", "withdrawal_proof": r.WithdrawalProof != "",
		})
	}
}

// onlyWith refuses the fields that are set although what they describe did not happen.
func onlyWith(in *record.Reader, time string, set map[string]bool) {
	for _, field := range slices.Sorted(maps.Keys(set)) {
		if set[field] {
			in.Refuse(field, "is only for a consent with "+time)
		}
	}
}

// change keeps what a consent is: another customer, purpose, channel or grant would be another consent. A withdrawal
// stays: what the customer told us must not be undone by a source that has not heard of it yet, or heard of it later.
func change(old, updated *Row) error {
	if old == nil {
		return nil
	}
	var broken []apperr.Violation
	immutable := func(field string, same bool) {
		if !same {
			broken = append(broken, apperr.Violation{Field: field, Description: "can't change"})
		}
	}
	immutable("customer_id", *old.CustomerID == *updated.CustomerID)
	immutable("purpose", old.Purpose == updated.Purpose)
	immutable("channel", old.Channel == updated.Channel)
	immutable("granted_time", sameTime(old.GrantedAt, updated.GrantedAt))
	if old.WithdrawnAt != nil && (updated.WithdrawnAt == nil || updated.WithdrawnAt.After(*old.WithdrawnAt)) {
		updated.WithdrawnAt, updated.WithdrawnHow = old.WithdrawnAt, old.WithdrawnHow
		updated.WithdrawalReason, updated.WithdrawalProof = old.WithdrawalReason, old.WithdrawalProof
	}
	return apperr.Invalid(broken...)
}

func sameTime(a, b *time.Time) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Equal(*b))
}
