package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// AccessCmd groups the looks at who may do what.
type AccessCmd struct {
	Explain AccessExplainCmd `cmd:"" help:"Say whether a call would be allowed, by which rule, whom it would reach and which fields it would show."`
	Roles   AccessRolesCmd   `cmd:"" help:"List the roles with what each may do."`
	Policy  AccessPolicyCmd  `cmd:"" help:"Print the policy that is in force."`
}

// AccessExplainCmd explains one call.
type AccessExplainCmd struct {
	Method   string       `arg:"" help:"Call, as in CustomerService/GetCustomer."`
	Subject  string       `help:"Who would call; default is who asks."`
	Role     []string     `help:"Role to judge by, may be given several times; default is what the caller has."`
	Customer customerName `placeholder:"ID|SOURCE/EXTERNAL-ID" help:"Customer whom the call would be about."`
	Record   string       `placeholder:"card" help:"Kind of record that the call would be about, with --id."`
	ID       int64        `name:"id" help:"Id of that record."`
	Field    []string     `placeholder:"Customer.phone" help:"Only these fields; default is every classified one of the call."`
}

// Run prints the decision and what led to it.
func (c *AccessExplainCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accessService, callTimeout, crmv1.AccessServiceClient.ExplainAccess, &crmv1.ExplainAccessRequest{
		Subject: c.Subject, Roles: c.Role, Method: c.Method, CustomerId: c.Customer.id, CustomerKey: c.Customer.key,
		Record: c.Record, RecordId: c.ID, Fields: c.Field,
	}, printExplanation)
}

func printExplanation(out io.Writer, answer *crmv1.ExplainAccessResponse) error {
	verdict := "refused"
	if answer.GetAllowed() {
		verdict = "allowed"
	}
	_, _ = fmt.Fprintf(out, "%s: %s\n", verdict, answer.GetReason())
	for _, rule := range answer.GetRules() {
		_, _ = fmt.Fprintf(out, "rule: %s (lines %d, %d)\n", rule.GetName(), rule.GetMethodLine(), rule.GetRoleLine())
	}
	rows := answer.GetRows()
	scopes := make([]string, len(rows.GetScopes()))
	for i, scope := range rows.GetScopes() {
		scopes[i] = word(scope.String(), "ROW_SCOPE_")
	}
	_, _ = fmt.Fprintf(out, "customers: %s; %s\n", orDash(strings.Join(scopes, "+")), rows.GetReason())
	if len(rows.GetPath()) > 0 {
		_, _ = fmt.Fprintf(out, "managers: %s\n", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(rows.GetPath())), " → "), "[]"))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(answer.GetFields()) > 0 {
		_, _ = fmt.Fprintln(w, "field\tview\twrite\tclass\twhy")
	}
	for _, f := range answer.GetFields() {
		write := "no"
		if f.GetWritable() {
			write = "yes"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.GetField(), word(f.GetView().String(), "FIELD_VIEW_"), write, orDash(f.GetClass()), f.GetReason())
	}
	return w.Flush()
}

// AccessRolesCmd lists roles.
type AccessRolesCmd struct{}

// Run prints a line for each role.
func (*AccessRolesCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accessService, callTimeout, crmv1.AccessServiceClient.ListRoles, &crmv1.ListRolesRequest{}, printRoles)
}

func printRoles(out io.Writer, answer *crmv1.ListRolesResponse) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "role\tcustomers\tcalls\tsees\tin part\tnot")
	for _, r := range answer.GetRoles() {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", r.GetName(), word(r.GetRows().String(), "ROW_SCOPE_"), len(r.GetMethods()),
			orDash(strings.Join(r.GetShown(), ",")), orDash(strings.Join(r.GetMasked(), ",")), orDash(strings.Join(r.GetHidden(), ",")))
	}
	return w.Flush()
}

// AccessPolicyCmd prints the policy.
type AccessPolicyCmd struct{}

// Run prints the file as it is; where it comes from goes to where messages go.
func (*AccessPolicyCmd) Run(ctx context.Context, app *App) error {
	return ask(ctx, app, accessService, callTimeout, crmv1.AccessServiceClient.GetPolicy, &crmv1.GetPolicyRequest{},
		func(out io.Writer, r *crmv1.GetPolicyResponse) error {
			_, _ = fmt.Fprintf(app.Err, "policy %s, SHA-256 %s\n", r.GetOrigin(), r.GetHash())
			_, err := io.WriteString(out, r.GetText())
			return err
		})
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
