package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
)

func (a *api) explain(ctx context.Context, r *crmv1.ExplainAccessRequest) (*crmv1.ExplainAccessResponse, error) {
	return crmv1.NewAccessServiceClient(a.conn).ExplainAccess(ctx, r)
}

// mustExplain is explain of what can be explained.
func (a *api) mustExplain(t *testing.T, ctx context.Context, r *crmv1.ExplainAccessRequest) *crmv1.ExplainAccessResponse { //nolint:revive // a test comes first
	t.Helper()
	answer, err := a.explain(ctx, r)
	if err != nil {
		t.Fatalf("explain %v: %v", r, err)
	}
	return answer
}

const getCustomer = "CustomerService/GetCustomer"

func TestExplainNamesTheRuleAndItsLines(t *testing.T) {
	t.Parallel()
	p := newPeople(t, "")
	answer := p.mustExplain(t, p.as(t, "head", auth.RoleFrontOffice), &crmv1.ExplainAccessRequest{Method: getCustomer})
	rules := answer.GetRules()
	if !answer.GetAllowed() || len(rules) != 1 || rules[0].GetName() != "front_office may customers.read" {
		t.Fatalf("%v", answer)
	}
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(policy.Text, "\n")
	if line := lines[rules[0].GetMethodLine()-1]; !strings.Contains(line, "CustomerService/Get*") {
		t.Errorf("the method's line is %q", line)
	}
	if line := lines[rules[0].GetRoleLine()-1]; !strings.Contains(line, "customers.read") {
		t.Errorf("the role's line is %q", line)
	}
	if answer.GetPolicyHash() != policy.Hash || !slices.Equal(answer.GetRoles(), []string{auth.RoleFrontOffice}) {
		t.Errorf("%v", answer)
	}
	// The same call, refused: the group that would be needed is named.
	refused := p.mustExplain(t, p.as(t, "head", auth.RoleFrontOffice), &crmv1.ExplainAccessRequest{
		Method: "/tandem.crm.v1.CardService/BatchUpsertCards", CustomerId: p.petrs,
	})
	if refused.GetAllowed() || len(refused.GetRules()) != 0 || refused.GetRows().GetVisible() || !strings.Contains(refused.GetReason(), "may import") {
		t.Errorf("%v", refused)
	}
}

// TestExplainRows asks why a customer is within reach.
func TestExplainRows(t *testing.T) {
	t.Parallel()
	p := newPeople(t, "")
	branch, tree, all := crmv1.RowScope_ROW_SCOPE_BRANCH, crmv1.RowScope_ROW_SCOPE_TREE, crmv1.RowScope_ROW_SCOPE_ALL
	for _, c := range []struct {
		subject, role string
		customer      int64
		scope         crmv1.RowScope
		reason        string
		path          []int64
	}{
		{"head", auth.RoleFrontOffice, p.petrs, branch, fmt.Sprintf("customer %d belongs to branch %d", p.petrs, p.near), nil},
		{"head", auth.RoleManager, p.janas, tree, "stands below", []int64{p.head, p.lead, p.jana}},
		{"lead", auth.RoleManager, p.janas, tree, "stands below", []int64{p.lead, p.jana}},
		{"jana", auth.RoleManager, p.janas, tree, "is the caller", []int64{p.jana}},
		{"nobody", auth.RoleAnalyst, p.petrs, all, "every customer", nil},
	} {
		asked := &crmv1.ExplainAccessRequest{Method: getCustomer, CustomerId: c.customer}
		answer := p.mustExplain(t, p.as(t, c.subject, c.role), asked)
		rows := answer.GetRows()
		if !answer.GetAllowed() || !rows.GetVisible() || !slices.Equal(rows.GetScopes(), []crmv1.RowScope{c.scope}) ||
			!strings.Contains(rows.GetReason(), c.reason) || !slices.Equal(rows.GetPath(), c.path) {
			t.Errorf("%s as %s: %v, want %q along %v", c.subject, c.role, rows, c.reason, c.path)
		}
		// Somebody else is told the same about them.
		asked.Subject, asked.Roles = c.subject, []string{c.role}
		if told := p.mustExplain(t, p.as(t, "auditor", auth.RoleAdministrator), asked); told.GetRows().GetReason() != rows.GetReason() {
			t.Errorf("an administrator is told %q, %s is told %q", told.GetRows().GetReason(), c.subject, rows.GetReason())
		}
	}
	head := p.mustExplain(t, p.as(t, "head", auth.RoleManager), &crmv1.ExplainAccessRequest{Method: getCustomer}).GetRows()
	below := slices.Sorted(slices.Values(head.GetManagerIds()))
	if head.GetManagerId() != p.head || head.GetBranchId() != p.near || !slices.Equal(below, []int64{p.head, p.lead, p.jana}) {
		t.Errorf("head stands at %v", head)
	}
}

