package division

import (
	"context"
	"slices"

	"tandem.bank/services/analytics/internal/permission"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Scope is what a caller sees: all customers, or those of some branches.
type Scope struct {
	limited  bool
	branches []uint64
}

// CallerScope is that of the caller of a context. Errors: PERMISSION_DENIED.
func CallerScope(ctx context.Context) (Scope, error) {
	branches, limited, err := permission.Branches(ctx)
	out := Scope{limited: limited}
	for _, b := range branches {
		out.branches = append(out.branches, uint64(b)) //nolint:gosec // ids are positive
	}
	return out, err
}

// Args bind `({limited:UInt8} = 0 OR has({branches:Array(UInt64)}, branch_id))`.
func (c Scope) Args() []any {
	branches := []uint64{0} // an empty list has no type
	if c.limited {
		branches = c.branches
	}
	return []any{warehouse.Named("limited", warehouse.Flag(c.limited)), warehouse.Named("branches", branches)}
}

// Admits says whether the caller sees customers of a branch.
func (c Scope) Admits(branch uint64) bool { return !c.limited || slices.Contains(c.branches, branch) }

// Limited says whether the caller sees only some branches.
func (c Scope) Limited() bool { return c.limited }
