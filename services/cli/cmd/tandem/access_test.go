package main

import (
	"context"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ExplainAccess repeats who and what was asked about.
func (h *halves) ExplainAccess(_ context.Context, r *crmv1.ExplainAccessRequest) (*crmv1.ExplainAccessResponse, error) {
	rows := &crmv1.RowDecision{Reason: r.GetSubject() + " and " + r.GetCustomerKey().GetExternalId()}
	if len(r.GetRoles()) == 0 {
		return &crmv1.ExplainAccessResponse{Reason: "none of your roles may", Rows: rows}, nil
	}
	rows.Scopes, rows.Path = []crmv1.RowScope{crmv1.RowScope_ROW_SCOPE_TREE}, []int64{3, 5}
	answer := &crmv1.ExplainAccessResponse{
		Allowed: true, Reason: r.GetMethod(), Rows: rows,
		Rules: []*crmv1.AccessRule{{Name: r.GetRoles()[0] + " may look", MethodLine: 4, RoleLine: 9}},
	}
	for _, name := range r.GetFields() {
		answer.Fields = append(answer.Fields, &crmv1.FieldDecision{
			Field: name, Class: "contact", View: crmv1.FieldView_FIELD_VIEW_MASKED, Writable: true, Reason: "because",
		})
	}
	return answer, nil
}

func (h *halves) ListRoles(context.Context, *crmv1.ListRolesRequest) (*crmv1.ListRolesResponse, error) {
	return &crmv1.ListRolesResponse{Roles: []*crmv1.Role{{
		Name: auth.RoleAnalyst, Rows: crmv1.RowScope_ROW_SCOPE_ALL, Methods: []string{"a", "b"}, Shown: []string{"income", "balances"},
		Masked: []string{"birth"},
	}}}, nil
}

func (h *halves) GetPolicy(context.Context, *crmv1.GetPolicyRequest) (*crmv1.GetPolicyResponse, error) {
	return &crmv1.GetPolicyResponse{Text: "version: 1\n", Hash: "ab", Origin: "built in"}, nil
}
