// Package date turns google.type.Date, a day of the calendar without a time zone, into Go times and text.
package date

import (
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/type/date"

	"tandem.bank/pkg/apperr"
)

// ErrNotADay is returned for a date that is not one whole existing day.
var ErrNotADay = errors.New("must be a whole existing day between years 1 and 9999")

// Time returns midnight UTC of a day; a nil date gives the zero time.
func Time(d *date.Date) (time.Time, error) {
	if d == nil {
		return time.Time{}, nil
	}
	t := time.Date(int(d.GetYear()), time.Month(d.GetMonth()), int(d.GetDay()), 0, 0, 0, 0, time.UTC)
	if d.GetYear() < 1 || d.GetYear() > 9999 || t.Day() != int(d.GetDay()) || t.Month() != time.Month(d.GetMonth()) {
		return time.Time{}, ErrNotADay
	}
	return t, nil
}

// Field is Time of a field of a request. Errors: INVALID_ARGUMENT that names the field.
func Field(name string, d *date.Date) (time.Time, error) {
	t, err := Time(d)
	if err != nil {
		return t, apperr.InvalidField(name, "%v", err)
	}
	return t, nil
}

// Proto returns the day of a time as written in its own zone; the zero time gives nil.
func Proto(t time.Time) *date.Date {
	if t.IsZero() {
		return nil
	}
	return &date.Date{Year: int32(t.Year()), Month: int32(t.Month()), Day: int32(t.Day())} //nolint:gosec // small
}

// Text renders a day as "2006-01-02"; the zero time gives "".
func Text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// Day is midnight UTC of the day that a time names in its own zone.
func Day(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
