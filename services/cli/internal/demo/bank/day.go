package bank

import "time"

// day is a date, as days since 1970-01-01. Whole numbers sort and subtract without allocation.
type day int32

const secondsPerDay = 24 * 60 * 60

func dayOf(t time.Time) day {
	return dateOf(t.Year(), t.Month(), t.Day())
}

func dateOf(year int, month time.Month, dayOfMonth int) day {
	return day(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

func (d day) time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

func (d day) date() (int, time.Month, int) { return d.time().Date() }

func (d day) month() time.Month { return d.time().Month() }

func (d day) monthStart() day {
	year, month, _ := d.date()
	return dateOf(year, month, 1)
}

// addMonths goes to the same day of another month, or to that month's last day when it is shorter.
func (d day) addMonths(months int) day {
	year, month, dayOfMonth := d.date()
	first := dateOf(year, month+time.Month(months), 1)
	return min(first+day(dayOfMonth)-1, first.monthEnd())
}

func (d day) monthEnd() day {
	year, month, _ := d.date()
	return dateOf(year, month+1, 1) - 1
}

// workday moves a Saturday or Sunday to the Friday before it, as salaries are paid.
func (d day) workday() day {
	switch d.time().Weekday() {
	case time.Saturday:
		return d - 1
	case time.Sunday:
		return d - 2
	default:
		return d
	}
}

// period is a range of days with both ends in it; it is empty when to < from.
type period struct{ from, to day }

func (p period) holds(d day) bool { return p.from <= d && d <= p.to }

func (p period) within(o period) period {
	return period{from: max(p.from, o.from), to: min(p.to, o.to)}
}

func (p period) days() int { return max(0, int(p.to-p.from)+1) }
