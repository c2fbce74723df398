// Package sight is what the caller of a context may see: which customers, with all that belongs to them, and which fields.
//
// The room access puts it into the context of every call; the rooms that read and write rows ask here. A context without
// one is the bank's own work, which sees everything.
package sight

import (
	"context"
	"fmt"
)

// Rows says which customers are seen. The ways add up; the zero Rows sees nobody.
type Rows struct {
	// All customers, and also what belongs to none.
	All bool
	// BranchIDs are branches whose customers are seen.
	BranchIDs []int64
	// ManagerIDs are managers whose customers are seen.
	ManagerIDs []int64
	// HomeID is the caller's own branch, 0 when there is none: it sees its accounts that nobody holds yet.
	HomeID int64
}

// Sight is what a caller sees.
type Sight struct {
	Rows Rows
	// Clouded are fields that are not shown in full, as "Customer.phone".
	Clouded map[string]bool
}

type sightKey struct{}

// With returns a context of a caller who sees this.
func With(ctx context.Context, s *Sight) context.Context {
	return context.WithValue(ctx, sightKey{}, s)
}

// Of returns what the caller sees; nil is everything.
func Of(ctx context.Context) *Sight {
	s, _ := ctx.Value(sightKey{}).(*Sight)
	return s
}

// AllRows says that no row is kept from the caller.
func (s *Sight) AllRows() bool { return s == nil || s.Rows.All }

// Shows says whether all these fields are shown in full; only then may something be found by them.
func (s *Sight) Shows(fields ...string) bool {
	if s == nil {
		return true
	}
	for _, field := range fields {
		if s.Clouded[field] {
			return false
		}
	}
	return true
}

// Condition is the SQL condition under which a row of a table is seen, with the arguments that it binds appended to those
// that the statement has. It is empty for a caller who sees every row: then it costs nothing.
func Condition(ctx context.Context, b Belonging, args []any) (string, []any) {
	s := Of(ctx)
	if s.AllRows() {
		return "", args
	}
	if b == nil {
		return "false", args // a table that does not say whose its rows are shows them to nobody but those who see all
	}
	condition := b(s.Rows, func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d::%s", len(args), typeOf(value))
	})
	return "(" + condition + ")", args
}

func typeOf(value any) string {
	if _, many := value.([]int64); many {
		return "bigint[]"
	}
	return "bigint"
}
