package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// identifier is what a column's name has to look like to stand in an expression.
var identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// reserved words of CEL, and the names that every expression knows.
var reserved = []string{
	"as", "break", "const", "continue", "else", "false", "file", "for", "function", "if", "import", "in", "let", "line",
	"loop", "namespace", "null", "package", "return", "true", "var", "void", "while",
}

// scope is what the expressions of one file can see.
type scope struct {
	env      *cel.Env
	columns  map[string]int
	titles   []string
	format   Format
	codes    map[string]map[string]string
	location *time.Location
	// layouts holds Go's form of every layout that an expression names.
	layouts map[string]string
}

// newScope makes the scope of a file with these columns.
func newScope(columns []Column, format Format, codes map[string]map[string]string, location *time.Location) (*scope, error) {
	s := &scope{columns: map[string]int{}, format: format, codes: codes, location: location, layouts: map[string]string{}}
	options := []cel.EnvOption{cel.Variable("line", cel.IntType), cel.Variable("file", cel.StringType)}
	for i, column := range columns {
		s.columns[column.Name] = i
		s.titles = append(s.titles, column.Title)
		options = append(options, cel.Variable(column.Name, cel.StringType))
	}
	var err error
	if s.env, err = cel.NewEnv(append(options, s.functions()...)...); err != nil {
		return nil, fmt.Errorf("set up expressions: %w", err)
	}
	return s, nil
}

// expression is a compiled expression.
type expression struct {
	// column is the index of the column when the expression is nothing but its name, else -1.
	column  int
	program cel.Program
	result  *cel.Type
	// uses are the titles of the columns it reads, for messages.
	uses []string
	root ast.Expr
}

// compile compiles an expression and checks the names of layouts and code tables in it.
func (s *scope) compile(source string) (*expression, error) {
	compiled, issues := s.env.Compile(source)
	if err := issues.Err(); err != nil {
		mistake := issues.Errors()[0]
		message := strings.TrimSuffix(mistake.Message, " (in container '')")
		return nil, fmt.Errorf("character %d of the expression: %s", mistake.Location.Column()+1, message)
	}
	e := &expression{column: -1, result: compiled.OutputType(), root: compiled.NativeRep().Expr()}
	if err := s.inspect(e); err != nil {
		return nil, err
	}
	var err error
	if e.program, err = s.env.Program(compiled, cel.EvalOptions(cel.OptOptimize)); err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	return e, nil
}

// inspect notes which columns the expression reads and reads its layouts.
func (s *scope) inspect(e *expression) error {
	if e.root.Kind() == ast.IdentKind {
		if at, ok := s.columns[e.root.AsIdent()]; ok {
			e.column = at
		}
	}
	var mistake error
	ast.PreOrderVisit(e.root, ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.IdentKind:
			if at, ok := s.columns[x.AsIdent()]; ok && !slices.Contains(e.uses, s.titles[at]) {
				e.uses = append(e.uses, s.titles[at])
			}
		case ast.CallKind:
			if err := s.inspectCall(x.AsCall()); err != nil && mistake == nil {
				mistake = err
			}
		default:
		}
	}))
	return mistake
}

// inspectCall checks what must be known before the first row: layouts and code tables.
func (s *scope) inspectCall(call ast.CallExpr) error {
	args := call.Args()
	switch call.FunctionName() {
	case "date", "datetime":
		if len(args) < 2 {
			return nil
		}
		layout, ok := literal(args[1])
		if !ok {
			return fmt.Errorf("%s: the layout must be a plain text such as %q", call.FunctionName(), "DD.MM.YYYY")
		}
		goForm, err := goLayout(layout)
		s.layouts[layout] = goForm
		return err
	case "code":
		table, ok := literal(args[0])
		if !ok {
			return fmt.Errorf("code: the name of the table must be a plain text")
		}
		if _, ok := s.codes[table]; !ok {
			return fmt.Errorf("there is no code table %q%s", table, nearest(table, sortedKeys(s.codes)))
		}
	}
	return nil
}

// literal returns the text of a quoted text.
func literal(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := x.AsLiteral().(types.String)
	return string(s), ok
}

// outcomes lists the texts that an expression is sure to give for some row: quoted texts, and the meanings of a code
// table, also behind `? :`. It lets a wrong enum name be found when the mapping is read.
func (s *scope) outcomes(x ast.Expr) []string {
	if t, ok := literal(x); ok {
		return []string{t}
	}
	if x.Kind() != ast.CallKind {
		return nil
	}
	args := x.AsCall().Args()
	var out []string
	switch x.AsCall().FunctionName() {
	case "_?_:_":
		out = append(s.outcomes(args[1]), s.outcomes(args[2])...)
	case "code":
		table, _ := literal(args[0])
		for _, code := range sortedKeys(s.codes[table]) {
			out = append(out, s.codes[table][code])
		}
		if len(args) == 3 {
			out = append(out, s.outcomes(args[2])...)
		}
	}
	return out
}

// text evaluates the expression over a row and renders the result as a text.
func (e *expression) text(row *Row) (string, error) {
	if e.column >= 0 {
		return row.Values[e.column], nil
	}
	value, _, err := e.program.Eval(row)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case types.String:
		return string(v), nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64), nil
	case types.Bool:
		return strconv.FormatBool(bool(v)), nil
	default:
		return "", fmt.Errorf("the expression gave a %s", value.Type().TypeName())
	}
}

// fits says whether the expression's results can be read by the leaf.
func (e *expression) fits(l leaf) bool {
	switch e.result.Kind() {
	case types.StringKind:
		return true
	case types.IntKind:
		return l.kind == kindText || l.kind == kindWhole || l.kind == kindFraction
	case types.DoubleKind:
		return l.kind == kindFraction
	case types.BoolKind:
		return l.kind == kindFlag
	default:
		return false
	}
}

// expression reads and compiles an expression of the mapping; nil when something is wrong with it.
func (r *reader) expression(s *scope, node *yaml.Node, what string) *expression {
	t := r.text(node, what)
	if t.value == "" {
		return nil
	}
	e, err := s.compile(t.value)
	if err != nil {
		r.at(t.node, "%s: %v", what, err)
		return nil
	}
	return e
}
