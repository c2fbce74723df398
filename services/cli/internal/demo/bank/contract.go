package bank

import "tandem.bank/services/cli/internal/demo/chance"

// contract is a loan, a standing order or a deposit.
type contract struct {
	kind       string
	state      string
	product    string
	amount     int64
	instalment int64
	months     int
	opened     day
	closed     day
	purpose    string
	bank       string
	number     int64
}

// loanTerms is a kind of loan.
type loanTerms struct {
	product string
	share   float64 // of the customers who may take it
	// amount is the median as a multiple of the customer's monthly means.
	amount     float64
	percent    float64 // yearly interest
	months     []int
	purpose    string
	disbursed  bool // paid out to the account; a mortgage goes to whoever sells
	businesses bool
}

var loans = []loanTerms{
	{productConsumer, 0.13, 3.0, 8.4, []int{24, 36, 48, 60}, "consumer goods", true, false},
	{productMortgage, 0.07, 44, 4.8, []int{180, 240, 300, 360}, "housing", false, false},
	{productCredit, 0.16, 1.6, 6.9, []int{12, 24, 36, 60}, "investment", true, true},
}

// annuity is the monthly instalment that pays a loan back with interest: A·i / (1 − (1+i)^−n).
func annuity(amount int64, yearlyPercent float64, months int) int64 {
	i := yearlyPercent / 1200
	return int64(float64(amount)*i/(1-chance.Power(1+i, -float64(months))) + 0.5)
}

// bookContracts makes the customer's contracts, writes them and books their payments.
func (g *generator) bookContracts(c *customer) {
	stay := c.stay(g.history)
	s := g.stream(c.number, purposeContract)
	written := 0
	write := func(contract contract) {
		written++
		g.writeContract(c, written, contract)
	}
	if c.paidHere {
		g.bookOrders(s, c, stay, write)
	}
	if c.left == 0 { // who leaves has no debts and no deposits
		for _, terms := range loans {
			taken := s.Happens(terms.share)
			if taken && terms.businesses == c.organisation && c.paidHere != c.organisation {
				g.bookLoan(s, c, stay, terms, write)
			}
		}
		if s.Happens(0.06) {
			g.bookDeposit(s, c, stay, write)
		}
	}
}

// orderPurposes are what standing orders beside the household are for, with the part of the income in percent.
var orderPurposes = []struct {
	weight    int
	purpose   string
	low, high int
}{
	{45, "insurance", 2, 6},
	{30, "pension saving", 2, 5},
	{15, "leasing", 8, 15},
	{10, "child support", 8, 16},
}

// household is the order that runs the home, rent and shopping of the family.
const household = "household"

var orderWeights = func() []int {
	weights := make([]int, len(orderPurposes))
	for i, order := range orderPurposes {
		weights[i] = order.weight
	}
	return weights
}()

// bookOrders makes standing orders, at most two.
func (g *generator) bookOrders(s *chance.Stream, c *customer, stay period, write func(contract)) {
	if s.Happens(0.48) {
		write(g.bookOrder(s, c, stay, household, percent(s, c.person.income, 28, 50)))
	}
	if s.Happens(0.3) {
		terms := orderPurposes[s.Weighted(orderWeights)]
		write(g.bookOrder(s, c, stay, terms.purpose, percent(s, c.person.income, terms.low, terms.high)))
	}
}

func (g *generator) bookOrder(s *chance.Stream, c *customer, stay period, purpose string, amount int64) contract {
	order := contract{kind: "standing_order", state: "running", product: productOrder, purpose: purpose, amount: amount}
	order.bank, order.number = stranger(s)
	order.opened = g.laterThan(c, s.Whole(0, 600))
	order.closed = c.left
	if c.left != 0 {
		order.state = "finished"
	}
	main := &g.accounts[mainAccount]
	life := stay.within(period{from: order.opened, to: stay.to})
	life.months(s.Whole(16, 28), func(at day) {
		main.book(booking{day: at, kind: kindTransferOut, amount: amount, purpose: purpose, bank: order.bank, number: order.number})
	})
	return order
}

