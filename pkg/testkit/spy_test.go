package testkit_test

import (
	"fmt"
	"testing"
)

// failureSpy records a fatal failure instead of failing.
type failureSpy struct {
	testing.TB
	message string
}

func (s *failureSpy) Fatalf(format string, args ...any) {
	s.message = fmt.Sprintf(format, args...)
	panic(s.message)
}
