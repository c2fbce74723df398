package filter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moment is a day or an instant relative to now: `today-18y`, `now-90min`.
type moment struct {
	now     bool
	offsets []offset
}

type offset struct {
	number int
	unit   string
}

// units by their short names, in the words of Postgres.
var units = map[string]string{"y": "years", "m": "months", "w": "weeks", "d": "days", "h": "hours", "min": "minutes"}

var (
	momentForm = regexp.MustCompile(`^(today|now)((?:[+-][0-9]{1,4}(?:y|m|w|d|h|min)){0,3})$`)
	offsetForm = regexp.MustCompile(`([+-][0-9]+)([a-z]+)`)
)

// yearsMax keeps relative days within the calendars of the databases.
const yearsMax = 1000

// parseMoment reads a relative day or instant; ok is false for a text that does not begin like one.
func parseMoment(text string) (m moment, ok bool, err error) {
	if !strings.HasPrefix(text, "today") && !strings.HasPrefix(text, "now") {
		return m, false, nil
	}
	parts := momentForm.FindStringSubmatch(text)
	if parts == nil {
		return m, false, fmt.Errorf("%q is not a relative time such as today-30d, today-18y, now-12h or now-90min", text)
	}
	m.now = parts[1] == "now"
	for _, part := range offsetForm.FindAllStringSubmatch(parts[2], -1) {
		number, err := strconv.Atoi(part[1])
		if err != nil {
			return m, false, fmt.Errorf("%q is not a number", part[1])
		}
		unit := part[2]
		switch {
		case !m.now && (unit == "h" || unit == "min"):
			return m, false, fmt.Errorf("%q counts hours or minutes from a day; write now%s", text, part[0])
		case unit == "y" && (number > yearsMax || number < -yearsMax):
			return m, false, fmt.Errorf("%q lies more than %d years away", text, yearsMax)
		}
		m.offsets = append(m.offsets, offset{number, unit})
	}
	return m, true, nil
}

// interval writes the offsets for Postgres; empty when there are none.
func (m moment) interval() string {
	parts := make([]string, len(m.offsets))
	for i, o := range m.offsets {
		parts[i] = strconv.Itoa(o.number) + " " + units[o.unit]
	}
	return strings.Join(parts, " ")
}

// after applies the offsets as Postgres adds an interval: months first, where the 31st of a shorter month is its last day,
// then days, then time.
func (m moment) after(t time.Time) time.Time {
	var months, days int
	var rest time.Duration
	for _, o := range m.offsets {
		switch o.unit {
		case "y":
			months += 12 * o.number
		case "m":
			months += o.number
		case "w":
			days += 7 * o.number
		case "d":
			days += o.number
		case "h":
			rest += time.Duration(o.number) * time.Hour
		case "min":
			rest += time.Duration(o.number) * time.Minute
		}
	}
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1+days).Add(rest)
}
