package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// Tokens makes or finds tokens for the calls of a client.
type Tokens interface {
	// Token returns one that is good now.
	Token() (string, error)
}

// Credentials puts a token into each call. Over an open connection everybody on the way can read it: plaintext allows
// that, for connections that do not leave the machine or are guarded otherwise.
func Credentials(tokens Tokens, plaintext bool) credentials.PerRPCCredentials {
	return &perCall{tokens, plaintext}
}

type perCall struct {
	tokens    Tokens
	plaintext bool
}

// GetRequestMetadata is called by gRPC for each call.
func (c *perCall) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := c.tokens.Token()
	if err != nil {
		return nil, err
	}
	return map[string]string{metadataKey: "Bearer " + token}, nil
}

// RequireTransportSecurity makes gRPC refuse an open connection.
func (c *perCall) RequireTransportSecurity() bool { return !c.plaintext }

// tokenFileInterval is how often a file of a token is read at most.
const tokenFileInterval = time.Second

// TokenFile is a token in a file that somebody else keeps fresh.
type TokenFile struct {
	path string

	mu     sync.Mutex
	token  string
	looked time.Time
}

// OpenTokenFile reads the file.
func OpenTokenFile(path string) (*TokenFile, error) {
	f := &TokenFile{path: path}
	_, err := f.Token()
	return f, err
}

// Token returns what the file holds now.
func (f *TokenFile) Token() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.token != "" && now.Sub(f.looked) < tokenFileInterval {
		return f.token, nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || len(token) > tokenBytesMax {
		return "", errors.New("read the token: " + f.path + " holds no token")
	}
	f.token, f.looked = token, now
	return token, nil
}
