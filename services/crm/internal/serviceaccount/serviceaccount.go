// Package serviceaccount keeps the accounts by which programs call, and proves their tokens. A program signs its tokens
// itself; only its public keys are here.
package serviceaccount

import (
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/filter"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// States of an account.
const (
	active   = "active"
	disabled = "disabled"
)

// keysMax bounds the keys of an account that were not taken back: some programs, each with an old and a new key.
const keysMax = 16

// Row is an account as Postgres keeps it.
type Row struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Roles       []string `json:"roles"`
	State       string   `json:"state"`
	PublicKeys  []Key    `json:"public_keys"`
}

func (r *Row) hasKey(id string) bool {
	return slices.ContainsFunc(r.PublicKeys, func(k Key) bool { return k.ID == id })
}

// Key is a public key of an account.
type Key struct {
	ID        string     `json:"id"`
	PublicKey string     `json:"public_key"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires,omitempty"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// counts reports whether tokens that the key signed count at a time.
func (k Key) counts(at time.Time) bool {
	return k.Revoked == nil && (k.Expires == nil || at.Before(*k.Expires))
}

// Table keeps service accounts.
var Table = record.NewTable[Row]("service_account")

var schema = filter.Schema{
	{Name: "service_account_id", Column: "service_account_id", Kind: filter.Int, Required: true, Indexed: true},
	{Name: "key.source", Column: "source", Kind: filter.Text},
	{Name: "key.external_id", Column: "external_id", Kind: filter.Text},
	{Name: "name", Column: "name", Kind: filter.Text},
	{Name: "description", Column: "description", Kind: filter.Text},
	{Name: "state", Column: "state", Kind: filter.Enum, Values: record.EnumTexts[crmv1.ServiceAccountState]()},
	{Name: "roles", Column: "roles", Kind: filter.Text, Repeated: filter.Array},
	{Name: "create_time", Column: "created_at", Kind: filter.Time, Required: true},
	{Name: "update_time", Column: "updated_at", Kind: filter.Time, Required: true},
}

// newKey reads a public key as a caller gives it.
func newKey(text string, now time.Time) (Key, error) {
	public, err := auth.ParsePublicKey([]byte(text))
	if err != nil {
		return Key{}, apperr.InvalidField("public_key", "%s", err)
	}
	id, err := auth.KeyID(public)
	if err != nil {
		return Key{}, err
	}
	pem, err := auth.PEM(public)
	if err != nil {
		return Key{}, err
	}
	return Key{ID: id, PublicKey: string(pem), Created: now}, nil
}

// addKey puts a key beside those there are. A key that was taken back never comes again.
func (r *Row) addKey(key Key) error {
	standing := 0
	for _, k := range r.PublicKeys {
		if k.ID == key.ID {
			return apperr.Duplicate("public_key", "the account has this key already, or had it")
		}
		if k.counts(key.Created) {
			standing++
		}
	}
	if standing >= keysMax {
		return apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition,
			"the account has %d keys, at most %d are kept; revoke some", standing, keysMax)
	}
	r.PublicKeys = append(r.PublicKeys, key)
	return nil
}

// change keeps what an update may not touch: the name is how the program is known, state and keys have methods of their own.
func change(old, updated *Row) error {
	if old == nil {
		return nil
	}
	if updated.Name != old.Name {
		return apperr.InvalidField("name", "can't be changed: programs and the audit know the account by it")
	}
	updated.State, updated.PublicKeys = old.State, old.PublicKeys
	return nil
}
