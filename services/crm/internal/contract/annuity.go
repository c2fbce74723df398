package contract

import (
	"errors"
	"time"

	"github.com/shopspring/decimal"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// precision is how many decimal places powers and quotients are carried to: far more than an amount of a century needs.
const precision = 40

var (
	one    = decimal.NewFromInt(1)
	twelve = decimal.NewFromInt(12)

	errRate = errors.New("the interest of a month is more than the instalment; the debt would grow")
)

// terms are what a schedule is worked out from.
type terms struct {
	principal decimal.Decimal
	// rate is yearly, as a fraction.
	rate     decimal.Decimal
	months   int
	from     time.Time
	firstDue time.Time
	dayCount crmv1.DayCount
	// places are the decimal places of the currency.
	places int32
}

// portion is one instalment of a schedule.
type portion struct {
	due                 time.Time
	principal, interest decimal.Decimal
}

// schedule works out equal instalments. The last one pays what is left of the debt, whatever the roundings before it: the
// principal parts add up to the principal exactly.
func (t terms) schedule() ([]portion, error) {
	payment := t.payment()
	left, begin := t.principal, t.from
	portions := make([]portion, t.months)
	for i := range portions {
		due := monthsLater(t.firstDue, i)
		p := portion{due: due, interest: left.Mul(t.period(begin, due)).Round(t.places)}
		p.principal = left
		if i < t.months-1 {
			p.principal = decimal.Min(payment.Sub(p.interest), left)
		}
		if p.principal.IsNegative() {
			return nil, errRate
		}
		left, begin, portions[i] = left.Sub(p.principal), due, p
	}
	return portions, nil
}

// payment is the equal instalment: P·i / (1 − (1+i)^−n) for the principal P, the rate of a month i and n months, the annuity
// in arrears of actuarial mathematics (S. G. Kellison, The Theory of Interest, chapter 3), rounded half away from zero.
func (t terms) payment() decimal.Decimal {
	n := decimal.NewFromInt(int64(t.months))
	if t.rate.IsZero() {
		return t.principal.DivRound(n, precision).Round(t.places)
	}
	i := t.rate.DivRound(twelve, precision)
	growth := power(one.Add(i), t.months)
	// P·i·g / (g − 1) with g = (1+i)^n is the same without a negative power.
	return t.principal.Mul(i).Mul(growth).DivRound(growth.Sub(one), precision).Round(t.places)
}

// power multiplies by squaring; each product is cut to the precision, or the digits would double with each step.
func power(base decimal.Decimal, n int) decimal.Decimal {
	result := one
	for ; n > 0; n /= 2 {
		if n%2 == 1 {
			result = result.Mul(base).Round(precision)
		}
		base = base.Mul(base).Round(precision)
	}
	return result
}

// period is the interest of one unit of money from a day to another.
func (t terms) period(from, to time.Time) decimal.Decimal {
	days := decimal.NewFromInt(int64(to.Sub(from) / (24 * time.Hour)))
	switch t.dayCount {
	case crmv1.DayCount_DAY_COUNT_THIRTY_360:
		return t.part(decimal.NewFromInt(days30(from, to)), 360)
	case crmv1.DayCount_DAY_COUNT_ACTUAL_360:
		return t.part(days, 360)
	case crmv1.DayCount_DAY_COUNT_ACTUAL_365:
		return t.part(days, 365)
	case crmv1.DayCount_DAY_COUNT_ACTUAL_ACTUAL:
		return t.actual(from, to)
	default: // DAY_COUNT_UNSPECIFIED: every month is a twelfth
		return t.rate.DivRound(twelve, precision)
	}
}

func (t terms) part(days decimal.Decimal, year int64) decimal.Decimal {
	return t.rate.Mul(days).DivRound(decimal.NewFromInt(year), precision)
}

// actual counts each day over the length of its own year (ISDA 2006, 4.16(b)).
func (t terms) actual(from, to time.Time) decimal.Decimal {
	sum := decimal.Zero
	for from.Before(to) {
		newYear := time.Date(from.Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
		end := newYear
		if to.Before(end) {
			end = to
		}
		year := newYear.AddDate(-1, 0, 0)
		sum = sum.Add(t.part(decimal.NewFromInt(int64(end.Sub(from)/(24*time.Hour))), int64(newYear.Sub(year)/(24*time.Hour))))
		from = end
	}
	return sum
}

// days30 counts days as if each month had 30 (ISDA 2006, 4.16(f)).
func days30(from, to time.Time) int64 {
	first, last := from.Day(), to.Day()
	if first == 31 {
		first = 30
	}
	if last == 31 && first == 30 {
		last = 30
	}
	return int64(360*(to.Year()-from.Year()) + 30*(int(to.Month())-int(from.Month())) + last - first)
}

// monthsLater is the same day some months later, or the last day of a shorter month.
func monthsLater(day time.Time, months int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1)
}
