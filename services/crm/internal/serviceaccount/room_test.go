package serviceaccount_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/grpcserver"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/serviceaccount"
	"tandem.bank/services/crm/migrations"
)

var template = testkit.Template{Name: "serviceaccount", Migrate: migrations.Migrate}

// soon is what the API promises for a change of an account to count.
const soon = 5 * time.Second

// bank is a database with the room in front of it, which believes the accounts in it.
type bank struct {
	crmv1.ServiceAccountServiceClient
	pool *pgxpool.Pool
}

func newBank(t *testing.T) *bank {
	t.Helper()
	pool := testkit.Postgres(t, template)
	callers := testkit.NewIdentity(t, serviceaccount.NewSource(pool))
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	server, err := grpcserver.New(grpcserver.Config{
		Addr: "in memory", Logger: log, Registry: prometheus.NewRegistry(),
		Unary:  []grpc.UnaryServerInterceptor{callers.Verifier.Unary, audit.UnaryCaller},
		Stream: []grpc.StreamServerInterceptor{callers.Verifier.Stream, audit.StreamCaller},
	})
	if err != nil {
		t.Fatal(err)
	}
	crmv1.RegisterServiceAccountServiceServer(server, serviceaccount.NewServer(pool, log))
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///bank", append(callers.Dial(t), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.GracefulStop()
		if err := errors.Join(<-served, conn.Close()); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return &bank{ServiceAccountServiceClient: crmv1.NewServiceAccountServiceClient(conn), pool: pool}
}

