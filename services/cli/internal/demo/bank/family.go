package bank

import "tandem.bank/services/cli/internal/demo/chance"

const (
	shareMarriedHere = 0.85 // of the neighbours by number who could be a couple
	shareChildNames  = 0.4  // of the parents whose children the bank knows by name
	childrenMost     = 4
)

// marry makes a couple of some customers with neighbouring numbers: the wife bears the husband's name, and the later one
// lives where the other does. Both see it, whichever is drawn.
func (g *generator) marry(c *customer) {
	if c.organisation || c.standing == prospect {
		return
	}
	other := &g.partner
	if c.number%2 == 1 {
		g.drawProfile(c.number+1, other)
	} else {
		g.drawProfile(c.number-1, other)
	}
	if !g.couple(c, other) {
		return
	}
	c.spouse = other.number
	c.spouseBirth = other.person.birth
	if c.number%2 == 0 {
		c.region, c.branch, c.manager = other.region, other.branch, other.manager
	}
	if !c.person.female {
		return
	}
	for _, names := range familyNames {
		if names.male == other.person.family {
			c.person.family = names.female
		}
	}
}

// couple says whether two customers with neighbouring numbers are married to each other.
func (g *generator) couple(a, b *customer) bool {
	const youngest, apart = 23 * 365, 10 * 365
	grown := g.history.to - youngest
	switch {
	case b.organisation || b.standing == prospect || a.person.female == b.person.female:
		return false
	case a.person.birth > grown || b.person.birth > grown || max(a.person.birth-b.person.birth, b.person.birth-a.person.birth) > apart:
		return false
	default:
		return g.stream(min(a.number, b.number), purposeFamily).Happens(shareMarriedHere)
	}
}

// maritalWeights are those of single, married, partnership, divorced, widowed and of nobody knows, by age.
var maritalWeights = []struct {
	below   int
	weights []int
}{
	{24, []int{86, 3, 1, 0, 0, 10}},
	{35, []int{50, 34, 2, 4, 0, 10}},
	{60, []int{16, 52, 2, 18, 2, 10}},
	{200, []int{5, 50, 0, 13, 22, 10}},
}

var maritalStatuses = []string{"single", "married", "partnership", "divorced", "widowed", ""}

// family is what the bank knows about a person's family.
type family struct {
	marital string
	// dependants is -1 when nobody asked.
	dependants int
	children   bool // whether the bank knows their names
}

// drawFamily is the same for both of a couple, whose children it counts once for each.
func (g *generator) drawFamily(c *customer) family {
	household := c.number
	if c.spouse != 0 {
		household = min(household, c.spouse)
	}
	s := g.stream(household, purposeHousehold)
	age := int(g.history.to-c.youngerBirth()) / 365
	row := 0
	for age >= maritalWeights[row].below {
		row++
	}
	f := family{marital: maritalStatuses[s.Weighted(maritalWeights[row].weights)]}
	if c.spouse != 0 {
		f.marital = "married"
	}
	mean := 0.05
	switch {
	case age >= 24 && age < 52 && f.marital == "married":
		mean = 1.2
	case age >= 24 && age < 52:
		mean = 0.3
	}
	f.dependants = min(childrenMost, s.Poisson(mean), max(0, (age-21)/3))
	f.children = s.Happens(shareChildNames) && age >= 24 && age < 52 && household == c.number
	if s.Happens(0.15) {
		f.dependants, f.children = -1, false
	}
	return f
}

// youngerBirth is the birth of the customer, or of the spouse when younger.
func (c *customer) youngerBirth() day {
	if c.spouse != 0 {
		return max(c.person.birth, c.spouseBirth)
	}
	return c.person.birth
}

// drawChild names a child of the customer, born in the parent's best years and before the end of the history.
func (g *generator) drawChild(s *chance.Stream, c *customer, place int) (name string, birth day) {
	female := s.Happens(0.49)
	given, _ := drawName(s, female)
	birth = c.youngerBirth().addMonths(12*(20+3*place)) + day(s.Below(2*365))
	return given + " " + familyNameOf(c.person.family, female), min(birth, g.history.to-day(s.Whole(60, 400)))
}

// familyNameOf gives a family name the form of the sex.
func familyNameOf(name string, female bool) string {
	for _, names := range familyNames {
		if names.male != name && names.female != name {
			continue
		}
		if female {
			return names.female
		}
		return names.male
	}
	return name
}
