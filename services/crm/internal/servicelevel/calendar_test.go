package servicelevel

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func prague(t testing.TB) *time.Location {
	t.Helper()
	location, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestDue(t *testing.T) {
	t.Parallel()
	zone := prague(t)
	// 2026-03-29 and 2026-10-25, both Sundays, are the days on which the clock changes in Prague.
	cases := []struct {
		calendar, opened string
		hours            int32
		want             string
	}{
		{businessHours, "2026-03-02 09:15", 4, "2026-03-02 13:15"},  // a Monday
		{businessHours, "2026-03-02 17:00", 4, "2026-03-03 11:00"},  // over the night
		{businessHours, "2026-03-06 17:00", 4, "2026-03-09 11:00"},  // over the weekend
		{businessHours, "2026-03-07 12:00", 1, "2026-03-09 09:00"},  // opened on a Saturday
		{businessHours, "2026-03-02 06:00", 2, "2026-03-02 10:00"},  // before opening time
		{businessHours, "2026-03-02 19:00", 2, "2026-03-03 10:00"},  // after closing time
		{businessHours, "2026-03-02 18:00", 1, "2026-03-03 09:00"},  // at closing time
		{businessHours, "2026-03-02 08:00", 10, "2026-03-02 18:00"}, // a whole day ends with it
		{businessHours, "2026-03-02 08:00", 50, "2026-03-06 18:00"}, // a whole week too
		{businessHours, "2026-03-07 00:00", 50, "2026-03-13 18:00"},
		{businessHours, "2026-03-02 10:00", 50, "2026-03-09 10:00"},
		{businessHours, "2026-03-27 17:00", 2, "2026-03-30 09:00"}, // the clock goes forward meanwhile
		{businessHours, "2026-10-23 17:00", 2, "2026-10-26 09:00"}, // and back
		{"around_the_clock", "2026-03-28 12:00", 24, "2026-03-29 13:00"},
		{"around_the_clock", "2026-10-24 12:00", 24, "2026-10-25 11:00"},
	}
	for _, c := range cases {
		opened, err := time.ParseInLocation("2006-01-02 15:04", c.opened, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Due(c.calendar, opened, c.hours, zone).In(zone).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%d hours (%s) from %s: %s, want %s", c.hours, c.calendar, c.opened, got, c.want)
		}
	}
}

// slowly counts minute by minute, which nobody can get wrong.
func slowly(opened time.Time, hours int32, zone *time.Location) time.Time {
	at := opened
	for left := int(hours) * 60; left > 0; at = at.Add(time.Minute) {
		local := at.In(zone)
		if day := local.Weekday(); day != time.Saturday && day != time.Sunday && local.Hour() >= dayOpens && local.Hour() < dayCloses {
			left--
		}
	}
	return at
}

// The quick way and the slow one agree, from any minute of three years with six changes of the clock.
func TestDueCountsBusinessMinutes(t *testing.T) {
	t.Parallel()
	zone := prague(t)
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		opened := begin.Add(time.Duration(rapid.IntRange(0, 3*365*24*60).Draw(t, "minutes")) * time.Minute)
		hours := int32(rapid.IntRange(1, 130).Draw(t, "hours"))
		got, want := Due(businessHours, opened, hours, zone), slowly(opened, hours, zone)
		if !got.Equal(want) {
			t.Fatalf("%d hours from %s: %s, want %s", hours, opened.In(zone), got.In(zone), want.In(zone))
		}
	})
}

func TestLevelsFitBestFirst(t *testing.T) {
	t.Parallel()
	level := func(class, kind, priority string) *Row { return &Row{Class: class, Kind: kind, Priority: priority} }
	c := Case{Class: "card", Kind: "complaint", Priority: "high"}
	// From the best to the worst.
	order := []*Row{
		level("card", "complaint", "high"), level("card", "complaint", ""), level("card", "", "high"), level("card", "", ""),
		level("", "complaint", "high"), level("", "complaint", ""), level("", "", "high"), level("", "", ""), level("card", "request", "high"),
	}
	for i := 1; i < len(order); i++ {
		if order[i-1].rank(c) <= order[i].rank(c) {
			t.Errorf("%v does not go before %v", order[i-1], order[i])
		}
	}
	if order[len(order)-1].rank(c) >= 0 {
		t.Error("a level of another kind fits")
	}
}
