package bank

const (
	shareSpouseName   = 0.12 // of the married whose spouse is no customer
	shareDirector     = 0.8
	shareDirectorHere = 0.7
)

// relationRow is a relation of the customer at hand.
type relationRow struct {
	kind  string
	other int // customer, or 0
	name  string
	birth day
	from  day
	// position in the organisation.
	position string
}

// writeRelations writes the customer's relations: to customers with smaller numbers, or to others by name.
func (g *generator) writeRelations(c *customer) {
	s := g.stream(c.number, purposeRelation)
	number := 0
	write := func(r relationRow) {
		number++
		g.writeRelation(c, number, r)
	}
	if c.organisation {
		if s.Happens(shareDirector) {
			write(g.drawDirector(c, s.Happens(shareDirectorHere)))
		}
		return
	}
	switch {
	case c.spouse != 0 && c.spouse < c.number:
		write(relationRow{kind: "spouse", other: c.spouse})
	case c.spouse == 0 && c.family.marital == "married" && s.Happens(shareSpouseName):
		given, _ := drawName(s, !c.person.female)
		write(relationRow{kind: "spouse", name: given + " " + familyNameOf(c.person.family, !c.person.female)})
	}
	if c.family.children {
		for place := range c.family.dependants {
			name, birth := g.drawChild(s, c, place)
			write(relationRow{kind: "child", name: name, birth: birth})
		}
	}
	if c.employer != 0 {
		write(relationRow{kind: "employer", other: c.employer, from: c.employed, position: c.position})
	}
}

// drawDirector finds the organisation's director among the customers before it, or names one.
func (g *generator) drawDirector(c *customer, here bool) relationRow {
	director := relationRow{kind: "director", from: c.company.founded, position: "managing director"}
	if here {
		for k := c.number - 1; k >= max(1, c.number-neighbours); k-- {
			p := &g.other
			g.drawProfile(k, p)
			if grown := p.person.birth.addMonths(25 * 12); !p.organisation && p.standing == active && grown < g.history.to-365 {
				director.other, director.from = k, max(director.from, grown)
				return director
			}
		}
	}
	s := g.stream(c.number, purposeDirector)
	given, family := drawName(s, s.Happens(0.3))
	director.name = given + " " + family
	return director
}

// neighbours is how many customers before one are looked at for a relation.
const neighbours = 12

// findEmployer looks for an organisation among the customers just before this one.
func (g *generator) findEmployer(c *customer) int {
	for k := c.number - 1; k >= max(1, c.number-neighbours); k-- {
		// The first draw of a profile says whether it is an organisation's.
		if g.stream(k, purposeProfile).Happens(shareOrganisation) {
			return k
		}
	}
	return 0
}

func (g *generator) writeRelation(c *customer, number int, r relationRow) {
	f := g.files.relations
	f.key(keyPart{'C', c.number}, keyPart{'R', number}).key(keyPart{'C', c.number}).text(r.kind)
	if r.other != 0 {
		f.key(keyPart{'C', r.other})
	} else {
		f.empty()
	}
	f.text(r.name).date(r.birth).date(r.from).text(r.position).end()
}
