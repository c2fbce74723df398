package bank

import (
	"time"

	"tandem.bank/services/cli/internal/demo/chance"
)

// How often things happen on the account of an individual. They keep a customer at about fifty transactions in two
// years, so that ten thousand customers load in a minute or so.
const (
	cashPerMonth    = 0.22
	giftsInDecember = 0.6
	holidayShare    = 0.22
	topUpsPerMonth  = 0.3
	savingsDraws    = 0.05 // a month
	euroPerMonth    = 0.4

	yearlyRaisePercent = 4
)

// cashSeason multiplies cash withdrawals month by month, January first; its mean is 1.
var cashSeason = [12]float64{0.7, 0.6, 0.8, 0.95, 0.95, 1, 1.25, 1.2, 0.9, 0.9, 0.95, 1.8}

// book adds a movement to an account.
func (a *account) book(b booking) { a.bookings = append(a.bookings, b) }

// months calls for each month of a period with the given day of it, when that is within the period.
func (p period) months(dayOfMonth int, call func(day)) {
	for month := p.from.monthStart(); month <= p.to; month = month.addMonths(1) {
		if at := month + day(dayOfMonth-1); p.holds(at) {
			call(at)
		}
	}
}

// scattered calls for a random number of days in each month of a period: a Poisson process thinned by season.
func scattered(s *chance.Stream, p period, perMonth float64, season func(time.Month) float64, call func(day)) {
	for month := p.from.monthStart(); month <= p.to; month = month.addMonths(1) {
		length := int(month.monthEnd()-month) + 1
		for range s.Poisson(perMonth * season(month.month())) {
			if at := month + day(s.Below(length)); p.holds(at) {
				call(at)
			}
		}
	}
}

func evenly(time.Month) float64 { return 1 }

// percent takes a random part of an amount, rounded to hundreds of crowns.
func percent(s *chance.Stream, amount int64, low, high int) int64 {
	return roundTo(amount*int64(s.Whole(low, high))/100, 100_00)
}

// roundTo rounds up to a multiple, which is at least one of it.
func roundTo(amount, unit int64) int64 {
	return max(unit, (amount+unit-1)/unit*unit)
}

// stranger draws an account at another bank.
func stranger(s *chance.Stream) (string, int64) {
	return otherBanks[s.Below(len(otherBanks))], strangerNumber(int64(s.Below(80_000))*100_000 + int64(s.Below(100_000)))
}

// bookPerson books everything on an individual's accounts but purchases and contracts.
func (g *generator) bookPerson(c *customer) {
	s := g.stream(c.number, purposeFlow)
	stay := c.stay(g.history)
	if c.paidHere {
		g.bookIncome(s, c, stay)
		g.bookUtilities(s, c, stay)
	} else {
		g.bookTopUps(s, c, stay)
	}
	g.bookCash(s, c, stay)
	g.bookFeasts(s, c, stay)
	g.bookSavings(s, c, stay)
}

// bookIncome books a monthly income with a raise every year and, for some, a bonus in November.
func (g *generator) bookIncome(s *chance.Stream, c *customer, stay period) {
	main := &g.accounts[mainAccount]
	bank, number := stranger(s)
	bonus := s.Happens(0.3)
	purpose := occupations[c.person.occupation].income
	stay.months(s.Whole(8, 15), func(at day) {
		years := int64(at-g.history.from) / 365
		amount := roundTo(c.person.income*(100+years*yearlyRaisePercent)/100, 100_00)
		if bonus && purpose == "salary" && at.month() == time.November {
			amount += amount / 2
		}
		main.book(booking{
			day: max(at.workday(), stay.from), credit: true, kind: kindTransferIn, amount: amount, purpose: purpose,
			bank: bank, number: number,
		})
	})
}

// bookTopUps brings money to the account of a customer whose income goes elsewhere.
func (g *generator) bookTopUps(s *chance.Stream, c *customer, stay period) {
	main := &g.accounts[mainAccount]
	scattered(s, stay, topUpsPerMonth, evenly, func(at day) {
		b := booking{day: at, credit: true, kind: kindTransferIn, purpose: "own funds", amount: percent(s, c.person.income, 8, 25)}
		b.bank, b.number = stranger(s)
		if s.Happens(0.3) {
			b.kind, b.bank, b.purpose = kindCashDeposit, "", "deposit"
		}
		main.book(b)
	})
}

// bookUtilities books quarterly advances, higher when it is cold.
func (g *generator) bookUtilities(s *chance.Stream, c *customer, stay period) {
	if !s.Happens(0.34) {
		return
	}
	main := &g.accounts[mainAccount]
	bank, number := stranger(s)
	amount := percent(s, c.person.income, 4, 12)
	stay.months(s.Whole(16, 25), func(at day) {
		switch at.month() {
		case time.January:
			main.book(booking{day: at, kind: kindTransferOut, amount: amount * 2, purpose: "utilities", bank: bank, number: number})
		case time.April, time.October:
			main.book(booking{day: at, kind: kindTransferOut, amount: amount * 3 / 2, purpose: "utilities", bank: bank, number: number})
		case time.July:
			main.book(booking{day: at, kind: kindTransferOut, amount: amount, purpose: "utilities", bank: bank, number: number})
		}
	})
}

