package bank

// standing is where a customer stands with the bank.
type standing string

const (
	prospect standing = "prospect"
	active   standing = "active"
	former   standing = "former"
)

// customer is one customer with everything that decides the rest: who it is, how long it stays, what it buys.
type customer struct {
	number       int
	organisation bool
	standing     standing
	region       int // positions in the tables
	branch       int
	manager      int
	phone        int64 // 0 when unknown
	since        day
	left         day // 0 while the customer stays
	hasCard      bool
	// paidHere says whether the income comes to the account here; else this is a second bank.
	paidHere bool

	spouse      int // the customer's number, or 0
	spouseBirth day
	family      family
	employer    int // an organisation among the customers, or 0
	employed    day
	position    string

	person    person
	company   company
	process   process
	purchases []purchase
}

// stay is the time during which the customer is served within the history; empty for prospects and the long gone.
func (c *customer) stay(history period) period {
	if c.standing == prospect {
		return period{from: 1, to: 0}
	}
	to := history.to
	if c.left != 0 {
		to = c.left
	}
	return period{from: max(c.since, history.from), to: to}
}

// draw fills in customer k. It is a function of the seed, the history and k only, so that a customer can be looked at
// again when a later one refers to it.
func (g *generator) draw(k int, c *customer) {
	g.drawProfile(k, c)
	g.marry(c)
	if c.standing == active && c.hasCard {
		g.drawPurchases(c)
		g.drawLeaving(c)
	}
}

// drawProfile fills in who the customer is and since when, alone.
func (g *generator) drawProfile(k int, c *customer) {
	*c = customer{number: k, purchases: c.purchases[:0]}
	s := g.stream(k, purposeProfile)
	c.organisation = s.Happens(shareOrganisation)
	c.region = s.Weighted(regionWeights)
	offices := branchesOf[c.region]
	c.branch = offices[s.Below(len(offices))]
	c.manager = c.branch*managersPerBranch + s.Below(managersPerBranch)
	if s.Happens(0.94) {
		c.phone = phonePrefixes[s.Below(len(phonePrefixes))]*1_000_000 + int64(s.Below(1_000_000))
	}
	if c.organisation {
		c.company = g.drawCompany(s)
		c.hasCard = s.Happens(shareCardBusiness)
	} else {
		c.person = g.drawPerson(s, regions[c.region].salary)
		c.hasCard = s.Happens(shareCard)
		c.paidHere = s.Happens(shareSalaryHere)
	}
	g.drawRelationship(c)
}

// drawRelationship decides whether and since when the customer is one.
func (g *generator) drawRelationship(c *customer) {
	s := g.stream(c.number, purposeRelationship)
	fate := s.Uniform()
	isNew := s.Happens(shareNew)
	earliest := c.person.birth.addMonths(15 * 12)
	if c.organisation {
		earliest = c.company.founded
	}
	switch {
	case fate < shareProspect:
		c.standing = prospect
		return
	case fate < shareProspect+shareLongGone && earliest < g.history.from-1700:
		c.standing = former
		c.left = g.history.from - day(s.Whole(30, 1500))
		c.since = max(earliest, c.left-day(s.Whole(200, 3000)))
		return
	case isNew:
		// Not in the last month: everybody has time to open an account and to use it.
		c.since = g.history.from + day(s.Below(max(1, g.history.days()-30)))
	default:
		c.since = g.history.from - 1 - day(s.Exponential(1.0/(6*365)))
		c.since = max(c.since, g.history.from-20*365)
	}
	c.standing = active
	c.since = max(c.since, min(earliest, g.history.from))
}

// drawLeaving lets some of those who stopped buying leave the bank, always after the process has ended by itself.
func (g *generator) drawLeaving(c *customer) {
	const quietDays = 120 // notice and patience
	s := g.stream(c.number, purposeLeaving)
	leaves, wait := s.Happens(shareLeaves), day(s.Whole(30, quietDays-10))
	if stopped := c.process.stopped; stopped != 0 && stopped+quietDays < g.history.to && leaves {
		c.left = stopped + wait
		c.standing = former
	}
}

// phonePrefixes are the first three digits of Czech mobile numbers.
var phonePrefixes = []int64{
	601, 602, 603, 604, 605, 606, 607, 608, 702, 720, 721, 723, 724, 725, 728, 731, 732, 733,
	734, 736, 737, 739, 770, 773, 774, 775, 776, 777, 778,
}

var mailDomains = []string{"example.com", "example.net", "example.org"}

func (g *generator) writeCustomer(f *csvFile, c *customer) {
	f.key(keyPart{'C', c.number})
	if c.organisation {
		f.text("organisation")
	} else {
		f.text("individual")
	}
	f.text(string(c.standing)).text(regions[c.region].code)
	if c.standing == former {
		f.empty().empty()
	} else {
		f.key(keyPart{'B', c.branch + 1}).key(keyPart{'M', c.manager + 1})
	}
	if c.phone == 0 {
		f.empty()
	} else {
		f.text("+420" + padded(c.phone, 9))
	}
	f.text(g.mailAddress(c)).date(c.since)
	if c.organisation {
		for range 7 {
			f.empty()
		}
		c.company.write(f, c.number, c.branch)
	} else {
		c.person.write(f)
		for range 7 {
			f.empty()
		}
	}
	g.writeDetails(f, c)
}

// mailAddress is empty for some individuals.
func (g *generator) mailAddress(c *customer) string {
	number := padded(int64(c.number), 1)
	domain := mailDomains[c.number%len(mailDomains)]
	if c.organisation {
		return "info." + number + "@" + domain
	}
	if c.number%7 == 0 {
		return ""
	}
	return plain(c.person.given) + "." + plain(c.person.family) + number + "@" + domain
}
