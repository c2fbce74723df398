package bank

const daysPerWeek = 7

// process holds the hidden values of a customer's purchases.
type process struct {
	rate    float64 // λ, purchases a week
	stop    float64 // p, probability of stopping after a repeat purchase
	spend   float64 // ν, rate of the gamma distribution of one amount
	first   float64 // weeks from the first day of the history to the first purchase
	stopped day     // day of the last purchase, when the customer stopped within the history; else 0
}

// purchase is one payment by card.
type purchase struct {
	day    day
	amount int64 // hellers
}

// drawPurchases runs the purchase process of a customer through the history; see the package comment.
func (g *generator) drawPurchases(c *customer) {
	s := g.stream(c.number, purposePurchase)
	p := &c.process
	p.rate = s.Gamma(Process.R, Process.Alpha)
	p.stop = s.Beta(Process.A, Process.B)
	p.spend = s.Gamma(Process.SpendQ, Process.SpendV)
	if c.since < g.history.from {
		p.first = s.Between(0, Process.FirstPurchaseWeeks)
	} else {
		p.first = float64(c.since-g.history.from)/daysPerWeek + s.Exponential(1/Process.NewCustomerWeeks)
	}
	horizon := float64(g.history.days()) / daysPerWeek
	for at := p.first; at < horizon; at += s.Exponential(p.rate) {
		bought := g.history.from + day(at*daysPerWeek)
		c.purchases = append(c.purchases, purchase{day: bought, amount: hellers(s.Gamma(Process.SpendP, p.spend))})
		// The model has nobody stop after the first purchase: with no repeat the customer is still alive.
		if len(c.purchases) > 1 && s.Happens(p.stop) {
			p.stopped = bought
			break
		}
	}
}

// writeTruth writes what a fitted model may be compared with.
func (c *customer) writeTruth(f *csvFile) {
	if c.process.rate == 0 {
		return
	}
	f.key(keyPart{'C', c.number})
	f.decimal(c.process.rate, 9).decimal(c.process.stop, 9).decimal(c.process.spend, 9).decimal(c.process.first, 6)
	if len(c.purchases) > 0 {
		f.date(c.purchases[0].day)
	} else {
		f.empty()
	}
	f.number(len(c.purchases)).date(c.process.stopped).end()
}
