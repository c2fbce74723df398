package contract

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

func on(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// The sample Loan Estimate of the US Consumer Financial Protection Bureau: 162 000 dollars at 3.875 % for 30 years are paid
// back by 761.78 a month, and in five years 15 773 dollars of principal are paid off.
func TestScheduleOfThePublishedExample(t *testing.T) {
	t.Parallel()
	loan := terms{
		principal: decimal.NewFromInt(162000), rate: decimal.RequireFromString("0.03875"), months: 360,
		from: on(2013, 4, 15), firstDue: on(2013, 5, 15), places: 2,
	}
	portions, err := loan.schedule()
	if err != nil {
		t.Fatal(err)
	}
	fiveYears := decimal.Zero
	for i, p := range portions {
		if total := p.principal.Add(p.interest); i < 359 && !total.Equal(decimal.RequireFromString("761.78")) {
			t.Fatalf("instalment %d is %s", i+1, total)
		}
		if i < 60 {
			fiveYears = fiveYears.Add(p.principal)
		}
	}
	if !fiveYears.Round(0).Equal(decimal.NewFromInt(15773)) {
		t.Errorf("principal of five years: %s", fiveYears)
	}
	if first := portions[0]; first.interest.String() != "523.13" || first.principal.String() != "238.65" {
		t.Errorf("the first instalment is %s and %s", first.principal, first.interest)
	}
	if last := portions[359]; !last.due.Equal(on(2043, 4, 15)) || last.principal.Add(last.interest).Sub(decimal.RequireFromString("761.78")).Abs().GreaterThan(decimal.NewFromInt(5)) {
		t.Errorf("the last instalment is %s and %s on %s", last.principal, last.interest, last.due)
	}
}

// Whatever the terms, the principal parts add up to the principal, none is negative, and days follow each other.
func TestScheduleSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loan := terms{
			principal: decimal.New(rapid.Int64Range(1, 1e12).Draw(t, "hundredths"), -2),
			rate:      decimal.New(rapid.Int64Range(0, 40_000_000).Draw(t, "rate"), -8),
			months:    rapid.IntRange(1, 480).Draw(t, "months"),
			from:      on(1990, 1, 1).AddDate(0, 0, rapid.IntRange(0, 20000).Draw(t, "from")),
			dayCount:  crmv1.DayCount(rapid.Int32Range(0, 4).Draw(t, "day count")),
			places:    2,
		}
		loan.firstDue = monthsLater(loan.from, 1)
		portions, err := loan.schedule()
		if err != nil {
			if loan.principal.LessThan(decimal.NewFromInt(100)) || loan.rate.GreaterThan(decimal.RequireFromString("0.05")) {
				return // instalments of hundredths, or interest that eats them up
			}
			t.Fatal(err)
		}
		sum, before := decimal.Zero, loan.from
		for i, p := range portions {
			if p.principal.IsNegative() || p.interest.IsNegative() || !p.due.After(before) {
				t.Fatalf("instalment %d: %+v after %s", i+1, p, before)
			}
			sum, before = sum.Add(p.principal), p.due
		}
		if !sum.Equal(loan.principal) || len(portions) != loan.months {
			t.Fatalf("%d parts add up to %s, not %s", len(portions), sum, loan.principal)
		}
	})
}

func TestDays(t *testing.T) {
	t.Parallel()
	// Examples of ISDA's own comparison of day counts, November 1998.
	if n := days30(on(2007, 1, 31), on(2007, 2, 28)); n != 28 {
		t.Errorf("30/360 from 31 January to 28 February: %d", n)
	}
	if n := days30(on(2007, 1, 31), on(2007, 3, 31)); n != 60 {
		t.Errorf("30/360 from 31 January to 31 March: %d", n)
	}
	year := terms{rate: one, dayCount: crmv1.DayCount_DAY_COUNT_ACTUAL_ACTUAL}
	want := decimal.NewFromInt(61).DivRound(decimal.NewFromInt(365), 12).Add(decimal.NewFromInt(121).DivRound(decimal.NewFromInt(366), 12))
	if got := year.period(on(2003, 11, 1), on(2004, 5, 1)); !got.Round(11).Equal(want.Round(11)) {
		t.Errorf("actual/actual from 1 November 2003 to 1 May 2004: %s, want %s", got, want)
	}
	if got := monthsLater(on(2024, 1, 31), 1); !got.Equal(on(2024, 2, 29)) {
		t.Errorf("a month after 31 January 2024: %s", got)
	}
	if got := monthsLater(on(2024, 1, 31), 2); !got.Equal(on(2024, 3, 31)) {
		t.Errorf("two months after 31 January 2024: %s", got)
	}
}
