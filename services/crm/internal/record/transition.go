package record

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
)

// Transition is a named step from one state to another.
type Transition struct{ Name, From, To string }

// StateMachine holds every step that a kind of record may take. A state without steps is the end.
type StateMachine []Transition

// Check refuses a step that the machine does not have, and names those it has. To stay is no step.
func (m StateMachine) Check(field, from, to string) error {
	step := Transition{From: from, To: to}
	same := func(t Transition) bool { return t.From == step.From && t.To == step.To }
	if from == to || slices.ContainsFunc(m, same) {
		return nil
	}
	return wrongTransition(field, fmt.Sprintf("can't go from %s to %s; %s", from, to, m.ways(from)))
}

func wrongTransition(field, text string) error {
	return &apperr.Error{
		Code: codes.FailedPrecondition, Reason: apperr.ReasonWrongTransition, Message: field + ": " + text,
		Violations: []apperr.Violation{{Field: field, Description: text}},
	}
}

// Step is the state to which a named step leads from a state. A step that the machine does not have from there is refused,
// and the refusal names those it has.
func (m StateMachine) Step(field, name, from string) (string, error) {
	for _, t := range m {
		if t.Name == name && t.From == from {
			return t.To, nil
		}
	}
	text := fmt.Sprintf("can't %s from %s; %s", name, from, m.ways(from))
	return "", &apperr.Error{
		Code: codes.FailedPrecondition, Reason: apperr.ReasonWrongTransition, Message: field + ": " + text,
		Violations: []apperr.Violation{{Field: field, Description: text}},
	}
}

func (m StateMachine) ways(from string) string {
	var ways []string
	for _, t := range m {
		if t.From == from {
			ways = append(ways, fmt.Sprintf("%s (%s)", t.To, t.Name))
		}
	}
	if len(ways) == 0 {
		return from + " is final"
	}
	return "allowed: " + strings.Join(ways, ", ")
}
