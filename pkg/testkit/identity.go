package testkit

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"tandem.bank/pkg/auth"
)

// Identity makes the tokens of a test, and checks them as a service does.
type Identity struct {
	// Verifier believes this identity's tokens. Its Unary and Stream are the server's interceptors.
	Verifier *auth.Verifier
	// KeysFile holds the public key, for a service that is started with its configuration.
	KeysFile string

	key ed25519.PrivateKey
}

// Tester is who calls when a test does not say.
const Tester = "tester"

// NewIdentity makes a key of its own. Sources for service accounts may be added.
func NewIdentity(t testing.TB, more ...auth.Source) *Identity {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	text, err := auth.JWKS(public)
	if err != nil {
		t.Fatal(err)
	}
	i := &Identity{key: key, KeysFile: filepath.Join(t.TempDir(), "keys.json")}
	if err := os.WriteFile(i.KeysFile, text, 0o600); err != nil {
		t.Fatalf("write the keys: %v", err)
	}
	settings := auth.Settings{KeysFile: i.KeysFile, KeysIssuer: auth.LocalIssuer, Audience: auth.DefaultAudience, RolesClaim: "roles"}
	if i.Verifier, err = settings.Verifier(slog.New(slog.DiscardHandler), more...); err != nil {
		t.Fatal(err)
	}
	return i
}

// Token is a token of a person with roles.
func (i *Identity) Token(t testing.TB, subject string, roles ...string) string {
	t.Helper()
	signer, err := auth.NewSigner(auth.SignerConfig{
		Key: i.key, Issuer: auth.LocalIssuer, Subject: subject, Audience: auth.DefaultAudience, Roles: roles, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// As is a context of calls by a person with roles; without any, the person is an administrator.
func (i *Identity) As(t testing.TB, ctx context.Context, subject string, roles ...string) context.Context { //nolint:revive // a test comes first
	t.Helper()
	if len(roles) == 0 {
		roles = []string{auth.RoleAdministrator}
	}
	return WithToken(ctx, i.Token(t, subject, roles...))
}

// WithToken is a context of calls with a token.
func WithToken(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// Dial lets calls be made by an administrator, unless their context says otherwise.
func (i *Identity) Dial(t testing.TB) []grpc.DialOption {
	t.Helper()
	token := i.Token(t, Tester, auth.RoleAdministrator)
	with := func(ctx context.Context) context.Context {
		if md, ok := metadata.FromOutgoingContext(ctx); ok && len(md.Get("authorization")) > 0 {
			return ctx
		}
		return WithToken(ctx, token)
	}
	unary := func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
	) error {
		return invoke(with(ctx), method, req, reply, conn, options...)
	}
	stream := func(
		ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		return open(with(ctx), desc, conn, method, options...)
	}
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(unary), grpc.WithChainStreamInterceptor(stream)}
}