// bookLoan makes a loan that was taken between five years before the history and shortly before its end.
func (g *generator) bookLoan(s *chance.Stream, c *customer, stay period, terms loanTerms, write func(contract)) {
	loan := contract{kind: "loan", state: "running", product: terms.product, purpose: terms.purpose}
	loan.amount = roundTo(hellers(s.LogNormal(crowns(c.monthlyMeans())*terms.amount, 0.5)), 1000_00)
	loan.months = terms.months[s.Below(len(terms.months))]
	loan.instalment = annuity(loan.amount, terms.percent, loan.months)
	earliest := max(c.since, g.history.from.addMonths(-60))
	loan.opened = earliest + day(s.Below(max(1, int(g.history.to-earliest)-40)))
	last := loan.opened.addMonths(loan.months)
	paid := loan.months
	switch fate := s.Uniform(); {
	case fate < 0.015 && last <= g.history.to:
		loan.state, loan.closed, paid = "defaulted", last, loan.months*2/3
	case last <= g.history.to:
		loan.state, loan.closed = "finished", last
	case fate > 0.96:
		// The last two instalments before the end of the history are missing.
		loan.state = "in_arrears"
		paid = max(0, monthsBetween(loan.opened, g.history.to)-2)
	}
	main := &g.accounts[mainAccount]
	if terms.disbursed && stay.holds(loan.opened) {
		main.book(booking{day: loan.opened, credit: true, kind: kindLoanDisbursement, amount: loan.amount, purpose: "loan"})
	}
	for i := 1; i <= paid; i++ {
		at := loan.opened.addMonths(i)
		if stay.holds(at) {
			main.book(booking{day: at, kind: kindLoanRepayment, amount: loan.instalment, purpose: "loan"})
		}
	}
	write(loan)
}

// monthsBetween counts the whole months from one day to another.
func monthsBetween(from, to day) int {
	months := 0
	for from.addMonths(months+1) <= to {
		months++
	}
	return months
}

// bookDeposit makes a term deposit whose money comes from the main account and returns with interest.
func (g *generator) bookDeposit(s *chance.Stream, c *customer, stay period, write func(contract)) {
	const yearlyPercent = 4
	terms := [...]int{6, 12, 24}
	deposit := contract{kind: "deposit", state: "running", product: productDeposit}
	deposit.amount = roundTo(hellers(s.LogNormal(crowns(c.monthlyMeans())*2, 0.8)), 1000_00)
	deposit.months = terms[s.Below(len(terms))]
	deposit.opened = g.laterThan(c, s.Whole(30, 1000))
	due := deposit.opened.addMonths(deposit.months)
	main := &g.accounts[mainAccount]
	if stay.holds(deposit.opened) {
		main.book(booking{day: deposit.opened, kind: kindTransferOut, amount: deposit.amount, purpose: "term deposit"})
	}
	if due <= g.history.to {
		deposit.state, deposit.closed = "finished", due
	}
	if stay.holds(due) {
		gain := deposit.amount * int64(yearlyPercent*deposit.months) / 1200
		main.book(booking{day: due, credit: true, kind: kindTransferIn, amount: deposit.amount, purpose: "term deposit"})
		main.book(booking{day: due, credit: true, kind: kindInterestCredited, amount: gain, purpose: "term deposit"})
	}
	write(deposit)
}

func (g *generator) writeContract(c *customer, number int, x contract) {
	f := g.files.contracts
	f.key(keyPart{'C', c.number}, keyPart{'N', number}).text(x.kind).text(x.state)
	f.key(keyPart{'C', c.number}, keyPart{'A', 1}).text(x.product).money(x.amount)
	if x.instalment > 0 {
		f.money(x.instalment)
	} else {
		f.empty()
	}
	f.text(Currency).number(x.months).date(x.opened).date(x.closed).text(x.purpose)
	if x.bank == "" {
		f.empty().empty()
	} else {
		f.text(x.bank).text(padded(x.number, accountNumberDigits))
	}
	f.end()
}
