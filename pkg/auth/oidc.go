package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

const (
	oidcTimeout = 5 * time.Second
	// oidcRenewal is how often discovery and keys are read anew, so that a key that the provider took back stops counting.
	oidcRenewal = 15 * time.Minute
	// oidcFresh is how long a token counts without another look at the keys.
	oidcFresh = 5 * time.Minute
	// oidcAskInterval and oidcAskBurst bound how often the provider is asked: tokens with invented key ids must not make us
	// flood it.
	oidcAskInterval = 2 * time.Second
	oidcAskBurst    = 10
)

// OIDC is an OpenID Connect provider: its keys are found by discovery, and read again when a token names a new one. It may
// be away when the service starts: callers are told UNAVAILABLE until it answers.
type OIDC struct {
	issuer string
	client context.Context //nolint:containedctx // go-oidc takes its HTTP client from a context

	mu    sync.Mutex
	keys  *oidc.RemoteKeySet
	until time.Time
}

// CheckOIDCIssuer says what is wrong with the URL of a provider. Keys must come over TLS, except from this machine.
func CheckOIDCIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be the URL of an OpenID Connect provider, such as https://login.example.com/realms/bank")
	}
	local := u.Hostname() == "localhost"
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		local = ip.IsLoopback()
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("must be https")
	}
	return nil
}

// NewOIDC makes a source of a provider's keys; nothing is asked yet.
func NewOIDC(issuer string) (*OIDC, error) {
	if err := CheckOIDCIssuer(issuer); err != nil {
		return nil, err
	}
	client := &http.Client{
		Timeout:   oidcTimeout,
		Transport: &throttled{next: http.DefaultTransport, limit: rate.NewLimiter(rate.Every(oidcAskInterval), oidcAskBurst)},
	}
	return &OIDC{issuer: issuer, client: oidc.ClientContext(context.Background(), client)}, nil
}

// Vouch checks a token of the provider.
func (s *OIDC) Vouch(ctx context.Context, token *Token) (Voucher, error) {
	if token.Issuer != s.issuer {
		return Voucher{}, ErrUnknownIssuer
	}
	keys, err := s.keySet()
	if err != nil {
		return Voucher{}, away(err)
	}
	if _, err := keys.VerifySignature(ctx, token.Raw); err != nil {
		if asking, ok := errors.AsType[*askError](err); ok {
			return Voucher{}, away(asking)
		}
		if ctx.Err() != nil {
			return Voucher{}, ctx.Err()
		}
		return Voucher{}, ErrSignature
	}
	return Voucher{Fresh: oidcFresh}, nil
}

func away(cause error) error {
	return apperr.Wrap(cause, codes.Unavailable, apperr.ReasonUnavailable, "the identity provider does not answer at the moment; try again")
}

// keySet discovers the provider at the first token, and again from time to time behind the callers' backs. A provider that
// does not answer keeps the keys it had.
func (s *OIDC) keySet() (*oidc.RemoteKeySet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		keys, err := s.discover()
		if err != nil {
			return nil, err
		}
		s.keys, s.until = keys, time.Now().Add(oidcRenewal)
	}
	if time.Now().After(s.until) {
		s.until = time.Now().Add(2 * oidcTimeout)
		go s.renew()
	}
	return s.keys, nil
}

func (s *OIDC) renew() {
	keys, err := s.discover()
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.until = keys, time.Now().Add(oidcRenewal)
}

func (s *OIDC) discover() (*oidc.RemoteKeySet, error) {
	provider, err := oidc.NewProvider(s.client, s.issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", s.issuer, err)
	}
	var about struct {
		KeysURL string `json:"jwks_uri"`
	}
	if err := provider.Claims(&about); err != nil || about.KeysURL == "" {
		return nil, fmt.Errorf("discover %s: it names no jwks_uri", s.issuer)
	}
	return oidc.NewRemoteKeySet(s.client, about.KeysURL), nil
}

// askError says that the provider could not be asked, or did not answer well: nothing is known about the token.
type askError struct{ cause error }

func (e *askError) Error() string { return e.cause.Error() }

func (e *askError) Unwrap() error { return e.cause }

// throttled asks no more often than its limit allows.
type throttled struct {
	next  http.RoundTripper
	limit *rate.Limiter
}

// RoundTrip returns an askError for everything but an answer of 200.
func (t *throttled) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.limit.Allow() {
		return nil, &askError{errors.New("the identity provider was asked too often")}
	}
	answer, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, &askError{err}
	}
	if answer.StatusCode != http.StatusOK {
		return nil, &askError{errors.Join(fmt.Errorf("%s answers %s", req.URL.Host, answer.Status), answer.Body.Close())}
	}
	return answer, nil
}
