package mapping

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Row is one row of a file: the values of the mapping's columns, in their order.
type Row struct {
	// Values of the columns, cleaned; blank means no value.
	Values []string
	// Line is the number of its first line in the file, from 1.
	Line int
	// FileName is the base name of the file.
	FileName string

	scope *scope
}

// ResolveName gives expressions the value of a column.
func (r *Row) ResolveName(name string) (any, bool) {
	if at, ok := r.scope.columns[name]; ok {
		return types.String(r.Values[at]), true
	}
	switch name {
	case "line":
		return types.Int(r.Line), true
	case "file":
		return types.String(r.FileName), true
	default:
		return nil, false
	}
}

// Parent returns nil: a row is all that an expression sees.
func (r *Row) Parent() cel.Activation { return nil }
