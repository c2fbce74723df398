package auth

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithms are the ways of signing that are taken. All have a public key: a service can check tokens and make none.
func Algorithms() []string { return []string{"EdDSA", "ES256", "RS256"} }

// Source finds the keys of issuers.
type Source interface {
	// Vouch checks the signature of a token against the keys of its issuer. It returns ErrUnknownIssuer when the issuer is
	// not one of its own, and ErrSignature when none of the issuer's keys made the signature.
	Vouch(ctx context.Context, token *Token) (Voucher, error)
}

var (
	// ErrUnknownIssuer passes a token on to the next source.
	ErrUnknownIssuer = errors.New("auth: issuer is not known")
	// ErrSignature says that no key of the issuer made the signature.
	ErrSignature = errors.New("auth: signature fits no key of the issuer")
)

// Voucher is what a source says about a token whose signature is right.
type Voucher struct {
	// Account is the service account that signed for itself; nil when an issuer signed for somebody.
	Account *Account
	// Delegates says that the issuer may act in the name of service accounts.
	Delegates bool
	// Fresh is how long the answer may be remembered; keys and accounts that are gone count that much longer.
	Fresh time.Duration
}

// Account is a program's account: its roles are those kept with the account, whatever its tokens say.
type Account struct {
	Name  string
	Roles []string
}

// Token is a token as it came: nothing in it is proved before a source vouches for it.
type Token struct {
	// Raw is the token in compact form. It must not be logged.
	Raw string
	// Issuer, KeyID (may be empty) and Algorithm are what the token says of itself.
	Issuer, KeyID, Algorithm string

	claims jwt.MapClaims
	method jwt.SigningMethod
}

// parse takes a token apart.
func parse(raw string) (*Token, error) {
	claims := jwt.MapClaims{}
	parsed, _, err := jwt.NewParser().ParseUnverified(raw, claims)
	if err != nil {
		return nil, invalid("the token is no JSON Web Token in compact form")
	}
	t := &Token{Raw: raw, claims: claims, method: parsed.Method}
	t.Algorithm = parsed.Method.Alg()
	if !slices.Contains(Algorithms(), t.Algorithm) {
		return nil, invalid("the token is signed by an algorithm that is not taken; taken are %s", strings.Join(Algorithms(), ", "))
	}
	// Extensions that must be understood (RFC 7515, 4.1.11): there are none here.
	if _, has := parsed.Header["crit"]; has {
		return nil, invalid("the token needs extensions that are not known here")
	}
	if id, has := parsed.Header["kid"]; has {
		text, ok := id.(string)
		if !ok {
			return nil, invalid("the token's key id is no text")
		}
		t.KeyID = text
	}
	if t.Issuer, err = claims.GetIssuer(); err != nil || t.Issuer == "" {
		return nil, invalid("the token has no issuer")
	}
	return t, nil
}

// claimActor names who acts for the subject.
const claimActor = "act"

// actor is the service that acts for the token's subject; empty when the subject acts by itself.
func (t *Token) actor() string {
	act, _ := t.claims[claimActor].(map[string]any)
	subject, _ := act["sub"].(string)
	return subject
}

// SignedBy reports whether a public key belongs to the token's signature.
func (t *Token) SignedBy(key crypto.PublicKey) bool {
	end := strings.LastIndexByte(t.Raw, '.')
	if end < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(t.Raw[end+1:])
	return err == nil && t.method.Verify(t.Raw[:end], signature, key) == nil
}
