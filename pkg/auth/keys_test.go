package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
)

// A new key of the file counts soon, and an old one soon no longer; a broken file leaves things as they are.
func TestKeyFileIsReadAgain(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	before := i.token(t, nil)
	if _, err := i.verifier.Verify(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	write(t, i.file, []byte("{"))
	if _, err := i.verifier.Verify(t.Context(), i.token(t, map[string]any{"jti": "another"})); err != nil {
		t.Errorf("with a broken file: %v", err)
	}
	i.replace(t)
	testkit.Eventually(t, testkit.Patience, func() error {
		_, err := i.verifier.Verify(t.Context(), i.token(t, nil))
		return err
	})
	testkit.Eventually(t, testkit.Patience, func() error {
		if _, err := i.verifier.Verify(t.Context(), before); reason(err) != auth.ReasonTokenInvalid {
			return errors.New("the old key counts still")
		}
		return nil
	})
}

// provider is an OpenID Connect provider.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	keys jose.JSONWebKeySet
	away bool
	asks int
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	answer := func(content func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asks++
			if p.away {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(content())
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", answer(func() any {
		return map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token"}
	}))
	mux.HandleFunc("GET /keys", answer(func() any { return p.keys }))
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) set(away bool, keys ...jose.JSONWebKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away, p.keys.Keys = away, keys
}

func (p *provider) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asks
}