// TestExplainOwnCustomers takes the managers below out of the manager's reach.
func TestExplainOwnCustomers(t *testing.T) {
	t.Parallel()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(policy.Text, "rows: tree", "rows: own", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPeople(t, file)
	asked := &crmv1.ExplainAccessRequest{Method: getCustomer, CustomerId: p.janas}
	rows := p.mustExplain(t, p.as(t, "jana", auth.RoleManager), asked).GetRows()
	if !rows.GetVisible() || !slices.Equal(rows.GetScopes(), []crmv1.RowScope{crmv1.RowScope_ROW_SCOPE_OWN}) {
		t.Errorf("jana: %v", rows)
	}
	if _, err := p.explain(p.as(t, "lead", auth.RoleManager), asked); status.Code(err) != codes.NotFound {
		t.Errorf("lead: %v, want NOT_FOUND", err)
	}
}

// TestExplainTellsNothingOfWhatIsOutOfReach: to who asks about themselves, what is out of reach is what does not exist.
func TestExplainTellsNothingOfWhatIsOutOfReach(t *testing.T) {
	t.Parallel()
	p := newPeople(t, "")
	const nowhere = 999_999
	petr, auditor := p.as(t, "petr", auth.RoleManager), p.as(t, "auditor", auth.RoleAdministrator)
	record := func(kind string, id int64) *crmv1.ExplainAccessRequest {
		return &crmv1.ExplainAccessRequest{Method: getCustomer, Record: kind, RecordId: id}
	}
	for what, c := range map[string]struct{ hidden, missing *crmv1.ExplainAccessRequest }{
		"customer": {
			&crmv1.ExplainAccessRequest{Method: getCustomer, CustomerId: p.janas}, &crmv1.ExplainAccessRequest{Method: getCustomer, CustomerId: nowhere},
		},
		"key": {
			&crmv1.ExplainAccessRequest{Method: getCustomer, CustomerKey: key("janas")},
			&crmv1.ExplainAccessRequest{Method: getCustomer, CustomerKey: key(fmt.Sprint(nowhere))},
		},
		"customer as a record": {record("customer", p.janas), record("customer", nowhere)},
		"account":              {record("account", p.account), record("account", nowhere)},
	} {
		_, hidden := p.explain(petr, c.hidden)
		_, missing := p.explain(petr, c.missing)
		name := strings.NewReplacer(fmt.Sprint(nowhere), "x", "test/janas", "test/x", fmt.Sprintf(" %d ", p.janas), " x ", fmt.Sprintf(" %d ", p.account), " x ")
		if status.Code(hidden) != codes.NotFound || name.Replace(hidden.Error()) != name.Replace(missing.Error()) {
			t.Errorf("%s: out of reach is %v, missing is %v", what, hidden, missing)
		}
		// Who may ask about others is told which of the two it is.
		c.hidden.Subject, c.hidden.Roles = "petr", []string{auth.RoleManager}
		c.missing.Subject, c.missing.Roles = "petr", []string{auth.RoleManager}
		answer, err := p.explain(auditor, c.hidden)
		if err != nil || answer.GetAllowed() || answer.GetRows().GetVisible() || answer.GetRows().GetReason() == "" {
			t.Errorf("%s out of reach: %v, %v", what, answer, err)
		}
		if _, err := p.explain(auditor, c.missing); status.Code(err) != codes.NotFound {
			t.Errorf("%s that is missing: %v, want NOT_FOUND", what, err)
		}
	}
	if rows := p.mustExplain(t, p.as(t, "jana", auth.RoleManager), record("account", p.account)).GetRows(); !rows.GetVisible() {
		t.Errorf("jana's account: %v", rows)
	}
}

func TestExplainFields(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	field := func(role, name string) *crmv1.FieldDecision {
		answer := a.mustExplain(t, a.as(t, "somebody", role), &crmv1.ExplainAccessRequest{Method: getCustomer, Fields: []string{name}})
		return answer.GetFields()[0]
	}
	for _, c := range []struct {
		role, field string
		class       string
		view        crmv1.FieldView
		writable    bool
		reason      string
	}{
		{auth.RoleFrontOffice, "Customer.phone", "contact", crmv1.FieldView_FIELD_VIEW_SHOWN, true, "front_office sees contact (line "},
		{auth.RoleMarketer, "Customer.phone", "contact", crmv1.FieldView_FIELD_VIEW_MASKED, false, "marketer sees contact in part, as phone (line "},
		{auth.RoleAnalyst, "Customer.phone", "contact", crmv1.FieldView_FIELD_VIEW_HIDDEN, false, "sees contact (line "},
		{auth.RoleAnalyst, "Individual.birth_date", "birth", crmv1.FieldView_FIELD_VIEW_MASKED, false, "as year"},
		{auth.RoleAnalyst, "Customer.state", "", crmv1.FieldView_FIELD_VIEW_SHOWN, true, "in no class"},
	} {
		got := field(c.role, c.field)
		if got.GetClass() != c.class || got.GetView() != c.view || got.GetWritable() != c.writable || !strings.Contains(got.GetReason(), c.reason) {
			t.Errorf("%s as %s: %v, want %v %q", c.field, c.role, got, c.view, c.reason)
		}
	}
	var names []string
	for _, f := range a.mustExplain(t, a.as(t, "somebody", auth.RoleAnalyst), &crmv1.ExplainAccessRequest{Method: getCustomer}).GetFields() {
		names = append(names, f.GetField())
	}
	if !slices.Contains(names, "Customer.phone") || !slices.Contains(names, "Individual.birth_date") || slices.Contains(names, "Card.token") {
		t.Errorf("the classified fields of a customer are %v", names)
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	for _, c := range []struct {
		role string
		code codes.Code
		req  *crmv1.ExplainAccessRequest
	}{
		{auth.RoleFrontOffice, codes.InvalidArgument, &crmv1.ExplainAccessRequest{Method: "CustomerService/Fetch"}},
		{auth.RoleFrontOffice, codes.InvalidArgument, &crmv1.ExplainAccessRequest{Method: getCustomer, Fields: []string{"Customer.fone"}}},
		{auth.RoleFrontOffice, codes.InvalidArgument, &crmv1.ExplainAccessRequest{Method: getCustomer, Record: "village", RecordId: 1}},
		{auth.RoleFrontOffice, codes.PermissionDenied, &crmv1.ExplainAccessRequest{Method: getCustomer, Roles: []string{auth.RoleAnalyst}}},
		{auth.RoleFrontOffice, codes.PermissionDenied, &crmv1.ExplainAccessRequest{Method: getCustomer, Subject: "eva", Roles: []string{auth.RoleFrontOffice}}},
		{auth.RoleAdministrator, codes.InvalidArgument, &crmv1.ExplainAccessRequest{Method: getCustomer, Subject: "eva"}},
		{auth.RoleOperations, codes.OK, &crmv1.ExplainAccessRequest{Method: getCustomer, Subject: "eva", Roles: []string{auth.RoleAnalyst}}},
	} {
		if _, err := a.explain(a.as(t, "adam", c.role), c.req); status.Code(err) != c.code {
			t.Errorf("%v as %s: %v, want %s", c.req, c.role, err, c.code)
		}
	}
}

func TestPolicyAndRolesAreShown(t *testing.T) {
	t.Parallel()
	a := serveAPI(t, "")
	client, ctx := crmv1.NewAccessServiceClient(a.conn), a.as(t, "auditor", auth.RoleAdministrator)
	policy, err := client.GetPolicy(ctx, &crmv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(policy.GetText()))
	if policy.GetHash() != hex.EncodeToString(sum[:]) || policy.GetOrigin() != "built in" {
		t.Errorf("%s from %s", policy.GetHash(), policy.GetOrigin())
	}
	listed, err := client.ListRoles(ctx, &crmv1.ListRolesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range listed.GetRoles() {
		names = append(names, r.GetName())
		switch r.GetName() {
		case auth.RoleAdministrator:
			if len(r.GetMethods()) != len(contractMethods()) || len(r.GetHidden()) != 0 {
				t.Errorf("%v", r)
			}
		case auth.RoleAnalyst:
			if !slices.Equal(r.GetShown(), []string{"income", "balances", "amounts"}) || !slices.Equal(r.GetMasked(), []string{"birth"}) ||
				len(r.GetWritable()) != 0 || r.GetRows() != crmv1.RowScope_ROW_SCOPE_ALL {
				t.Errorf("%v", r)
			}
		}
	}
	if !slices.Equal(names, auth.Roles()) {
		t.Errorf("the policy has the roles %v, tokens have %v", names, auth.Roles())
	}
}
