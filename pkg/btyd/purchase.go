package btyd

import (
	"slices"
	"time"
)

// Purchase is a sum of money on a day.
type Purchase struct {
	Day    time.Time
	Amount float64
}

// Customer is what the models see of one customer.
type Customer struct {
	History
	// Mean amount of a repeat purchase day; 0 without one.
	Mean float64
	// Later is the number of purchase days after the end of the watch.
	Later int
	// LaterAmount is their sum.
	LaterAmount float64
}

// Summarize reduces the purchases of one customer up to the end of the watch, that day included. Purchases of one day are
// one; the first day is no repeat. Refunds are negative amounts: a day on which more went back than was spent is no
// purchase, but lowers the mean amount. It reports false for a customer whose first purchase comes after the end.
func Summarize(purchases []Purchase, end time.Time) (Customer, bool) {
	days := byDay(purchases)
	for len(days) > 0 && days[0].Amount < 0 {
		days = days[1:] // money back for something before the first purchase that is known
	}
	var c Customer
	if len(days) == 0 || days[0].Day.After(end) {
		return c, false
	}
	c.T = daysBetween(days[0].Day, end)
	sum := 0.0
	for _, p := range days[1:] {
		bought := 1
		if p.Amount < 0 {
			bought = 0
		}
		if p.Day.After(end) {
			c.Later, c.LaterAmount = c.Later+bought, c.LaterAmount+p.Amount
			continue
		}
		sum += p.Amount
		if bought > 0 {
			c.X, c.TX = c.X+1, daysBetween(days[0].Day, p.Day)
		}
	}
	if c.X > 0 {
		c.Mean = sum / float64(c.X)
	}
	return c, true
}

// byDay merges the purchases of each day, oldest first.
func byDay(purchases []Purchase) []Purchase {
	sorted := slices.SortedStableFunc(slices.Values(purchases), func(a, b Purchase) int { return a.Day.Compare(b.Day) })
	merged := sorted[:0]
	for _, p := range sorted {
		if last := len(merged) - 1; last >= 0 && merged[last].Day.Equal(p.Day) {
			merged[last].Amount += p.Amount
		} else {
			merged = append(merged, p)
		}
	}
	return merged
}

const day = 24 * time.Hour

// daysBetween counts days between two midnights of the same zone-less calendar.
func daysBetween(from, to time.Time) int { return int(to.Sub(from) / day) }