// ed makes a key of a program.
func ed(t *testing.T) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pem(t *testing.T, key crypto.Signer) string {
	t.Helper()
	text, err := auth.PEM(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func id(t *testing.T, key crypto.Signer) string {
	t.Helper()
	text, err := auth.KeyID(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// call asks for the account's own record, as the program that has the key.
func (b *bank) call(t *testing.T, key crypto.Signer, name string, change ...func(*auth.SignerConfig)) error {
	t.Helper()
	config := auth.SignerConfig{Key: key, Issuer: name, Subject: name, Audience: auth.DefaultAudience, Lifetime: 10 * time.Minute}
	for _, c := range change {
		c(&config)
	}
	signer, err := auth.NewSigner(config)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Token()
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.GetServiceAccount(testkit.WithToken(t.Context(), token), &crmv1.GetServiceAccountRequest{Name: name})
	return err
}

func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return status.Code(err).String()
}

// becomes waits until calls get an answer, within the time that the API promises.
func (b *bank) becomes(t *testing.T, want string, key crypto.Signer, name string) {
	t.Helper()
	testkit.Eventually(t, soon+time.Second, func() error {
		if err := b.call(t, key, name); reason(err) != want {
			return fmt.Errorf("%w instead of %s", err, want)
		}
		return nil
	})
}

// An account from its making to its end, by the calls of the program that has it.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ctx := t.Context()
	first, second := ed(t), ed(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	request := &crmv1.CreateServiceAccountRequest{
		ServiceAccount: &crmv1.ServiceAccount{
			Name: "nightly-import", Description: "Loads the core's files.", Roles: []string{auth.RoleOperations},
			Keys: []*crmv1.ServiceAccountKey{{KeyId: "mine", PublicKey: "x"}}, // output only: ignored
		},
		PublicKey: pem(t, first), RequestId: "0199f3a0-0000-7000-8000-000000000001",
	}
	created, err := b.CreateServiceAccount(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.CreateServiceAccount(ctx, request)
	if err != nil || again.GetServiceAccount().GetServiceAccountId() != created.GetServiceAccount().GetServiceAccountId() {
		t.Errorf("the repeated call: %v, %v", again, err)
	}
	if keys := created.GetServiceAccount().GetKeys(); len(keys) != 1 || keys[0].GetKeyId() != id(t, first) || time.Since(keys[0].GetCreateTime().AsTime()) > time.Minute {
		t.Errorf("keys %v", keys)
	}
	if err := b.call(t, first, "nightly-import"); err != nil {
		t.Fatal(err)
	}
	if err := b.call(t, second, "nightly-import"); reason(err) != auth.ReasonTokenInvalid {
		t.Errorf("with a key of nobody: %v", err)
	}
	// A program may not call itself by another name, nor live for long.
	if err := b.call(t, first, "nightly-import", func(c *auth.SignerConfig) { c.Subject = "service:boss" }); reason(err) != auth.ReasonTokenInvalid {
		t.Errorf("as somebody else: %v", err)
	}
	if err := b.call(t, first, "nightly-import", func(c *auth.SignerConfig) { c.Lifetime = 2 * time.Hour }); reason(err) != auth.ReasonTokenInvalid {
		t.Errorf("with a token for two hours: %v", err)
	}

	if _, err := b.RotateServiceAccountKey(ctx, &crmv1.RotateServiceAccountKeyRequest{Name: "nightly-import", PublicKey: pem(t, second), Overlap: durationpb.New(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"new": second, "old": first} {
		if err := b.call(t, key, "nightly-import"); err != nil {
			t.Errorf("the %s key, at once: %v", name, err)
		}
	}
	added, err := b.AddServiceAccountKey(ctx, &crmv1.AddServiceAccountKeyRequest{Name: "nightly-import", PublicKey: pem(t, p256)})
	if err != nil || len(added.GetServiceAccount().GetKeys()) != 3 || added.GetServiceAccount().GetKeys()[0].GetExpireTime() == nil || added.GetServiceAccount().GetKeys()[1].GetExpireTime() != nil {
		t.Errorf("keys %v, %v", added.GetServiceAccount().GetKeys(), err)
	}
	if _, err := b.RevokeServiceAccountKey(ctx, &crmv1.RevokeServiceAccountKeyRequest{Name: "nightly-import", KeyId: id(t, first)}); err != nil {
		t.Fatal(err)
	}
	b.becomes(t, auth.ReasonTokenInvalid, first, "nightly-import")
	if err := b.call(t, p256, "nightly-import"); err != nil {
		t.Errorf("the key that was added: %v", err)
	}
	if _, err := b.DisableServiceAccount(ctx, &crmv1.DisableServiceAccountRequest{Name: "nightly-import"}); err != nil {
		t.Fatal(err)
	}
	b.becomes(t, serviceaccount.ReasonAccountDisabled, second, "nightly-import")
	if _, err := b.EnableServiceAccount(ctx, &crmv1.EnableServiceAccountRequest{Name: "nightly-import"}); err != nil {
		t.Fatal(err)
	}
	b.becomes(t, "OK", second, "nightly-import")
	b.wantRecord(t, created.GetServiceAccount().GetServiceAccountId(), id(t, second), id(t, p256))
}

// wantRecord looks at what the lifecycle left behind.
func (b *bank) wantRecord(t *testing.T, account int64, keys ...string) {
	t.Helper()
	rows, err := b.pool.Query(t.Context(), "SELECT payload FROM outbox WHERE entity = 'service_account' AND entity_id = $1 ORDER BY outbox_id", account)
	if err != nil {
		t.Fatal(err)
	}
	payloads, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	var last eventsv1.Change
	for i, payload := range payloads {
		if err := proto.Unmarshal(payload, &last); err != nil || last.GetVersion() != int64(i+1) || last.GetActor() != testkit.Tester {
			t.Errorf("event %d: %v, %v", i, &last, err)
		}
		if strings.Contains(string(payload), "PUBLIC KEY") {
			t.Errorf("event %d holds a key", i)
		}
	}
	want := &eventsv1.ServiceAccountState{Name: "nightly-import", Roles: []string{auth.RoleOperations}, State: "active", KeyIds: keys}
	if len(payloads) != 6 || !proto.Equal(want, last.GetServiceAccount()) {
		t.Errorf("%d events, the last is %v, want %v", len(payloads), last.GetServiceAccount(), want)
	}
	rows, err = b.pool.Query(t.Context(), "SELECT action || ' ' || split_part(method, '/', 3) FROM audit_entry WHERE entity = 'service_account' AND actor = $1 ORDER BY entry_id", testkit.Tester)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff([]string{
		"create CreateServiceAccount", "update RotateServiceAccountKey", "update AddServiceAccountKey", "update RevokeServiceAccountKey",
		"update DisableServiceAccount", "update EnableServiceAccount",
	}, entries)
	if diff != "" {
		t.Error(diff)
	}
}

// What can't be is refused by name.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	ctx := t.Context()
	account := func(name string, roles ...string) *crmv1.CreateServiceAccountRequest {
		return &crmv1.CreateServiceAccountRequest{ServiceAccount: &crmv1.ServiceAccount{Name: name, Roles: roles}}
	}
	created, err := b.CreateServiceAccount(ctx, account("reports", auth.RoleAnalyst))
	if err != nil {
		t.Fatal(err)
	}
	key := ed(t)
	if _, err := b.AddServiceAccountKey(ctx, &crmv1.AddServiceAccountKeyRequest{Name: "reports", PublicKey: pem(t, key)}); err != nil {
		t.Fatal(err)
	}
	update := func(path string, a *crmv1.ServiceAccount) error {
		a.ServiceAccountId = created.GetServiceAccount().GetServiceAccountId()
		_, err := b.UpdateServiceAccount(ctx, &crmv1.UpdateServiceAccountRequest{ServiceAccount: a, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
		return err
	}
	create := func(r *crmv1.CreateServiceAccountRequest) error {
		_, err := b.CreateServiceAccount(ctx, r)
		return err
	}
	add := func(name, key string) error {
		_, err := b.AddServiceAccountKey(ctx, &crmv1.AddServiceAccountKeyRequest{Name: name, PublicKey: key})
		return err
	}
	private := account("other", auth.RoleAnalyst)
	private.PublicKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	_, noKey := b.RevokeServiceAccountKey(ctx, &crmv1.RevokeServiceAccountKeyRequest{Name: "reports", KeyId: "x"})
	for name, test := range map[string]struct {
		err  error
		code codes.Code
		text string
	}{
		"taken name":      {create(account("reports", auth.RoleAnalyst)), codes.AlreadyExists, "name"},
		"bad name":        {create(account("Reports!", auth.RoleAnalyst)), codes.InvalidArgument, "service_account.name"},
		"unknown role":    {create(account("other", "boss")), codes.InvalidArgument, "service_account.roles"},
		"no role":         {create(account("other")), codes.InvalidArgument, "service_account.roles"},
		"private key":     {create(private), codes.InvalidArgument, "public_key"},
		"known key":       {add("reports", pem(t, key)), codes.AlreadyExists, "public_key"},
		"no account":      {add("nobody", pem(t, ed(t))), codes.NotFound, "nobody"},
		"symmetric key":   {add("reports", `{"kty":"oct","k":"c2VjcmV0"}`), codes.InvalidArgument, "public_key"},
		"unknown key":     {noKey, codes.NotFound, "no key x"},
		"update of name":  {update("name", &crmv1.ServiceAccount{Name: "boss"}), codes.InvalidArgument, "update_mask"},
		"update of state": {update("state", &crmv1.ServiceAccount{}), codes.InvalidArgument, "update_mask"},
		"update of keys":  {update("keys", &crmv1.ServiceAccount{}), codes.InvalidArgument, "update_mask"},
	} {
		if status.Code(test.err) != test.code || !strings.Contains(test.err.Error(), test.text) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
	if err := update("roles", &crmv1.ServiceAccount{Roles: []string{auth.RoleMarketer, auth.RoleAnalyst}}); err != nil {
		t.Fatal(err)
	}
	list, err := b.ListServiceAccounts(ctx, &crmv1.ListServiceAccountsRequest{Filter: `name = "reports"`})
	if err != nil || len(list.GetServiceAccounts()) != 1 || len(list.GetServiceAccounts()[0].GetKeys()) != 1 ||
		!cmp.Equal(list.GetServiceAccounts()[0].GetRoles(), []string{auth.RoleAnalyst, auth.RoleMarketer}) {
		t.Errorf("%v, %v", list, err)
	}
}

// Whoever invents names by the hundred leaves the connections to the others.
func TestInventedNames(t *testing.T) {
	t.Parallel()
	pool := testkit.Postgres(t, template)
	source := serviceaccount.NewSource(pool)
	holder, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), "LOCK TABLE service_account IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	const names = 100
	answers := make(chan error, names)
	for i := range names {
		go func() {
			_, err := source.Vouch(t.Context(), &auth.Token{Issuer: fmt.Sprintf("invented-%d", i)})
			answers <- err
		}()
	}
	// That this can be asked at all is the point: the pool has fewer connections than there are names.
	testkit.Eventually(t, testkit.Patience, func() error {
		var waiting int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE datname = current_database() AND relation = 'service_account'::regclass AND NOT granted`).Scan(&waiting)
		if err == nil && waiting < 2 {
			err = errors.New("too few wait as yet")
		}
		return err
	})
	if err := holder.Rollback(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	for range names {
		if err := <-answers; !errors.Is(err, auth.ErrUnknownIssuer) {
			t.Errorf("got %v, want an unknown issuer", err)
		}
	}
}
