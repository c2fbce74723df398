package bank

import "tandem.bank/services/cli/internal/demo/chance"

// company is what an organisation has and an individual has not.
type company struct {
	family    string
	style     int // how the name is built
	form      string
	industry  int   // position in industries
	employees int   // 0 for the owner alone
	turnover  int64 // last business year, in hellers
	founded   day
}

// industry is a NACE Rev. 2 class with the words that company names are made of.
type industry struct {
	nace   string
	word   string
	weight int
	// turnover a head and year in CZK.
	perHead float64
}

var industries = []industry{
	{"01.50", "Farma", 5, 1_700_000},
	{"10.71", "Pekařství", 4, 1_300_000},
	{"25.62", "Kovovýroba", 7, 2_100_000},
	{"41.20", "Stavby", 10, 2_600_000},
	{"43.21", "Elektro", 8, 1_900_000},
	{"45.20", "Autoservis", 7, 1_800_000},
	{"47.11", "Potraviny", 10, 3_200_000},
	{"47.91", "E-obchod", 8, 3_900_000},
	{"49.41", "Doprava", 9, 2_400_000},
	{"55.10", "Hotel", 4, 1_200_000},
	{"56.10", "Restaurace", 9, 1_100_000},
	{"62.01", "Software", 8, 2_300_000},
	{"68.20", "Reality", 5, 2_900_000},
	{"69.20", "Účetnictví", 6, 1_300_000},
	{"86.21", "Ordinace", 6, 1_900_000},
}

var industryWeights = func() []int {
	weights := make([]int, len(industries))
	for i, industry := range industries {
		weights[i] = industry.weight
	}
	return weights
}()

func (g *generator) drawCompany(s *chance.Stream) company {
	var c company
	c.industry = s.Weighted(industryWeights)
	c.family = familyNames[drawRank(s, len(familyNames))].male
	c.style = s.Below(4)
	c.form = "s.r.o."
	if s.Happens(0.12) {
		c.form = "a.s."
	}
	c.employees = min(900, int(s.LogNormal(5, 1.3)))
	heads := float64(c.employees + 1)
	c.turnover = wholeHundreds(s.LogNormal(float64(heads*industries[c.industry].perHead), 0.35))
	c.founded = max(g.history.from-day(s.Exponential(1.0/(9*365))), dateOf(1991, 1, 2)) - day(s.Whole(30, 400))
	return c
}

// legalName needs the city of the branch that serves the company.
func (c company) legalName(branch int) string {
	word := industries[c.industry].word
	switch c.style {
	case 0:
		return word + " " + cityOf(branch) + " " + c.form
	case 1:
		return c.family + " a synové " + c.form
	case 2:
		return word + " " + c.family + " " + c.form
	default:
		return c.family + " & partneři, " + c.form
	}
}

func (c company) write(f *csvFile, number, branch int) {
	f.text(c.legalName(branch)).text(registrationNumber(number)).text(industries[c.industry].nace)
	f.number(c.employees).money(c.turnover).text(Currency).date(c.founded)
}
