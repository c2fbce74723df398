package bank

import (
	"strings"

	"tandem.bank/services/cli/internal/demo/chance"
)

// How much the bank knows about its customers beside what every form asks.
const (
	shareEmployerHere = 0.14 // of the employed
	shareEmployerName = 0.6  // of the others who are employed
	sharePosition     = 0.45
	shareChannel      = 0.7
	shareAddress      = 0.93
	shareWorkPhone    = 0.18
)

// postalPrefixes are the first two digits of the postal codes of each region's capital.
var postalPrefixes = []string{"11", "27", "37", "30", "36", "40", "46", "50", "53", "58", "60", "77", "76", "70"}

var streets = []string{
	"Nádražní", "Školní", "Husova", "Palackého", "Komenského", "Zahradní", "Polní", "Lipová", "Sokolská", "Riegrova",
	"Masarykova", "Jungmannova", "Havlíčkova", "Krátká", "Dlouhá", "Květná", "Na Výsluní", "Pod Lesem", "U Hřiště", "Mlýnská",
}

// bankNames are those of otherBanks.
var bankNames = []string{
	"Komerční banka", "ČSOB", "Moneta Money Bank", "Česká spořitelna", "Fio banka", "Air Bank", "Raiffeisenbank", "mBank",
}

var otherFamilies = []string{"loan", "deposit", "investment", "card", "insurance"}

// incomeSources are by what an occupation's income is.
var incomeSources = map[string]string{
	"salary": "employment", "business income": "self_employment", "pension": "pension", "benefits": "benefits", "allowance": "support",
}

var educations = []string{"lower_secondary", "secondary", "post_secondary", "bachelor", "master", "doctor", ""}

// educationWeights are by occupation; other occupations have those of the empty one.
var educationWeights = map[string][]int{
	"worker":         {20, 70, 2, 1, 0, 0, 7},
	"driver":         {18, 72, 2, 1, 0, 0, 7},
	"shop assistant": {14, 74, 4, 1, 0, 0, 7},
	"student":        {4, 78, 3, 8, 0, 0, 7},
	"teacher":        {0, 4, 4, 16, 66, 3, 7},
	"engineer":       {0, 6, 6, 16, 60, 5, 7},
	"doctor":         {0, 0, 0, 0, 78, 15, 7},
	"manager":        {1, 24, 6, 14, 44, 4, 7},
	"":               {4, 52, 8, 11, 17, 1, 7},
}

var positions = []string{"specialist", "senior specialist", "team leader", "head of department", "director"}

var positionWeights = []int{50, 28, 14, 6, 2}

// writeDetails writes what the bank knows beside the basic data, and ends the row.
func (g *generator) writeDetails(f *csvFile, c *customer) {
	s := g.stream(c.number, purposeDetail)
	if c.organisation {
		for range 10 {
			f.empty()
		}
		f.text(c.company.form)
	} else {
		c.family = g.drawFamily(c)
		g.writePersonDetails(f, s, c)
		f.empty()
	}
	f.text(g.drawPreferredChannel(s, c)).text(languageOf(c))
	g.writeContactDetails(f, s, c)
	c.writeOtherBank(f, s)
	f.date(c.left).end()
}

func (g *generator) writePersonDetails(f *csvFile, s *chance.Stream, c *customer) {
	work := occupations[c.person.occupation]
	f.text(latin(c.person.given)).text(latin(c.person.family))
	f.text(citizenshipOf(c)).text(c.family.marital)
	if c.family.dependants < 0 {
		f.empty()
	} else {
		f.number(c.family.dependants)
	}
	weights := educationWeights[work.name]
	if weights == nil {
		weights = educationWeights[""]
	}
	f.text(educations[s.Weighted(weights)])
	if work.income == "salary" {
		g.writeEmployment(f, s, c)
	} else {
		f.empty().empty().empty()
	}
	f.text(incomeSources[work.income])
}

