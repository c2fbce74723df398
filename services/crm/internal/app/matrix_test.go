package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
)

// matrixFile is what a compliance officer reads.
const matrixFile = "testdata/matrix.golden"

const matrixHead = `# Who may call what. One line for each call of the API, one column for each role; "none" is somebody without a role.
#
#   all      allowed, for every customer
#   branch   allowed, for customers of the caller's branch
#   tree     allowed, for customers of the caller and of the managers below
#   -        refused with PERMISSION_DENIED
#
# What belongs to no customer, such as branches and products, is there for whoever may make the call. Without a token every
# call is refused with UNAUTHENTICATED. The table is what calls to a running server gave; after a change of the policy, make
# it again: UPDATE_GOLDEN=1 go test ./services/crm/internal/app -run TestPermissionMatrix
#
`

const (
	refused = "-"
	// callsAtOnce keeps the table quick; the server has a place for many more.
	callsAtOnce = 8
)

// TestPermissionMatrix makes every call in every role and compares what came of it with the table.
func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	m := &matrix{api: a, cells: map[string]string{}, tokens: map[string]string{}}
	for _, role := range append(auth.Roles(), "") {
		var roles []string
		if role != "" {
			roles = []string{role}
		}
		m.tokens[role] = a.callers.Token(t, "somebody", roles...)
	}
	var calls errgroup.Group
	calls.SetLimit(callsAtOnce)
	for _, method := range contractMethods() {
		for role := range m.tokens {
			calls.Go(func() error { return m.fill(t.Context(), method, role) })
		}
	}
	if err := calls.Wait(); err != nil {
		t.Fatal(err)
	}
	table := m.table()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(matrixFile, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, matrixFile, string(golden), table)
}

// matrix is the table in the making.
type matrix struct {
	*api
	tokens map[string]string
	mu     sync.Mutex
	cells  map[string]string
}

// fill makes one call. What the server explains must be what it does.
func (m *matrix) fill(ctx context.Context, method protoreflect.MethodDescriptor, role string) error {
	what := fmt.Sprintf("%s as %q", shortName(method), role)
	err := m.empty(testkit.WithToken(ctx, m.tokens[role]), method)
	switch code := status.Code(err); code {
	case codes.Unauthenticated, codes.Unimplemented, codes.Unavailable, codes.Internal, codes.Unknown, codes.DeadlineExceeded, codes.Canceled:
		return fmt.Errorf("%s: %w", what, err)
	}
	allowed := status.Code(err) != codes.PermissionDenied
	asked := &crmv1.ExplainAccessRequest{Subject: "somebody", Roles: []string{role}, Method: shortName(method)}
	explained, err := crmv1.NewAccessServiceClient(m.conn).ExplainAccess(testkit.WithToken(ctx, m.tokens[auth.RoleAdministrator]), asked)
	if err != nil {
		return fmt.Errorf("explain %s: %w", what, err)
	}
	if explained.GetAllowed() != allowed {
		return fmt.Errorf("%s: allowed is %v, but explained is %s", what, allowed, explained.GetReason())
	}
	cell := refused
	if allowed {
		var scopes []string
		for _, scope := range explained.GetRows().GetScopes() {
			scopes = append(scopes, strings.ToLower(strings.TrimPrefix(scope.String(), "ROW_SCOPE_")))
		}
		cell = strings.Join(scopes, "+")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[shortName(method)+" "+role] = cell
	return nil
}

func (m *matrix) table() string {
	var text strings.Builder
	text.WriteString(matrixHead)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "call\t"+strings.Join(auth.Roles(), "\t")+"\tnone")
	for _, method := range contractMethods() {
		line := []string{shortName(method)}
		for _, role := range append(auth.Roles(), "") {
			line = append(line, m.cells[shortName(method)+" "+role])
		}
		_, _ = fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	_ = w.Flush()
	return text.String()
}

func compareLines(t *testing.T, file, want, got string) {
	t.Helper()
	wanted, given := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range wanted {
		if !slices.Contains(given, line) {
			t.Errorf("not any more: %s", line)
		}
	}
	for _, line := range given {
		if !slices.Contains(wanted, line) {
			t.Errorf("now:          %s", line)
		}
	}
	if t.Failed() {
		t.Errorf("%s is not what the server does; if it is meant, run this test with UPDATE_GOLDEN=1 and commit the file", file)
	}
}

// TestNobodyCallsWithoutAToken tries every method without one, and with one that somebody else signed.
func TestNobodyCallsWithoutAToken(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	forged := testkit.NewIdentity(t).As(t, t.Context(), "somebody")
	for _, method := range contractMethods() {
		for name, ctx := range map[string]context.Context{"no token": t.Context(), "a forged token": forged} {
			if err := a.empty(ctx, method); status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s with %s: %v, want UNAUTHENTICATED", shortName(method), name, err)
			}
		}
	}
}

// TestEveryMethodIsServed knows of contracts that nobody put behind the server.
func TestEveryMethodIsServed(t *testing.T) {
	t.Parallel()
	served := serveAPI(t, "").served
	for _, method := range contractMethods() {
		named := func(m grpc.MethodInfo) bool { return m.Name == string(method.Name()) }
		if !slices.ContainsFunc(served[string(method.Parent().FullName())].Methods, named) {
			t.Errorf("nobody serves %s", shortName(method))
		}
	}
}

// TestNoStartWithAMethodOutsideThePolicy takes one call after the other out of the policy.
func TestNoStartWithAMethodOutsideThePolicy(t *testing.T) {
	t.Parallel()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for pattern, missing := range map[string]string{
		"      - CardService/List*\n":                   "/tandem.crm.v1.CardService/ListCards",
		"      - CustomerService/ChangeCustomerState\n": "/tandem.crm.v1.CustomerService/ChangeCustomerState",
	} {
		file := filepath.Join(t.TempDir(), "policy.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(policy.Text, pattern, "", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, publisher := newService(t, file, testkit.NewIdentity(t))
		if _, err := s.server(publisher, time.UTC); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v, want %s named", strings.TrimSpace(pattern), err, missing)
		}
	}
}
