// Package cron reads cron expressions of five fields, and tells when they fire in a time zone.
package cron

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when something fires.
type Schedule struct {
	spec *cron.SpecSchedule
}

var errDescriptor = errors.New(`must be five fields, as in "0 6 1 * *", or one of @yearly, @monthly, @weekly, @daily, @hourly`)

// Parse reads an expression: five fields as crontab(5) has them, or a word such as @monthly. The fields mean
// the clock of the location; an expression can't bring a zone of its own.
func Parse(expression string, location *time.Location) (*Schedule, error) {
	expression = strings.TrimSpace(expression)
	if strings.Contains(expression, "=") {
		return nil, errDescriptor
	}
	parsed, err := cron.ParseStandard(expression)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDescriptor, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok { // @every 5m does not say when
		return nil, errDescriptor
	}
	spec.Location = location
	if spec.Next(farPast.In(location)).IsZero() {
		return nil, errors.New("never fires: there is no such day")
	}
	return &Schedule{spec}, nil
}

// farPast is before a year with 29 February: an expression that names that day does fire.
var farPast = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)

// Next is the first moment after t at which it fires.
func (s *Schedule) Next(t time.Time) time.Time { return s.spec.Next(t) }
