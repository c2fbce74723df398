package definition

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
	"tandem.bank/services/crm/internal/record"
)

// What the policy allows a role with definitions at all stands there; here is whose definition it may be.

// caller is who calls; a context without one is the bank's own work, which may do everything.
func caller(ctx context.Context) (p auth.Principal, everything bool) {
	p, ok := auth.FromContext(ctx)
	return p, !ok || p.Has(auth.RoleAdministrator)
}

func (r *Row) mayRead(ctx context.Context) bool {
	p, everything := caller(ctx)
	return everything || p.Has(auth.RoleAnalyst) || p.Subject == r.Owner || p.Has(r.ReaderRoles...) || p.Has(r.EditorRoles...)
}

func (r *Row) mayEdit(ctx context.Context) bool {
	p, everything := caller(ctx)
	return everything || p.Subject == r.Owner || p.Has(r.EditorRoles...)
}

func (r *Row) mayShare(ctx context.Context) bool {
	p, everything := caller(ctx)
	return everything || p.Subject == r.Owner
}

// refuseEdit says who could have changed the definition.
func (r *Row) refuseEdit(ctx context.Context) error {
	if r.mayEdit(ctx) {
		return nil
	}
	return apperr.New(codes.PermissionDenied, apperr.ReasonPermissionDenied,
		"definition %s is changed by its owner, %s, and by the roles it is shared with for that: %s", r.Name, r.Owner,
		strings.Join(append(slices.Clone(r.EditorRoles), auth.RoleAdministrator), ", "))
}

func (r *Row) refuseShare(ctx context.Context) error {
	if r.mayShare(ctx) {
		return nil
	}
	return apperr.New(codes.PermissionDenied, apperr.ReasonPermissionDenied,
		"definition %s is shared by its owner, %s, and by administrators", r.Name, r.Owner)
}

// readable narrows a list to the definitions that the caller may read.
func readable(ctx context.Context) record.Scope {
	p, everything := caller(ctx)
	if everything || p.Has(auth.RoleAnalyst) {
		return record.Scope{}
	}
	return record.Scope{
		Condition: "(owner = $1 OR reader_roles && $2::text[] OR editor_roles && $2::text[])",
		Args:      []any{p.Subject, append([]string{}, p.Roles...)},
	}
}

// checkRoles wants roles that there are.
func checkRoles(in *record.Reader, field string, roles []string) {
	known := auth.Roles()
	for _, role := range roles {
		if !slices.Contains(known, role) {
			in.Refuse(field, role+" is not one of the roles "+strings.Join(known, ", "))
		}
	}
}
