package filter

import (
	"strings"
	"time"
)

// Statement compiles filters whose conditions stand together in one statement of ClickHouse: their parameters have
// different names.
type Statement struct {
	to        *clickHouse
	functions []Function
}

// NewStatement returns one whose relative days and instants are relative to asOf, in its zone. functions are those that its
// filters may use beyond in(…) and between(…).
func NewStatement(asOf time.Time, functions ...Function) *Statement {
	return &Statement{to: &clickHouse{asOf: asOf}, functions: functions}
}

// Condition compiles a filter; an empty one gives "true". Errors are INVALID_ARGUMENT on the field "filter".
func (s *Statement) Condition(text string, schema Schema) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "true", nil
	}
	out, err := compile(text, schema, s.to, s.functions)
	if err != nil {
		return "", err
	}
	return out.sql, nil
}

// Bind keeps a value of a kind and returns SQL that stands for it, beside the conditions. Values are string, int64,
// decimal.Decimal, bool or time.Time.
func (s *Statement) Bind(kind Kind, value any) string { return s.to.bind(kind, value) }

// Parameters are those of all that was compiled.
func (s *Statement) Parameters() []Parameter { return s.to.parameters }
