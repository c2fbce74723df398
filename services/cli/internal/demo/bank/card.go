package bank

const (
	cardYears   = 4
	tokenLength = 20
	// cardsMax is the owner's card and that of the second holder.
	cardsMax = 2
)

// tokenLetters make up card tokens: letters only, since sixteen digits in a row could pass for a card number.
const tokenLetters = "BCDFGHJKLMNPQRSTVWXZ"

// writeCards writes the card of the owner and, for some, one of the second holder.
func (g *generator) writeCards(c *customer, second int) {
	g.cards = [cardsMax]day{}
	if !c.hasCard || c.standing == prospect || c.left != 0 && c.left < g.history.from {
		return
	}
	s := g.stream(c.number, purposeCard)
	// The first purchase is soon after the card came.
	issued := g.history.from + day(c.process.first*daysPerWeek) - day(s.Whole(2, 14))
	issued = max(issued, min(c.since, g.history.to))
	if issued > g.history.to {
		return
	}
	state, fate := "active", s.Uniform()
	switch {
	case c.left != 0:
		state = "closed"
	case len(c.purchases) == 0 && issued > g.history.to-21:
		state = "issued"
	case c.process.stopped != 0 && fate < 0.03:
		state = "blocked"
	}
	g.writeCard(c, 1, c.number, issued, state)
	if second != 0 && s.Happens(0.5) {
		later := min(issued+day(s.Whole(0, 60)), g.history.to)
		g.writeCard(c, 2, second, later, state)
	}
}

func (g *generator) writeCard(c *customer, number, holder int, issued day, state string) {
	g.cards[number-1] = issued
	purpose := purposeFirstCard
	if number > 1 {
		purpose = purposeSecondCard
	}
	s := g.stream(c.number, purpose)
	product, scheme, first := productCard, "visa", 400000
	switch {
	case c.organisation:
		product, scheme, first = productCorporate, "mastercard", 520000
	case g.accounts[mainAccount].product == productPremium:
		product = productGold
	case s.Happens(0.4):
		scheme, first = "mastercard", 510000
	}
	f := g.files.cards
	f.key(keyPart{'C', c.number}, keyPart{'K', number})
	f.row = append(f.row, "tok_"...)
	for range tokenLength {
		f.row = append(f.row, tokenLetters[s.Below(len(tokenLetters))])
	}
	f.row = append(f.row, ',')
	f.number(first + s.Below(1000)).text(padded(int64(s.Below(10_000)), 4)).text(scheme).text(product)
	f.key(keyPart{'C', c.number}, keyPart{'A', 1}, keyPart{'H', number})
	f.key(keyPart{'C', holder}).key(keyPart{'C', c.number}, keyPart{'A', 1})
	f.text(state).date(issued).date(issued.addMonths(12 * cardYears).monthStart()).date(c.left).end()
}
