package outbox

import (
	"fmt"
	"strings"
	"time"
)

const (
	partitionPrefix = "outbox_"
	defaultName     = "outbox_default"
	dayLayout       = "20060102"
)

// partition is a range partition of the outbox. Its bounds are days in UTC and stand in its name, so that they need not
// be read back from an expression whose text depends on the session's time zone.
type partition struct {
	from, to time.Time // to is exclusive
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func nextDay(day time.Time) time.Time { return day.AddDate(0, 0, 1) }

// dayPartition covers one day.
func dayPartition(day time.Time) partition { return partition{day, nextDay(day)} }

// name is "outbox_20260102", or "outbox_20260102_20260105" (last day included) for more days than one.
func (p partition) name() string {
	first, last := p.from.Format(dayLayout), p.to.AddDate(0, 0, -1).Format(dayLayout)
	if first == last {
		return partitionPrefix + first
	}
	return partitionPrefix + first + "_" + last
}

// bounds is the FOR VALUES clause; DDL takes no parameters, and these are made of digits only.
func (p partition) bounds() string {
	return fmt.Sprintf("FROM ('%s 00:00:00+00') TO ('%s 00:00:00+00')", p.from.Format(time.DateOnly), p.to.Format(time.DateOnly))
}

func (p partition) covers(day time.Time) bool { return !day.Before(p.from) && day.Before(p.to) }

// parsePartition reads a name back. Names of another form, such as outbox_default, are not range partitions.
func parsePartition(name string) (partition, bool) {
	days, found := strings.CutPrefix(name, partitionPrefix)
	if !found {
		return partition{}, false
	}
	first, last, ranged := strings.Cut(days, "_")
	if !ranged {
		last = first
	}
	from, errFrom := time.Parse(dayLayout, first)
	to, errTo := time.Parse(dayLayout, last)
	if errFrom != nil || errTo != nil || to.Before(from) {
		return partition{}, false
	}
	return partition{from, nextDay(to)}, true
}
