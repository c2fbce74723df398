package permission

import (
	"context"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/auth"
)

// wholeBank are the roles that see all branches, unless their token names some.
var wholeBank = []string{auth.RoleAnalyst, auth.RoleMarketer, auth.RoleOperations, auth.RoleAdministrator}

// Branches returns the branches that the caller is limited to; limited is false for who sees all of them. A manager whose token
// names none sees nothing. Who is who at which branch is known to crm; tokens carry it here in auth.ClaimBranches.
func Branches(ctx context.Context) (branches []int64, limited bool, err error) {
	principal, ok := auth.FromContext(ctx)
	if !ok {
		return nil, false, apperr.New(codes.PermissionDenied, ReasonPermissionDenied, "nobody proved who calls")
	}
	if len(principal.Branches) > 0 {
		return principal.Branches, true, nil
	}
	if !principal.Has(wholeBank...) {
		return nil, false, apperr.New(codes.PermissionDenied, ReasonPermissionDenied,
			"your role sees the customers of its own branches, and the token names none in the claim %s", auth.ClaimBranches)
	}
	return nil, false, nil
}
