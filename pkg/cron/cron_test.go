package cron_test

import (
	"testing"
	"time"

	"tandem.bank/pkg/cron"
)

func TestParse(t *testing.T) {
	t.Parallel()
	prague, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		"0 6 1 * *":      "2026-04-01T06:00:00+02:00",
		"@monthly":       "2026-04-01T00:00:00+02:00",
		" */15 * * * * ": "2026-03-28T12:15:00+01:00",
		"30 2 29 3 *":    "2027-03-29T02:30:00+02:00", // summer time skips that half hour in 2026
		"0 0 29 2 *":     "2028-02-29T00:00:00+01:00",
		"0 9 * * 1-5":    "2026-03-30T09:00:00+02:00",
	} {
		s, err := cron.Parse(expression, prague)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		if got := s.Next(time.Date(2026, 3, 28, 11, 0, 0, 0, time.UTC)).In(prague).Format(time.RFC3339); got != want {
			t.Errorf("%q fires at %s, want %s", expression, got, want)
		}
	}
	for _, expression := range []string{
		"", "@every 5m", "@reboot", "TZ=Asia/Tokyo 0 6 * * *", "CRON_TZ=UTC 0 6 * * *", "0 6 1 *", "0 0 6 1 * *", "60 6 * * *", "0 0 31 2 *", "a b c d e",
	} {
		if _, err := cron.Parse(expression, prague); err == nil {
			t.Errorf("%q was taken", expression)
		}
	}
}
