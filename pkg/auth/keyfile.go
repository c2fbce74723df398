package auth

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// keyFileInterval is how often the file is read at most: it is small, and a change counts soon.
	keyFileInterval = time.Second
	// keyFileFresh is how long a token counts whose key has left the file.
	keyFileFresh = 5 * time.Second
	// keyFileBytesMax is far above 64 keys.
	keyFileBytesMax = 256 << 10
)

// KeyFile is a file of the public keys of one issuer: a JSON Web Key Set, or PEM. It is read again when it changes, so that
// keys can be changed while the service runs; a file that has become unreadable leaves the last good keys in force.
type KeyFile struct {
	path, issuer string
	log          *slog.Logger
	delegates    bool

	mu     sync.Mutex
	keys   []publicKey
	text   []byte
	looked time.Time
	broken bool
}

// OpenKeyFile reads the file.
func OpenKeyFile(path, issuer string, log *slog.Logger) (*KeyFile, error) {
	text, keys, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	return &KeyFile{path: path, issuer: issuer, log: log, keys: keys, text: text, looked: time.Now()}, nil
}

func readKeys(path string) ([]byte, []publicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if len(text) > keyFileBytesMax {
		return nil, nil, fmt.Errorf("%s: is larger than %d bytes", path, keyFileBytesMax)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, keys, nil
}

// Vouch checks a token of the file's issuer.
func (f *KeyFile) Vouch(_ context.Context, token *Token) (Voucher, error) {
	if token.Issuer != f.issuer {
		return Voucher{}, ErrUnknownIssuer
	}
	for _, key := range f.current() {
		if (token.KeyID == "" || token.KeyID == key.id) && token.SignedBy(key.key) {
			return Voucher{Delegates: f.delegates, Fresh: keyFileFresh}, nil
		}
	}
	return Voucher{}, ErrSignature
}

func (f *KeyFile) current() []publicKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= keyFileInterval {
		f.looked = now
		f.reload()
	}
	return f.keys
}

func (f *KeyFile) reload() {
	text, err := os.ReadFile(f.path)
	if err == nil && bytes.Equal(text, f.text) {
		f.broken = false
		return
	}
	var keys []publicKey
	if err == nil {
		text, keys, err = readKeys(f.path)
	}
	if err != nil {
		if !f.broken {
			f.log.Error("the file of keys can't be read; the keys of before stay in force", "file", f.path, "error", err)
		}
		f.broken = true
		return
	}
	f.keys, f.text, f.broken = keys, text, false
	f.log.Info("the file of keys has changed", "file", f.path, "keys", len(keys))
}
