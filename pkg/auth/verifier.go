package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tandem.bank/pkg/check"
)

const (
	// tokenBytesMax is far above any token in use, and below what would make parsing worth an attack.
	tokenBytesMax = 8 << 10
	// leeway is by how much two clocks may differ.
	leeway = 30 * time.Second
	// AccountLifetimeMax is how long a token that a service account signed for itself may live.
	AccountLifetimeMax = time.Hour
	// AccountPrefix stands before the name of a service account in Principal.Subject, so that no person's name can be
	// taken for a program's, nor the other way round.
	AccountPrefix = "service:"
)

// VerifierConfig says which tokens count.
type VerifierConfig struct {
	// Sources of keys, asked in turn.
	Sources []Source
	// Audience that a token must be made for.
	Audience string
	// RolesClaim is where tokens carry roles: the name of a claim, or a path such as "realm_access.roles".
	RolesClaim string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Validate names what is missing.
func (c VerifierConfig) Validate() error {
	if len(c.Sources) == 0 || c.Audience == "" || c.RolesClaim == "" {
		return errors.New("auth: a source of keys, an audience and a claim for roles are required")
	}
	return nil
}

// Verifier turns bearer tokens into principals.
type Verifier struct {
	config VerifierConfig
	known  *cache
}

// NewVerifier makes a verifier.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Verifier{config: config, known: newCache(cachedTokensMax)}, nil
}

// Verify returns whom a token proves. A token that was good is remembered for a while by its hash, so that a call costs no
// check of a signature.
func (v *Verifier) Verify(ctx context.Context, raw string) (Principal, error) {
	if len(raw) > tokenBytesMax {
		return Principal{}, invalid("the token is longer than %d bytes", tokenBytesMax)
	}
	hash, now := sha256.Sum256([]byte(raw)), v.config.Now()
	if p, ok := v.known.get(hash, now); ok {
		return p, nil
	}
	token, err := parse(raw)
	if err != nil {
		return Principal{}, err
	}
	voucher, err := v.vouch(ctx, token)
	if err != nil {
		return Principal{}, err
	}
	principal, err := v.principal(token, voucher)
	if err != nil {
		return Principal{}, err
	}
	until := now.Add(voucher.Fresh)
	if end := principal.Expires.Add(leeway); end.Before(until) {
		until = end
	}
	v.known.put(hash, principal, until)
	return principal, nil
}

// vouch asks the sources in turn. A wrong issuer and a wrong signature get one answer: it tells nobody who has an account.
func (v *Verifier) vouch(ctx context.Context, token *Token) (Voucher, error) {
	for _, source := range v.config.Sources {
		voucher, err := source.Vouch(ctx, token)
		if errors.Is(err, ErrUnknownIssuer) {
			continue
		}
		if errors.Is(err, ErrSignature) {
			break
		}
		return voucher, err
	}
	return Voucher{}, invalid("the token is not signed by a key of an issuer that is trusted here")
}

func (v *Verifier) principal(token *Token, voucher Voucher) (Principal, error) {
	validator := jwt.NewValidator(jwt.WithTimeFunc(v.config.Now), jwt.WithLeeway(leeway), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithAudience(v.config.Audience))
	if err := validator.Validate(token.claims); err != nil {
		return Principal{}, v.refusal(err)
	}
	subject, err := token.claims.GetSubject()
	if err != nil || subject == "" {
		return Principal{}, invalid("the token has no subject")
	}
	if fault := check.Name(subject); fault != "" {
		return Principal{}, invalid("the token's subject %s", fault)
	}
	expires, err := token.claims.GetExpirationTime()
	if err != nil {
		return Principal{}, invalid("the token's end is no time")
	}
	p := Principal{Subject: subject, Issuer: token.Issuer, Expires: expires.Time}
	if voucher.Account != nil {
		p.Subject, p.Roles, p.ServiceAccount = AccountPrefix+voucher.Account.Name, voucher.Account.Roles, true
		return p, accountToken(token, voucher.Account, expires.Time)
	}
	p.ServiceAccount = strings.HasPrefix(subject, AccountPrefix)
	if p.ServiceAccount && (!voucher.Delegates || token.actor() == "") {
		return Principal{}, invalid("the token's subject must not begin with %s, which marks service accounts", AccountPrefix)
	}
	p.Roles = rolesIn(token.claims, v.config.RolesClaim)
	if p.Branches, err = branchesIn(token.claims); err != nil {
		return Principal{}, invalid("the token's claim %s %v", ClaimBranches, err)
	}
	return p, nil
}

// refusal tells the caller what to do about a token whose signature is right.
func (v *Verifier) refusal(err error) error {
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return refuse(ReasonTokenExpired, "the token has expired")
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return refuse(ReasonTokenNotYetValid, "the token is not valid yet; compare the clocks")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return invalid("the token is made for another audience than %q", v.config.Audience)
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return invalid("the token needs exp, the time of its end, and aud, its audience")
	}
	return invalid("the token's claims are broken")
}

// accountToken holds tokens that accounts sign for themselves to a short life.
func accountToken(token *Token, account *Account, expires time.Time) error {
	if subject, err := token.claims.GetSubject(); err != nil || subject != account.Name {
		return invalid("a service account signs for itself only: iss and sub must both be its name")
	}
	issued, err := token.claims.GetIssuedAt()
	if err != nil || issued == nil || expires.Sub(issued.Time) > AccountLifetimeMax {
		return invalid("a service account's token needs iat, the time of its making, and lives %s at most", AccountLifetimeMax)
	}
	return nil
}
