package logit

import "fmt"

// SeparationError says that a column tells events from the others without a mistake, alone or with others: its parameter
// would be infinite. A ridge, or leaving the column out, helps; often it says that the column knows the outcome.
type SeparationError struct {
	// Column that separates, or that grows fastest when several do together.
	Column string
	// Alone says that the column needs no others.
	Alone bool
}

// Error names the column.
func (e *SeparationError) Error() string {
	if e.Alone {
		return fmt.Sprintf("%s separates the events from the others by itself: leave it out, or use a ridge", e.Column)
	}
	return fmt.Sprintf("%s with other columns separates the events from the others: leave it out, or use a ridge", e.Column)
}