// bookCash books withdrawals, which carry the season that purchases must not have.
func (g *generator) bookCash(s *chance.Stream, c *customer, stay period) {
	main := &g.accounts[mainAccount]
	kind := kindCashWithdrawal
	if c.hasCard {
		kind = kindCardWithdrawal
	}
	season := func(month time.Month) float64 { return cashSeason[month-1] }
	scattered(s, stay, cashPerMonth, season, func(at day) {
		main.book(booking{
			day: at, rule: affordable, kind: kind, amount: percent(s, c.person.income, 3, 14), purpose: "cash",
			place: cityOf(c.branch), text: "Bankomat",
		})
	})
}

// bookFeasts books gifts in December and holidays in summer; a few are taken back.
func (g *generator) bookFeasts(s *chance.Stream, c *customer, stay period) {
	main := &g.accounts[mainAccount]
	goesAway := s.Happens(holidayShare)
	for month := stay.from.monthStart(); month <= stay.to; month = month.addMonths(1) {
		count, low, high, purpose := 0, 0, 0, ""
		switch month.month() {
		case time.December:
			count, low, high, purpose = s.Poisson(giftsInDecember), 2, 8, "gifts"
		case time.June:
			if goesAway {
				count, low, high, purpose = 1, 30, 70, "holiday"
			}
		}
		for range count {
			b := booking{day: month + day(s.Below(23)), rule: affordable, kind: kindTransferOut, purpose: purpose}
			b.amount = percent(s, c.person.income, low, high)
			b.bank, b.number = stranger(s)
			b.reversed = s.Happens(0.02)
			if stay.holds(b.day) {
				main.book(b)
			}
		}
	}
}

// bookSavings books monthly transfers to the savings account, and now and then one back.
func (g *generator) bookSavings(s *chance.Stream, c *customer, stay period) {
	main, savings := &g.accounts[mainAccount], &g.accounts[savingsAccount]
	if !savings.open() {
		return
	}
	life := stay.within(period{from: savings.opened, to: stay.to})
	if s.Happens(0.35) && c.paidHere {
		amount := percent(s, c.person.income, 4, 12)
		life.months(s.Whole(16, 20), func(at day) {
			main.book(booking{day: at, kind: kindTransferOut, amount: amount, purpose: "savings", bank: bankCode, number: savings.iban})
			savings.book(booking{day: at, credit: true, kind: kindTransferIn, amount: amount, purpose: "savings", bank: bankCode, number: main.iban})
		})
	}
	scattered(s, life, savingsDraws, evenly, func(at day) {
		savings.book(booking{
			day: at, rule: fromSavings, kind: kindTransferOut, amount: percent(s, c.person.income, 20, 90),
			purpose: "own transfer", bank: bankCode, number: main.iban,
		})
	})
}

// bookBankside books what the bank books by itself: monthly fees and quarterly interest.
func (g *generator) bookBankside(c *customer) {
	stay := c.stay(g.history)
	for i := range g.accounts {
		a := &g.accounts[i]
		if !a.open() {
			continue
		}
		life := stay.within(period{from: a.opened, to: stay.to})
		fee := feeOf(a.product)
		for month := life.from.monthStart(); month <= life.to; month = month.addMonths(1) {
			last := month.monthEnd()
			if !life.holds(last) {
				continue
			}
			if fee > 0 {
				a.book(booking{day: last, kind: kindFee, amount: fee, purpose: "account fee"})
			}
			if last.month()%3 == 0 && a.currency == Currency {
				a.book(booking{day: last, rule: quarterInterest})
			}
		}
	}
}

// bookEuro books the few movements of a euro account; amounts are in cents.
func (g *generator) bookEuro(c *customer) {
	euro := &g.accounts[euroAccount]
	if !euro.open() {
		return
	}
	s := g.stream(c.number, purposeEuro)
	life := c.stay(g.history).within(period{from: euro.opened, to: g.history.to})
	scattered(s, life, euroPerMonth, evenly, func(at day) {
		amount := hellers(s.LogNormal(crowns(c.monthlyMeans())/25/8, 0.6))
		b := booking{day: at, rule: affordable, kind: kindTransferOut, amount: amount, purpose: "payment abroad"}
		if s.Happens(0.5) {
			b = booking{day: at, credit: true, kind: kindTransferIn, amount: amount, purpose: "payment from abroad"}
		}
		euro.book(b)
	})
}
