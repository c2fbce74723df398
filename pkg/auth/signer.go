package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// LocalIssuer is the issuer of tokens that are signed by hand with a key of the key file, unless configured otherwise.
const LocalIssuer = "tandem-local"

// DefaultAudience is whom tokens are made for, unless configured otherwise.
const DefaultAudience = "tandem"

// refreshBefore is how long before its end a token is replaced: longer than clocks differ and calls take to arrive.
const refreshBefore = time.Minute

// SignerConfig says what tokens a signer makes.
type SignerConfig struct {
	// Key signs: Ed25519, P-256 or RSA.
	Key crypto.Signer
	// Issuer and Subject of the tokens; for a service account both are its name.
	Issuer, Subject string
	// Audience of the tokens.
	Audience string
	// Roles that the tokens carry; none for a service account, whose roles the service knows.
	Roles []string
	// Branches that the tokens limit their owner to in analytics; none for no limit.
	Branches []int64
	// Actor is the service that makes tokens to act in the subject's name, where the subject has a token of its own that is not
	// known there; empty otherwise. It becomes the claim act (RFC 8693, 4.1).
	Actor string
	// Lifetime of a token, more than two minutes for one that is to be used repeatedly.
	Lifetime time.Duration
}

// Validate names what is missing.
func (c SignerConfig) Validate() error {
	if c.Key == nil || c.Issuer == "" || c.Subject == "" || c.Audience == "" || c.Lifetime <= 0 {
		return errors.New("auth: key, issuer, subject, audience and lifetime of tokens are required")
	}
	return CheckKey(c.Key.Public())
}

// Signer makes tokens, and makes a new one before the last one ends.
type Signer struct {
	config SignerConfig
	method jwt.SigningMethod
	keyID  string

	mu      sync.Mutex
	token   string
	expires time.Time
}

// NewSigner makes a signer.
func NewSigner(config SignerConfig) (*Signer, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	id, err := KeyID(config.Key.Public())
	if err != nil {
		return nil, err
	}
	s := &Signer{config: config, keyID: id}
	switch config.Key.Public().(type) {
	case ed25519.PublicKey:
		s.method = jwt.SigningMethodEdDSA
	case *ecdsa.PublicKey:
		s.method = jwt.SigningMethodES256
	case *rsa.PublicKey:
		s.method = jwt.SigningMethodRS256
	}
	return s, nil
}

// Token returns a token that is good for a while.
func (s *Signer) Token() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.token != "" && now.Before(s.expires.Add(-refreshBefore)) {
		return s.token, nil
	}
	token, err := s.sign(now)
	if err != nil {
		return "", err
	}
	s.token, s.expires = token, now.Add(s.config.Lifetime)
	return token, nil
}

func (s *Signer) sign(now time.Time) (string, error) {
	id := make([]byte, 12)
	if _, err := rand.Read(id); err != nil {
		return "", fmt.Errorf("auth: id of a token: %w", err)
	}
	claims := jwt.MapClaims{
		"iss": s.config.Issuer, "sub": s.config.Subject, "aud": s.config.Audience, "jti": hex.EncodeToString(id),
		"iat": now.Unix(), "exp": now.Add(s.config.Lifetime).Unix(),
	}
	if len(s.config.Roles) > 0 {
		claims["roles"] = s.config.Roles
	}
	if len(s.config.Branches) > 0 {
		claims[ClaimBranches] = s.config.Branches
	}
	if s.config.Actor != "" {
		claims[claimActor] = map[string]string{"sub": s.config.Actor}
	}
	token := jwt.NewWithClaims(s.method, claims)
	token.Header["kid"] = s.keyID
	signed, err := token.SignedString(s.config.Key)
	if err != nil {
		return "", fmt.Errorf("auth: sign a token: %w", err)
	}
	return signed, nil
}

// ReadPrivateKey reads a private key from a file: one PEM block PRIVATE KEY (PKCS #8).
func ReadPrivateKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("%s: must hold a private key in a PEM block PRIVATE KEY (PKCS #8)", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: holds no private key of a known kind", path)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: holds a private key that can't sign", path)
	}
	return signer, nil
}
