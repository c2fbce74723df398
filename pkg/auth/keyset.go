package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const (
	rsaBitsMin = 2048
	// keysMax bounds the work that a token without a key id makes.
	keysMax = 64
)

// publicKey is a key with the id by which tokens name it.
type publicKey struct {
	id  string
	key crypto.PublicKey
}

// KeyID is the id of a public key: its RFC 7638 thumbprint (SHA-256, base64url). Whoever holds the key knows its id.
func KeyID(key crypto.PublicKey) (string, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("auth: id of a key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(thumbprint), nil
}

// CheckKey refuses public keys that no taken algorithm uses, or that are too short.
func CheckKey(key crypto.PublicKey) error {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return errors.New("an elliptic curve key must be on P-256")
		}
		return nil
	case *rsa.PublicKey:
		if key.N.BitLen() < rsaBitsMin {
			return fmt.Errorf("an RSA key must have at least %d bits", rsaBitsMin)
		}
		return nil
	}
	return errors.New("must be a public key of Ed25519, P-256 or RSA")
}

// ParsePublicKey reads one public key: PEM (PKIX) or a JSON Web Key.
func ParsePublicKey(text []byte) (crypto.PublicKey, error) {
	keys, err := parseKeys(text)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("must hold one key, holds %d", len(keys))
	}
	return keys[0].key, nil
}

// parseKeys reads public keys: a JSON Web Key Set, one JSON Web Key, or PEM blocks.
func parseKeys(text []byte) ([]publicKey, error) {
	var keys []publicKey
	var err error
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		keys, err = parseJWKS(text)
	} else {
		keys, err = parsePEM(text)
	}
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, errors.New("holds no public key")
	case len(keys) > keysMax:
		return nil, fmt.Errorf("holds %d keys, at most %d are taken", len(keys), keysMax)
	}
	return keys, nil
}

func parseJWKS(text []byte) ([]publicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("is no JSON Web Key Set: %w", err)
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{text}
	}
	var keys []publicKey
	for i, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err != nil {
			return nil, fmt.Errorf("key %d is no JSON Web Key of a known kind", i+1)
		}
		if key.Use == "enc" {
			continue
		}
		if !key.IsPublic() {
			return nil, fmt.Errorf("key %d is not public: give public keys only", i+1)
		}
		if err := CheckKey(key.Key); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if key.KeyID == "" {
			id, err := KeyID(key.Key)
			if err != nil {
				return nil, err
			}
			key.KeyID = id
		}
		keys = append(keys, publicKey{key.KeyID, key.Key})
	}
	return keys, nil
}

func parsePEM(text []byte) ([]publicKey, error) {
	var keys []publicKey
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("holds a PEM block %q: give public keys only, in blocks PUBLIC KEY", block.Type)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d is no public key", len(keys)+1)
		}
		if err := CheckKey(key); err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", len(keys)+1, err)
		}
		id, err := KeyID(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, publicKey{id, key})
	}
	return keys, nil
}
