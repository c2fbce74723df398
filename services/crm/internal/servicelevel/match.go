package servicelevel

import (
	"context"
	"time"

	"tandem.bank/services/crm/internal/record"
)

// Case is what a promise depends on.
type Case struct{ Class, Kind, Priority string }

// Levels are the promises of a bank.
type Levels []*record.Record[Row]

// ForClasses reads the levels that cases of some classes can have: theirs, and those for every class.
func ForClasses(ctx context.Context, q record.Querier, classes []string) (Levels, error) {
	return Table.Select(ctx, q, "class = '' OR class = ANY($1)", classes)
}

// Name reports whether some level names a class; only then it is one of the bank's.
func (l Levels) Name(class string) bool {
	for _, level := range l {
		if level.Row.Class == class {
			return true
		}
	}
	return false
}

// For is the level that fits a case best: by class, then by kind, then by priority. It is nil when none fits.
func (l Levels) For(c Case) *record.Record[Row] {
	var best *record.Record[Row]
	bestRank := -1
	for _, level := range l {
		if rank := level.Row.rank(c); rank > bestRank {
			best, bestRank = level, rank
		}
	}
	return best
}

// rank says how closely a level fits a case; below zero it does not.
func (r *Row) rank(c Case) int {
	rank := 0
	for _, part := range []struct {
		own, asked string
		weight     int
	}{{r.Class, c.Class, 4}, {r.Kind, c.Kind, 2}, {r.Priority, c.Priority, 1}} {
		switch part.own {
		case "":
		case part.asked:
			rank += part.weight
		default:
			return -1
		}
	}
	return rank
}

// FirstAnswerDue is when a case must be answered; nil when nothing is promised.
func (r *Row) FirstAnswerDue(opened time.Time, location *time.Location) *time.Time {
	return r.due(opened, r.FirstAnswerHours, location)
}

// ResolutionDue is when a case must be resolved; nil when nothing is promised.
func (r *Row) ResolutionDue(opened time.Time, location *time.Location) *time.Time {
	return r.due(opened, r.ResolutionHours, location)
}

func (r *Row) due(opened time.Time, hours int32, location *time.Location) *time.Time {
	if hours == 0 {
		return nil
	}
	at := Due(r.Calendar, opened, hours, location).UTC()
	return &at
}