// writeEmployment writes employer, position and first day. An employer who is a customer has no name here: the relation
// says it.
func (g *generator) writeEmployment(f *csvFile, s *chance.Stream, c *customer) {
	here, named := s.Happens(shareEmployerHere), s.Happens(shareEmployerName)
	employer := industries[s.Weighted(industryWeights)].word + " " + familyNames[drawRank(s, len(familyNames))].male + " s.r.o."
	position := ""
	if at := s.Weighted(positionWeights); s.Happens(sharePosition) {
		position = positions[at]
	}
	grown := c.person.birth.addMonths(18 * 12)
	since := max(grown, g.history.to-30-day(s.Exponential(1.0/(6*365))))
	if here {
		c.employer, c.employed, c.position = g.findEmployer(c), since, position
	}
	switch {
	case c.employer != 0:
		f.empty().text(position).date(since)
	case named:
		f.text(employer).text(position).date(since)
	default:
		f.empty().text(position).empty()
	}
}

func (g *generator) drawPreferredChannel(s *chance.Stream, c *customer) string {
	weights := []int{40, 25, 15, 10, 10}
	if !c.organisation && int(g.history.to-c.person.birth)/365 > 60 {
		weights = []int{10, 10, 40, 35, 5}
	}
	channel := []string{"mobile_app", "email", "phone", "branch", "sms"}[s.Weighted(weights)]
	if !s.Happens(shareChannel) || channel == "email" && g.mailAddress(c) == "" || c.phone == 0 && (channel == "phone" || channel == "sms") {
		return ""
	}
	return channel
}

// writeContactDetails writes the postal address and, for some, a phone at work.
func (g *generator) writeContactDetails(f *csvFile, s *chance.Stream, c *customer) {
	street := streets[s.Below(len(streets))] + " " + padded(int64(1+drawRank(s, 180)), 1)
	code := postalPrefixes[c.region] + padded(int64(s.Below(10)), 1) + " 0" + padded(int64(s.Below(10)), 1)
	if s.Happens(shareAddress) {
		f.text(street).text(cityOf(c.branch)).text(code)
	} else {
		f.empty().empty().empty()
	}
	work := phonePrefixes[s.Below(len(phonePrefixes))]*1_000_000 + int64(s.Below(1_000_000))
	if s.Happens(shareWorkPhone) && c.phone != 0 && !c.organisation && occupations[c.person.occupation].income == "salary" {
		f.text("+420" + padded(work, 9))
	} else {
		f.empty()
	}
}

// writeOtherBank writes where else the customer banks: who is paid elsewhere has an account there.
func (c *customer) writeOtherBank(f *csvFile, s *chance.Stream) {
	name := bankNames[s.Below(len(bankNames))]
	kind := otherFamilies[s.Below(len(otherFamilies))]
	share := 0.2
	if !c.paidHere {
		share, kind = 0.75, "current_account"
	}
	if s.Happens(share) {
		f.text(name).text(kind)
	} else {
		f.empty().empty()
	}
}

// vietnamese says whether the family came from Vietnam, as many Czech citizens' did.
func (c *customer) vietnamese() bool { return strings.HasPrefix(c.person.family, "Nguyen") }

func citizenshipOf(c *customer) string {
	switch {
	case c.vietnamese() && c.number%5 < 3:
		return "VN"
	case c.number%43 == 7:
		return "SK"
	default:
		return "CZ"
	}
}

func languageOf(c *customer) string {
	switch {
	case c.organisation:
		return "cs"
	case c.vietnamese() && c.number%5 == 0:
		return "vi"
	case c.number%43 == 7:
		return "sk"
	default:
		return "cs"
	}
}

// latin is a name as passports spell it; empty when that is how it is written.
func latin(name string) string {
	spelt := plain(name)
	spelt = strings.ToUpper(spelt[:1]) + spelt[1:]
	if spelt == name {
		return ""
	}
	return spelt
}
