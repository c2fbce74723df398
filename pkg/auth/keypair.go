package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
)

// Names of the files of a key pair that a stack on one machine uses.
const (
	// SigningKeyFile holds the private key. Whoever can read it may be anybody.
	SigningKeyFile = "signing_key"
	// PublicKeysFile holds the public key, for services.
	PublicKeysFile = "auth_keys"
	// DelegateKeyFile holds the private key of crm, by which it asks analytics in the name of service accounts.
	DelegateKeyFile = "crm_signing_key"
	// AnalyticsKeysFile holds the public keys that analytics believes.
	AnalyticsKeysFile = "analytics_auth_keys"
)

// EnsureKeyPair makes a key pair in a folder, unless it is there, and returns the names of its files.
func EnsureKeyPair(dir string) (private, public string, err error) {
	private, public = filepath.Join(dir, SigningKeyFile), filepath.Join(dir, PublicKeysFile)
	return private, public, ensure(public, private)
}

// EnsureDelegation makes the key pair by which crm asks analytics in the name of service accounts, unless it is there, and
// returns the names of its files: the private key, for crm alone, and the keys that analytics believes, which are this one and
// that of EnsureKeyPair. crm believes only the latter, so that with its own key nobody gets into crm.
func EnsureDelegation(dir string) (private, public string, err error) {
	private, public = filepath.Join(dir, DelegateKeyFile), filepath.Join(dir, AnalyticsKeysFile)
	return private, public, ensure(public, filepath.Join(dir, SigningKeyFile), private)
}

// ensure makes the private keys that are not there, and a file of their public keys.
func ensure(public string, private ...string) error {
	if err := os.MkdirAll(filepath.Dir(public), 0o700); err != nil {
		return fmt.Errorf("create the folder of keys: %w", err)
	}
	keys := make([]crypto.PublicKey, len(private))
	for i, file := range private {
		if err := CreateKey(file); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		key, err := ReadPrivateKey(file)
		if err != nil {
			return err
		}
		keys[i] = key.Public()
	}
	text, err := JWKS(keys...)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(public); err == nil && string(old) == string(text) {
		return nil
	}
	// Public, and read by accounts in containers.
	if err := writeNew(public+".part", text, 0o444); err != nil {
		return fmt.Errorf("write the public keys: %w", err)
	}
	if err := os.Rename(public+".part", public); err != nil {
		return fmt.Errorf("write the public keys: %w", err)
	}
	return nil
}

// CreateKey makes a private key (Ed25519) in a new file that only its owner reads. A file that is there stays, and is
// fs.ErrExist.
func CreateKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(file, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), file.Close())
}

// writeNew replaces what a run before may have left half done.
func writeNew(path string, text []byte, mode fs.FileMode) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, text, mode)
}

// JWKS renders public keys as a JSON Web Key Set.
func JWKS(keys ...crypto.PublicKey) ([]byte, error) {
	set := jose.JSONWebKeySet{}
	for _, key := range keys {
		id, err := KeyID(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: id, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("auth: render public keys: %w", err)
	}
	return append(text, '\n'), nil
}

// PEM renders a public key as a PEM block.
func PEM(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("auth: render a public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
