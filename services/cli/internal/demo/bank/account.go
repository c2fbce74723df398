package bank

// account is an account of the customer at hand.
type account struct {
	number   int // counted from 1 within the customer
	product  string
	currency string
	iban     int64 // the account number within this bank
	opened   day
	closed   day
	state    string
	// balance before the first booking, then after the last one posted; in hundredths of the currency.
	balance  int64
	bookings []booking
	posted   int
}

// Positions of a customer's accounts in generator.accounts; the last two are optional.
const (
	mainAccount = iota
	savingsAccount
	euroAccount
	accountsMax
)

// open says whether the customer at hand has the account.
func (a *account) open() bool { return a.number != 0 }

// openAccounts decides which accounts the customer has.
func (g *generator) openAccounts(c *customer) {
	for i := range g.accounts {
		g.accounts[i] = account{bookings: g.accounts[i].bookings[:0]}
	}
	if c.standing == prospect {
		return
	}
	s := g.stream(c.number, purposeAccount)
	wealth := s.LogNormal(1.2, 0.7)
	hasSavings := !c.organisation && s.Happens(shareSavings)
	hasEuro := s.Happens(shareEuro)
	euroShare := s.Uniform()
	if c.organisation {
		hasEuro = euroShare < shareEuroBusiness
	}
	g.openAccount(c, mainAccount, g.mainProduct(c), Currency, c.since)
	g.bringMoney(mainAccount, hellers(wealth*crowns(c.monthlyMeans())))
	if hasSavings {
		g.openAccount(c, savingsAccount, productSavings, Currency, g.laterThan(c, s.Whole(0, 700)))
		g.bringMoney(savingsAccount, hellers(wealth*3*crowns(c.monthlyMeans())))
	}
	if hasEuro {
		g.openAccount(c, euroAccount, productEuro, "EUR", g.laterThan(c, s.Whole(0, 500)))
		g.bringMoney(euroAccount, hellers(wealth/30*crowns(c.monthlyMeans())))
	}
	g.blockSome(c, s.Happens(0.01))
}

// laterThan is a day some time after the customer joined, not after the middle of the stay.
func (g *generator) laterThan(c *customer, days int) day {
	end := g.history.to
	if c.left != 0 {
		end = c.left
	}
	return min(c.since+day(days), c.since+(end-c.since)/2)
}

func (g *generator) openAccount(c *customer, position int, product, currency string, opened day) {
	a := &g.accounts[position]
	a.number, a.product, a.currency = position+1, product, currency
	a.iban = accountNumber(c.number, position+1)
	a.opened, a.state = opened, "open"
	if c.left != 0 {
		a.closed, a.state = c.left, "closed"
	}
}

// bringMoney gives an account what it holds at first: as a balance brought forward, or paid in on the day of opening.
func (g *generator) bringMoney(position int, amount int64) {
	a := &g.accounts[position]
	if !g.history.holds(a.opened) {
		a.balance = amount
		return
	}
	a.book(booking{day: a.opened, credit: true, kind: kindTransferIn, amount: amount, purpose: "first deposit"})
}

// blockSome blocks an account whose owner has long stopped buying: a living one would go on paying by card.
func (g *generator) blockSome(c *customer, unlucky bool) {
	main := &g.accounts[mainAccount]
	if unlucky && main.state == "open" && c.process.stopped != 0 {
		main.state = "blocked"
	}
}

func (g *generator) mainProduct(c *customer) string {
	const seniorYears, richHellers = 64, 70_000_00
	years := int(g.history.to-c.person.birth) / 365
	switch {
	case c.organisation:
		return productBusiness
	case c.person.income > richHellers:
		return productPremium
	case occupations[c.person.occupation].name == "student":
		return productStudent
	case years > seniorYears:
		return productSenior
	case c.since < dateOf(2012, 1, 1):
		return productClassic
	default:
		return productStandard
	}
}

// monthlyMeans is what the customer lives on: income, or a twelfth of the turnover.
func (c *customer) monthlyMeans() int64 {
	if c.organisation {
		return c.company.turnover / 12
	}
	return c.person.income
}

func crowns(hellers int64) float64 { return float64(hellers) / 100 }

func (g *generator) writeAccount(c *customer, a *account) {
	f := g.files.accounts
	f.key(keyPart{'C', c.number}, keyPart{'A', a.number})
	f.text(iban(a.iban)).text(a.currency).text(a.product)
	f.text(regions[c.region].code).key(keyPart{'B', c.branch + 1})
	f.text(a.state).text("monthly").date(a.opened).date(a.closed).end()
}

// writeHolders writes the owner and, for some main accounts, a second holder among the customers before this one.
func (g *generator) writeHolders(c *customer) (second int) {
	for i := range g.accounts {
		if a := &g.accounts[i]; a.open() {
			g.writeHolder(c, a, 1, c.number, "owner", 0)
		}
	}
	s := g.stream(c.number, purposeHolder)
	wanted, role := s.Happens(0.14), "co_owner"
	if c.organisation {
		wanted, role = s.Happens(0.45), "authorised_user"
	} else if s.Happens(0.3) {
		role = "authorised_user"
	}
	if !wanted || c.standing != active {
		return 0
	}
	second = g.findHolder(c)
	if second != 0 {
		main := &g.accounts[mainAccount]
		g.writeHolder(c, main, 2, second, role, g.laterThan(c, s.Whole(0, 900)))
	}
	return second
}

func (g *generator) writeHolder(c *customer, a *account, number, holder int, role string, from day) {
	f := g.files.holders
	f.key(keyPart{'C', c.number}, keyPart{'A', a.number}, keyPart{'H', number})
	f.key(keyPart{'C', c.number}, keyPart{'A', a.number})
	f.key(keyPart{'C', holder}).text(role)
	if from == 0 {
		from = a.opened
	}
	f.date(from).date(a.closed).end()
}

// findHolder looks among the customers just before this one for a person who is an active customer. Only smaller
// numbers are looked at, so that the answer does not depend on how many customers there are.
func (g *generator) findHolder(c *customer) int {
	const looksMax = 12
	for k := c.number - 1; k >= max(1, c.number-looksMax); k-- {
		g.draw(k, &g.other)
		if !g.other.organisation && g.other.standing == active {
			return k
		}
	}
	return 0
}