// Tokens of a real provider: by discovery, with a change of keys, and with the provider away.
func TestOIDC(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	first, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]any{"iss": p.URL}
	v := verifier(t, auth.Settings{OIDCIssuer: p.URL})
	old := sign(t, jwt.SigningMethodRS256, first, "k1", claims(from))
	p.set(true)
	if _, err := v.Verify(t.Context(), old); reason(err) != apperr.ReasonUnavailable {
		t.Errorf("with the provider away: %v", err)
	}
	p.set(false, jose.JSONWebKey{Key: first.Public(), KeyID: "k1", Use: "sig", Algorithm: "RS256"})
	principal, err := v.Verify(t.Context(), old)
	if err != nil || principal.Subject != "jana" || principal.Issuer != p.URL || !principal.Has(auth.RoleFrontOffice) {
		t.Fatalf("%v, %v", principal, err)
	}
	p.set(false, jose.JSONWebKey{Key: second.Public(), KeyID: "k2", Use: "sig"})
	if _, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodES256, second, "k2", claims(from))); err != nil {
		t.Errorf("after a change of keys: %v", err)
	}
	before := p.asked()
	if _, err := v.Verify(t.Context(), old); err != nil || p.asked() != before {
		t.Errorf("a token in use asks the provider again: %v", err)
	}
	for name, bad := range map[string]string{
		"unknown key":     sign(t, jwt.SigningMethodRS256, first, "k3", claims(from)),
		"wrong algorithm": sign(t, jwt.SigningMethodHS256, []byte("k2"), "k2", claims(from)),
		"audience":        sign(t, jwt.SigningMethodES256, second, "k2", claims(map[string]any{"iss": p.URL, "aud": "other"})),
		"other issuer":    sign(t, jwt.SigningMethodES256, second, "k2", claims(nil)),
	} {
		if _, err := v.Verify(t.Context(), bad); reason(err) != auth.ReasonTokenInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A flood of invented keys does not become a flood at the provider.
	before = p.asked()
	for range 100 {
		_, _ = v.Verify(t.Context(), sign(t, jwt.SigningMethodRS256, first, "invented", claims(from)))
	}
	if n := p.asked() - before; n > 15 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// Each wrong setting is named; without a source of keys there is no verifier.
func TestSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private, public, err := auth.EnsureKeyPair(dir)
	if err != nil {
		t.Fatal(err)
	}
	good := auth.Settings{KeysFile: public, KeysIssuer: "x", Audience: "a", RolesClaim: "r", TLS: auth.TLSSettings{ClientAuth: auth.ClientAuthRequire}}
	if err := good.Validate("CRM_"); err != nil {
		t.Fatal(err)
	}
	for want, broken := range map[string]func(*auth.Settings){
		"CRM_AUTH_KEYS_FILE: a source of keys is required": func(s *auth.Settings) { s.KeysFile = "" },
		"give public keys only":                            func(s *auth.Settings) { s.KeysFile = private },
		"CRM_AUTH_KEYS_FILE: open":                         func(s *auth.Settings) { s.KeysFile = filepath.Join(dir, "none") },
		"CRM_AUTH_KEYS_ISSUER":                             func(s *auth.Settings) { s.KeysIssuer = "" },
		"CRM_OIDC_ISSUER: must be https":                   func(s *auth.Settings) { s.OIDCIssuer = "http://login.example.com" },
		"CRM_OIDC_ISSUER: must be the URL":                 func(s *auth.Settings) { s.OIDCIssuer = "login" },
		"CRM_AUDIENCE":                                     func(s *auth.Settings) { s.Audience = "" },
		"CRM_AUTH_ROLES_CLAIM":                             func(s *auth.Settings) { s.RolesClaim = "" },
		"CRM_TLS_KEY_FILE: must be given":                  func(s *auth.Settings) { s.TLS.CertFile = public },
		"CRM_TLS_CERT_FILE: must be given":                 func(s *auth.Settings) { s.TLS.ClientCAFile = public },
		"CRM_TLS_CLIENT_CA_FILE: " + public + ": holds no": func(s *auth.Settings) { s.TLS.ClientCAFile = public },
		"CRM_TLS_CLIENT_AUTH: must be require or optional": func(s *auth.Settings) { s.TLS.ClientAuth = "maybe" },
	} {
		s := good
		broken(&s)
		if err := s.Validate("CRM_"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if _, err := (auth.Settings{Audience: "a", RolesClaim: "r"}).Verifier(nil); err == nil {
		t.Error("a verifier without keys")
	}
}

// What crm signs in the name of service accounts counts with analytics, and not with crm; people's tokens count with both.
func TestKeysOfDelegation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "secrets")
	people, crmBelieves, err := auth.EnsureKeyPair(dir)
	if err != nil {
		t.Fatal(err)
	}
	crm, analyticsBelieves, err := auth.EnsureDelegation(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		private, public string
		believed        bool
	}{{people, crmBelieves, true}, {people, analyticsBelieves, true}, {crm, analyticsBelieves, true}, {crm, crmBelieves, false}} {
		key, err := auth.ReadPrivateKey(c.private)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := auth.NewSigner(auth.SignerConfig{
			Key: key, Issuer: auth.LocalIssuer, Subject: "loader", Audience: auth.DefaultAudience, Roles: []string{auth.RoleAnalyst}, Lifetime: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Token()
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, auth.Settings{KeysFile: c.public, KeysIssuer: auth.LocalIssuer})
		if _, err := v.Verify(t.Context(), token); (err == nil) != c.believed {
			t.Errorf("%s by %s: %v", filepath.Base(c.private), filepath.Base(c.public), err)
		}
	}
}

// A pair is made once, its private half is for its owner only, and its signer renews tokens.
func TestKeyPair(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "secrets")
	private, public, err := auth.EnsureKeyPair(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(private)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	before, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(public); err != nil {
		t.Fatal(err)
	}
	if _, _, err := auth.EnsureKeyPair(dir); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(public); err != nil || string(after) != string(before) {
		t.Errorf("another pair: %v", err)
	}
	if err := auth.CreateKey(private); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was overwritten: %v", err)
	}
	key, err := auth.ReadPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, auth.Settings{KeysFile: public, KeysIssuer: auth.LocalIssuer})
	for lifetime, renewed := range map[time.Duration]bool{time.Hour: false, 30 * time.Second: true} {
		signer, err := auth.NewSigner(auth.SignerConfig{
			Key: key, Issuer: auth.LocalIssuer, Subject: "jana", Audience: auth.DefaultAudience, Roles: []string{auth.RoleManager}, Lifetime: lifetime,
		})
		if err != nil {
			t.Fatal(err)
		}
		one, err := signer.Token()
		if err != nil {
			t.Fatal(err)
		}
		other, err := signer.Token()
		if err != nil || (one != other) != renewed {
			t.Errorf("%s: renewed %t, %v", lifetime, one != other, err)
		}
		if p, err := v.Verify(t.Context(), other); err != nil || !p.Has(auth.RoleManager) {
			t.Errorf("%v, %v", p, err)
		}
	}
}

// A token in a file is read again when somebody else has renewed it.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if _, err := auth.OpenTokenFile(file); err == nil {
		t.Error("a file that is not there")
	}
	write(t, file, []byte("one\n"))
	tokens, err := auth.OpenTokenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	creds := auth.Credentials(tokens, false)
	if md, err := creds.GetRequestMetadata(t.Context()); err != nil || md["authorization"] != "Bearer one" || !creds.RequireTransportSecurity() {
		t.Errorf("%v, %v", md, err)
	}
	write(t, file, []byte("two"))
	testkit.Eventually(t, testkit.Patience, func() error {
		if token, err := tokens.Token(); err != nil || token != "two" {
			return errors.Join(err, errors.New(token))
		}
		return nil
	})
}
