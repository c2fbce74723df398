package servicelevel

import "time"

// The bank's business day, by the clock on its wall.
const (
	dayOpens  = 8
	dayCloses = 18
)

// Due is the moment at which so many hours of a calendar have passed since a moment. Business hours are those of the
// bank's clock: a day is ten hours long also when the clock is changed, which it is at night.
func Due(calendar string, opened time.Time, hours int32, location *time.Location) time.Time {
	left := time.Duration(hours) * time.Hour
	if calendar != businessHours {
		return opened.Add(left)
	}
	begins := opened.In(location)
	// Whole weeks are jumped over, so that no promise takes long to compute. Something is left for the walk: what ends with
	// a week is due on its Friday.
	const weekHours = 5 * (dayCloses - dayOpens)
	if weeks := (hours - 1) / weekHours; weeks > 0 {
		begins = begins.AddDate(0, 0, 7*int(weeks))
		left -= time.Duration(weeks*weekHours) * time.Hour
	}
	for {
		opens, closes := businessDay(begins)
		if begins.Before(opens) {
			begins = opens
		}
		// What is due exactly at closing time is due then, and not the next morning.
		if open := closes.Sub(begins); open > 0 && left <= open {
			return begins.Add(left)
		} else if open > 0 {
			left -= open
		}
		begins = nextMidnight(begins)
	}
}

// businessDay is when the bank opens and closes on the day of a moment; on a weekend it closes when it opens.
func businessDay(at time.Time) (opens, closes time.Time) {
	year, month, day := at.Date()
	opens = time.Date(year, month, day, dayOpens, 0, 0, 0, at.Location())
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		return opens, opens
	}
	return opens, time.Date(year, month, day, dayCloses, 0, 0, 0, at.Location())
}

func nextMidnight(at time.Time) time.Time {
	year, month, day := at.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, at.Location())
}
