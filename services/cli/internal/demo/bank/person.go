package bank

import "tandem.bank/services/cli/internal/demo/chance"

// person is what an individual has and an organisation has not.
type person struct {
	female     bool
	given      string
	family     string
	birth      day
	occupation int   // position in occupations
	income     int64 // net, a month, in hellers
}

// occupation is one of the bank's terms for what people do.
type occupation struct {
	name string
	// factor is the median of the net income as a part of the region's mean gross salary.
	factor float64
	// ages at which people do this, and how many women and men do.
	ageMin, ageMax int
	women, men     int
	// income says what the monthly payment is for.
	income string
}

var occupations = [...]occupation{
	{"student", 0.16, 18, 26, 620, 600, "allowance"},
	{"worker", 0.62, 18, 65, 110, 230, "salary"},
	{"shop assistant", 0.55, 18, 65, 130, 40, "salary"},
	{"driver", 0.66, 21, 66, 10, 110, "salary"},
	{"nurse", 0.72, 21, 65, 90, 8, "salary"},
	{"teacher", 0.76, 24, 66, 95, 28, "salary"},
	{"office worker", 0.70, 20, 65, 170, 70, "salary"},
	{"civil servant", 0.74, 22, 66, 85, 60, "salary"},
	{"technician", 0.82, 20, 65, 25, 120, "salary"},
	{"engineer", 1.00, 24, 67, 25, 75, "salary"},
	{"IT specialist", 1.28, 20, 66, 15, 65, "salary"},
	{"manager", 1.45, 28, 68, 30, 55, "salary"},
	{"doctor", 1.50, 26, 70, 22, 16, "salary"},
	{"entrepreneur", 0.95, 22, 72, 60, 130, "business income"},
	{"on parental leave", 0.26, 22, 42, 150, 4, "benefits"},
	{"unemployed", 0.17, 20, 64, 30, 28, "benefits"},
	{"pensioner", 0.44, 62, 99, 6000, 6000, "pension"},
}

// pensionAge is when nearly everybody stops working; the weight of pensioners is large on purpose.
const pensionAge = 66

func (g *generator) drawPerson(s *chance.Stream, salary int) person {
	var p person
	p.female = s.Happens(0.51)
	p.given, p.family = drawName(s, p.female)
	age := s.Whole(18, 74)
	if s.Happens(0.12) {
		age = s.Whole(66, 92)
	}
	p.birth = g.history.to.addMonths(-12*age) - day(s.Below(365))
	var weights [len(occupations)]int
	for i, o := range occupations {
		if age < o.ageMin || age > o.ageMax || (age < pensionAge && o.ageMin == 62 && !s.Happens(0.2)) {
			continue
		}
		weights[i] = o.men
		if p.female {
			weights[i] = o.women
		}
	}
	p.occupation = s.Weighted(weights[:])
	median := float64(float64(salary) * occupations[p.occupation].factor)
	p.income = wholeHundreds(s.LogNormal(median, 0.22))
	return p
}

// wholeHundreds rounds crowns to hundreds and returns hellers; at least 1000 CZK.
func wholeHundreds(crowns float64) int64 {
	return max(1000_00, int64(crowns/100+0.5)*100_00)
}

// hellers rounds an amount in crowns to hellers, at least one.
func hellers(crowns float64) int64 {
	return max(1, int64(float64(crowns*100)+0.5))
}

func (p person) write(f *csvFile) {
	sex := "male"
	if p.female {
		sex = "female"
	}
	f.text(p.given).text(p.family).date(p.birth).text(sex)
	f.text(occupations[p.occupation].name).money(p.income).text(Currency)
}
