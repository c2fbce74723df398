package bank

import (
	"time"

	"tandem.bank/services/cli/internal/demo/chance"
)

// How often an organisation is paid and pays, a month.
const (
	invoicesPaidToUs = 1.2
	invoicesWePay    = 0.8
	payPerHead       = 41_000_00 // with taxes and insurance, in hellers
)

// bookCompany books the account of an organisation: invoices, wages and taxes.
func (g *generator) bookCompany(c *customer) {
	s := g.stream(c.number, purposeFlow)
	stay := c.stay(g.history)
	main := &g.accounts[mainAccount]
	monthly := c.company.turnover / 12
	wages := min(int64(c.company.employees)*payPerHead, monthly*6/10)
	// What is left of the turnover after wages, taxes and a margin goes to suppliers.
	supplies := monthly*8/10 - wages

	g.bookInvoices(s, main, stay, invoicesPaidToUs, monthly, true)
	g.bookInvoices(s, main, stay, invoicesWePay, supplies, false)
	if wages > 0 {
		stay.months(s.Whole(10, 15), func(at day) {
			main.book(booking{day: max(at.workday(), stay.from), kind: kindTransferOut, amount: wages, purpose: "wages"})
		})
	}
	bank, number := stranger(s)
	stay.months(25, func(at day) {
		if at.month()%3 == 1 {
			main.book(booking{
				day: at, rule: affordable, kind: kindTransferOut, amount: roundTo(monthly/6, 100_00), purpose: "tax",
				bank: bank, number: number,
			})
		}
	})
}

// bookInvoices books payments with a mean sum per month.
func (g *generator) bookInvoices(s *chance.Stream, main *account, stay period, perMonth float64, sum int64, credit bool) {
	const sigma = 0.4
	// The mean of a log-normal draw is the median times e^(σ²/2).
	median := crowns(sum) / perMonth / chance.Exp(sigma*sigma/2)
	scattered(s, stay, perMonth, businessSeason, func(at day) {
		b := booking{day: at.workday(), credit: credit, rule: affordable, kind: kindTransferOut, purpose: "invoice"}
		b.amount = hellers(s.LogNormal(median, sigma))
		if credit {
			b.kind, b.rule = kindTransferIn, fixed
		}
		b.bank, b.number = stranger(s)
		if stay.holds(b.day) {
			main.book(b)
		}
	})
}

// businessSeason slows invoices in the summer and around the new year.
func businessSeason(month time.Month) float64 {
	switch month {
	case time.January, time.July, time.August:
		return 0.8
	case time.March, time.September, time.December:
		return 1.2
	default:
		return 1
	}
}
