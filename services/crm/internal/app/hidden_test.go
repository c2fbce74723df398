package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
)

// hiddenFile is what a compliance officer reads beside the table of calls.
const hiddenFile = "testdata/hidden.golden"

const hiddenHead = `# By what a role can't ask. One line for each list and role that may call it but not ask by everything: the fields that are
# refused in filters and orders with PERMISSION_DENIED, because the role does not see them in full.
#
# After a change of the policy or of a list, make it again: UPDATE_GOLDEN=1 go test ./services/crm/internal/app -run TestNobodyAsksByWhatIsHidden
#
`

// askedAtOnce is how many fields one call asks by: an order has a bounded length.
const askedAtOnce = 10

// TestNobodyAsksByWhatIsHidden asks every list by every field in every role, and compares what is refused with the table.
func TestNobodyAsksByWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := &hiding{people: newPeople(t, ""), tokens: map[string]string{}}
	for _, role := range auth.Roles() {
		h.tokens[role] = h.callers.Token(t, "somebody", role)
	}
	var text strings.Builder
	text.WriteString(hiddenHead)
	for _, method := range contractMethods() {
		if method.Input().Fields().ByName("filter") == nil {
			continue
		}
		fields := h.fields(t, method, "")
		for _, role := range auth.Roles() {
			refused := h.refused(t, method, role, fields)
			if role == auth.RoleAdministrator && len(refused) > 0 {
				t.Errorf("%s: an administrator can't ask by %v", shortName(method), refused)
			}
			if len(refused) > 0 {
				_, _ = fmt.Fprintf(&text, "%s %s: %s\n", shortName(method), role, strings.Join(refused, " "))
			}
		}
	}
	table := text.String()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(filepath.Clean(hiddenFile), []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(hiddenFile)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, hiddenFile, string(golden), table)
}

type hiding struct {
	*people
	tokens map[string]string
}

// request asks a list about whom the bank of the test knows.
func (h *hiding) request(method protoreflect.MethodDescriptor, filter, order string) *dynamicpb.Message {
	fields := method.Input().Fields()
	m := dynamicpb.NewMessage(method.Input())
	m.Set(fields.ByName("filter"), protoreflect.ValueOfString(filter))
	if by := fields.ByName("order_by"); by != nil {
		m.Set(by, protoreflect.ValueOfString(order))
	}
	if account := fields.ByName("account_id"); account != nil {
		m.Set(account, protoreflect.ValueOfInt64(h.account))
	} else if customer := fields.ByName("customer_id"); customer != nil {
		m.Set(customer, protoreflect.ValueOfInt64(h.janas))
	}
	if definition := fields.ByName("definition_id"); definition != nil {
		m.Set(definition, protoreflect.ValueOfInt64(1))
	}
	if name := fields.ByName("name"); name != nil {
		m.Set(name, protoreflect.ValueOfString("sales"))
	}
	if query := fields.ByName("query"); query != nil {
		m.Set(query, protoreflect.ValueOfString("eva"))
	}
	return m
}

func (h *hiding) ask(ctx context.Context, method protoreflect.MethodDescriptor, role, filter, order string) error {
	return h.conn.Invoke(testkit.WithToken(ctx, h.tokens[role]), fullName(method), h.request(method, filter, order), dynamicpb.NewMessage(method.Output()))
}

// fields are what a list can be asked by: the refusal of an unknown field names them.
func (h *hiding) fields(t *testing.T, method protoreflect.MethodDescriptor, group string) (out []string) {
	t.Helper()
	err := h.ask(t.Context(), method, auth.RoleAdministrator, group+"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz = 1", "")
	_, listed, ok := strings.Cut(status.Convert(err).Message(), "it has ")
	if !ok {
		t.Fatalf("%s: the refusal does not name the fields: %v", shortName(method), err)
	}
	for name := range strings.SplitSeq(listed, ", ") {
		if inner, many := strings.CutSuffix(name, ".*"); many && group == "" {
			for _, field := range h.fields(t, method, inner+".") {
				if strings.HasPrefix(field, inner+".") {
					out = append(out, field)
				}
			}
		} else if !many {
			out = append(out, name)
		}
	}
	return out
}

// refused are the fields by which a role can't ask, none where it may not call the method at all. What is refused in a filter
// must be refused in an order.
func (h *hiding) refused(t *testing.T, method protoreflect.MethodDescriptor, role string, fields []string) (out []string) {
	t.Helper()
	for some := range slices.Chunk(fields, askedAtOnce) {
		err := h.ask(t.Context(), method, role, strings.Join(some, ":* OR ")+":*", strings.Join(some, ", "))
		denied := map[string][]string{}
		for _, detail := range status.Convert(err).Details() {
			if bad, ok := detail.(*errdetails.BadRequest); ok && status.Code(err) == codes.PermissionDenied {
				for _, v := range bad.GetFieldViolations() {
					name, _, _ := strings.Cut(v.GetDescription(), " is ")
					name, _, _ = strings.Cut(name, ":")
					denied[v.GetField()] = append(denied[v.GetField()], strings.Trim(name, `"`))
				}
			}
		}
		if status.Code(err) == codes.PermissionDenied && len(denied) == 0 {
			return nil
		}
		if method.Input().Fields().ByName("order_by") != nil && !slices.Equal(denied["filter"], denied["order_by"]) {
			t.Errorf("%s as %s: refused in filters %v, in orders %v", shortName(method), role, denied["filter"], denied["order_by"])
		}
		out = append(out, denied["filter"]...)
	}
	return out
}

// Inside the brackets of a group names are short; what they mean is refused all the same.
func TestNobodyAsksByWhatIsHiddenInBrackets(t *testing.T) {
	t.Parallel()
	h := &hiding{people: newPeople(t, ""), tokens: map[string]string{}}
	for _, role := range auth.Roles() {
		h.tokens[role] = h.callers.Token(t, "somebody", role)
	}
	i := slices.IndexFunc(contractMethods(), func(m protoreflect.MethodDescriptor) bool { return m.Name() == "ListCustomers" })
	method := contractMethods()[i]
	for filter, want := range map[string]codes.Code{
		`accounts:(number = "CZ*")`:                                  codes.PermissionDenied,
		`NOT accounts:(currency = CZK AND NOT (number = "CZ*"))`:     codes.PermissionDenied,
		`accounts:(currency = CZK) OR relations:(other_name = "N*")`: codes.PermissionDenied,
		`accounts:(currency = CZK AND ledger_balance > 0)`:           codes.OK,
		`segments:"affluent" AND scores:(value > 0.5)`:               codes.OK,
	} {
		if err := h.ask(t.Context(), method, auth.RoleAnalyst, filter, ""); status.Code(err) != want {
			t.Errorf("an analyst asks %s: %v, want %s", filter, err, want)
		}
	}
}
