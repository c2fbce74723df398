package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
)

// issuer is a key with a file of its public half, and the verifier that believes it.
type issuer struct {
	key      ed25519.PrivateKey
	file     string
	verifier *auth.Verifier
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{file: filepath.Join(t.TempDir(), "keys.json")}
	i.replace(t)
	i.verifier = verifier(t, auth.Settings{KeysFile: i.file, KeysIssuer: auth.LocalIssuer})
	return i
}

// replace makes another key take the place of the one before.
func (i *issuer) replace(t testing.TB) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.key = key
	write(t, i.file, jwks(t, key.Public()))
}

func verifier(t testing.TB, settings auth.Settings) *auth.Verifier {
	t.Helper()
	settings.Audience, settings.RolesClaim = auth.DefaultAudience, "roles"
	v, err := settings.Verifier(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func write(t testing.TB, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func jwks(t testing.TB, keys ...crypto.PublicKey) []byte {
	t.Helper()
	text, err := auth.JWKS(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims are those of a good token with some of them changed; nil takes one away.
func claims(changed map[string]any) jwt.MapClaims {
	now := time.Now()
	all := jwt.MapClaims{
		"iss": auth.LocalIssuer, "sub": "jana", "aud": auth.DefaultAudience, "roles": []string{"front_office", "offline_access"},
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func sign(t testing.TB, method jwt.SigningMethod, key any, kid string, content jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, content)
	if kid != "" {
		token.Header["kid"] = kid
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (i *issuer) token(t testing.TB, changed map[string]any) string {
	t.Helper()
	return sign(t, jwt.SigningMethodEdDSA, i.key, "", claims(changed))
}

func reason(err error) string {
	if known, ok := errors.AsType[*apperr.Error](err); ok {
		return known.Reason
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every token that proves nothing is refused with its reason, and no refusal quotes it.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	now := time.Now()
	good := i.token(t, nil)
	parts := strings.Split(good, ".")
	public := i.key.Public().(ed25519.PublicKey)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	admin := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"tandem-local","sub":"jana","aud":"tandem","roles":["administrator"],"exp":99999999999}`))
	crit := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims(nil))
	crit.Header["crit"] = []string{"b64"}
	critical, err := crit.SignedString(i.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ token, reason string }{
		"none":                  {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", claims(nil)), auth.ReasonTokenInvalid},
		"HS256 with public key": {sign(t, jwt.SigningMethodHS256, []byte(public), "", claims(nil)), auth.ReasonTokenInvalid},
		"HS256 with the file":   {sign(t, jwt.SigningMethodHS256, jwks(t, public), "", claims(nil)), auth.ReasonTokenInvalid},
		"another key":           {sign(t, jwt.SigningMethodEdDSA, other, "", claims(nil)), auth.ReasonTokenInvalid},
		"unknown key id":        {sign(t, jwt.SigningMethodEdDSA, i.key, "nobody's", claims(nil)), auth.ReasonTokenInvalid},
		"tampered payload":      {parts[0] + "." + admin + "." + parts[2], auth.ReasonTokenInvalid},
		"no signature":          {parts[0] + "." + parts[1] + ".", auth.ReasonTokenInvalid},
		"four parts":            {good + ".x", auth.ReasonTokenInvalid},
		"no token":              {"hunter2", auth.ReasonTokenInvalid},
		"too long":              {i.token(t, map[string]any{"x": strings.Repeat("x", 9000)}), auth.ReasonTokenInvalid},
		"critical extension":    {critical, auth.ReasonTokenInvalid},
		"audience":              {i.token(t, map[string]any{"aud": "other"}), auth.ReasonTokenInvalid},
		"no audience":           {i.token(t, map[string]any{"aud": nil}), auth.ReasonTokenInvalid},
		"issuer":                {i.token(t, map[string]any{"iss": "https://login.example.com"}), auth.ReasonTokenInvalid},
		"no issuer":             {i.token(t, map[string]any{"iss": nil}), auth.ReasonTokenInvalid},
		"expired":               {i.token(t, map[string]any{"exp": now.Add(-time.Minute).Unix()}), auth.ReasonTokenExpired},
		"no end":                {i.token(t, map[string]any{"exp": nil}), auth.ReasonTokenInvalid},
		"end is no time":        {i.token(t, map[string]any{"exp": "tomorrow"}), auth.ReasonTokenInvalid},
		"not yet valid":         {i.token(t, map[string]any{"nbf": now.Add(time.Minute).Unix()}), auth.ReasonTokenNotYetValid},
		"made in the future":    {i.token(t, map[string]any{"iat": now.Add(time.Minute).Unix()}), auth.ReasonTokenNotYetValid},
		"no subject":            {i.token(t, map[string]any{"sub": nil}), auth.ReasonTokenInvalid},
		"empty subject":         {i.token(t, map[string]any{"sub": ""}), auth.ReasonTokenInvalid},
		"unprintable subject":   {i.token(t, map[string]any{"sub": "a\nb"}), auth.ReasonTokenInvalid},
		"long subject":          {i.token(t, map[string]any{"sub": strings.Repeat("x", 129)}), auth.ReasonTokenInvalid},
		"card number":           {i.token(t, map[string]any{"sub": "4111111111111111"}), auth.ReasonTokenInvalid},
		"a program's name":      {i.token(t, map[string]any{"sub": "service:import"}), auth.ReasonTokenInvalid},
	} {
		p, err := i.verifier.Verify(t.Context(), test.token)
		if reason(err) != test.reason || p.Subject != "" {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		if err != nil && len(test.token) > 20 && strings.Contains(err.Error(), test.token[:20]) {
			t.Errorf("%s: the refusal quotes the token", name)
		}
	}
}

// Only an issuer of the key file may act in the name of a service account, only where that is wanted, and it must say so.
func TestDelegation(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	signer, err := auth.NewSigner(auth.SignerConfig{
		Key: i.key, Issuer: auth.LocalIssuer, Subject: "service:import", Audience: auth.DefaultAudience, Roles: []string{auth.RoleAnalyst},
		Actor: "crm", Lifetime: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	delegated, err := signer.Token()
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []bool{false, true} {
		verifier := verifier(t, auth.Settings{KeysFile: i.file, KeysIssuer: auth.LocalIssuer, Delegation: wanted})
		p, err := verifier.Verify(t.Context(), delegated)
		if good := err == nil && p.ServiceAccount && p.Subject == "service:import" && p.Has(auth.RoleAnalyst); good != wanted {
			t.Errorf("delegation %v: %v, %v", wanted, p, err)
		}
		now := time.Now()
		for _, act := range []any{nil, "crm", map[string]any{}, map[string]any{"sub": ""}} {
			lone := i.token(t, map[string]any{"sub": "service:import", "act": act, "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "nbf": now.Unix()})
			if p, err := verifier.Verify(t.Context(), lone); reason(err) != auth.ReasonTokenInvalid {
				t.Errorf("delegation %v, act %v: %v, %v", wanted, act, p, err)
			}
		}
	}
}

// Each taken algorithm proves its caller; roles that mean nothing here are left out.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t)
	var pems []byte
	for _, key := range []crypto.PublicKey{i.key.Public(), p256.Public(), long.Public()} {
		text, err := auth.PEM(key)
		if err != nil {
			t.Fatal(err)
		}
		pems = append(pems, text...)
	}
	write(t, i.file, pems)
	v := verifier(t, auth.Settings{KeysFile: i.file, KeysIssuer: auth.LocalIssuer})
	for name, token := range map[string]string{
		"EdDSA": i.token(t, nil), "ES256": sign(t, jwt.SigningMethodES256, p256, "", claims(nil)),
		"RS256": sign(t, jwt.SigningMethodRS256, long, "", claims(nil)), "clocks": i.token(t, map[string]any{"exp": time.Now().Add(-10 * time.Second).Unix()}),
		"audiences": i.token(t, map[string]any{"aud": []string{"other", "tandem"}}), "text": i.token(t, map[string]any{"roles": "front_office x"}),
	} {
		for range 2 { // the second time it is remembered
			p, err := v.Verify(t.Context(), token)
			if err != nil || p.Subject != "jana" || len(p.Roles) != 1 || !p.Has(auth.RoleFrontOffice) || p.ServiceAccount {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		}
	}
	for name, key := range map[string]any{"short RSA": weak(t), "P-384": p384(t)} {
		if err := auth.CheckKey(key); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func weak(t *testing.T) crypto.PublicKey {
	t.Helper()
	// A modulus of 1024 bits; nobody has its key.
	modulus, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	modulus.N.Rsh(modulus.N, 1024)
	return modulus.Public()
}

func p384(t *testing.T) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

// Roles may lie deeper, or under a claim whose name has dots.
func TestRolesClaim(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for claim, changed := range map[string]map[string]any{
		"realm_access.roles":        {"roles": nil, "realm_access": map[string]any{"roles": []string{"analyst"}}},
		"https://tandem.bank/roles": {"roles": nil, "https://tandem.bank/roles": []string{"analyst"}},
		"a.b.c":                     {"a": map[string]any{"b": map[string]any{"c": "analyst"}}},
	} {
		v, err := auth.Settings{KeysFile: i.file, KeysIssuer: auth.LocalIssuer, Audience: "tandem", RolesClaim: claim}.Verifier(slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := v.Verify(t.Context(), i.token(t, changed)); err != nil || !p.Has(auth.RoleAnalyst) {
			t.Errorf("%s: %v, %v", claim, p, err)
		}
		if p, err := v.Verify(t.Context(), i.token(t, nil)); err != nil || len(p.Roles) != 0 {
			t.Errorf("%s: roles from elsewhere: %v, %v", claim, p, err)
		}
	}
}

type callStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream hands out its context
}

func (s callStream) Context() context.Context { return s.ctx }

// The door: health and reflection are open, all else needs exactly one good header.
func TestDoor(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	good := i.token(t, nil)
	for name, test := range map[string]struct {
		method  string
		headers []string
		reason  string
	}{
		"good":         {"/x.Y/Z", []string{"Bearer " + good}, ""},
		"lower case":   {"/x.Y/Z", []string{"bearer " + good}, ""},
		"none":         {"/x.Y/Z", nil, auth.ReasonTokenMissing},
		"two":          {"/x.Y/Z", []string{"Bearer " + good, "Bearer " + good}, auth.ReasonTokenInvalid},
		"basic":        {"/x.Y/Z", []string{"Basic " + good}, auth.ReasonTokenInvalid},
		"bare":         {"/x.Y/Z", []string{good}, auth.ReasonTokenInvalid},
		"empty":        {"/x.Y/Z", []string{"Bearer "}, auth.ReasonTokenInvalid},
		"health":       {"/grpc.health.v1.Health/Check", nil, ""},
		"reflection":   {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", nil, ""},
		"health's kin": {"/grpc.health.v1.HealthX/Check", nil, auth.ReasonTokenMissing},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.MD{"authorization": test.headers})
		seen := ""
		_, err := i.verifier.Unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: test.method}, func(ctx context.Context, _ any) (any, error) {
			p, _ := auth.FromContext(ctx)
			seen = p.Subject
			return nil, nil
		})
		if reason(err) != test.reason || (err == nil && test.headers != nil && seen != "jana") {
			t.Errorf("%s: %v, %q", name, err, seen)
		}
		var known *apperr.Error
		if errors.As(err, &known) && known.Code != codes.Unauthenticated {
			t.Errorf("%s: %s", name, known.Code)
		}
		err = i.verifier.Stream(nil, callStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: test.method}, func(_ any, s grpc.ServerStream) error {
			p, _ := auth.FromContext(s.Context())
			seen = p.Subject
			return nil
		})
		if reason(err) != test.reason {
			t.Errorf("%s, stream: %v", name, err)
		}
	}
}

// Whatever comes through the door, it is refused or proved, and nothing breaks.
func FuzzVerify(f *testing.F) {
	i := newIssuer(f)
	good := i.token(f, nil)
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, parts[0] + "." + parts[1] + ".", "..", "e30.e30.", parts[0] + ".bnVsbA." + parts[2], "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := i.verifier.Verify(t.Context(), raw)
		if err == nil && (raw != good || p.Subject != "jana") {
			t.Errorf("%q proves %v", raw, p)
		}
	})
}
