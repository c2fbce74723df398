package bank

import (
	"cmp"
	"slices"
	"time"

	"tandem.bank/services/cli/internal/demo/chance"
)

// moment is a point in time, in seconds since 1970-01-01 UTC; 0 is none.
type moment int64

const (
	hour       moment = 60 * 60
	wholeDay          = 24 * hour
	opensAt           = 7 * hour // in UTC: eight or nine in Prague
	openingFor        = 10 * hour
)

func (m moment) time() time.Time { return time.Unix(int64(m), 0).UTC() }

func (d day) midnight() moment { return moment(d) * wholeDay }

// contact is one interaction with the customer at hand.
type contact struct {
	kind     string
	channel  string
	opened   moment
	manager  bool
	subject  string
	text     string
	outcome  string
	seconds  int
	topic    string
	priority string
	answered moment
	resolved moment
	due      moment
	rating   int
}

// contactHabit is a kind of contact as it happens by itself: how often, how, and what comes of it.
type contactHabit struct {
	kind     string
	perYear  float64
	channels []string
	manager  bool
	seconds  int // median; 0 when nobody looks at the clock
	subjects []string
	outcomes []string
}

var contactHabits = []contactHabit{
	{
		"call", 0.30,
		[]string{"phone"},
		true, 240,
		[]string{"Question about an account", "Change of contact data", "Question about a payment"},
		[]string{"answered", "answered", "call back agreed", "no answer"},
	},
	{
		"meeting", 0.14,
		[]string{"branch", "field"},
		true, 2400,
		[]string{"Yearly review", "Advice on savings", "Advice on a loan"},
		[]string{"offer made", "sold", "no interest", "follow-up agreed"},
	},
	{
		"message", 0.30,
		[]string{"email", "mobile_app", "web"},
		false, 0,
		[]string{"Question on the app", "Request for a statement", "Thanks"},
		[]string{"answered"},
	},
	{
		"branch_visit", 0.18,
		[]string{"branch"},
		false, 600,
		[]string{"Payment at the counter", "New card", "Signature"},
		[]string{"done", "done", "come again"},
	},
	{
		"application", 0.06,
		[]string{"branch", "web", "mobile_app"},
		false, 0,
		[]string{"Application for a card", "Application for a loan", "Application for savings"},
		[]string{"approved", "approved", "declined", "withdrawn"},
	},
}

// campaigns reach many customers in a few days of these months.
var campaigns = []struct {
	month   time.Month
	subject string
}{
	{time.March, "Spring savings offer"},
	{time.September, "Consumer loan offer"},
	{time.November, "Christmas card bonus"},
}

var campaignOutcomes = []string{"no answer", "no answer", "no answer", "no interest", "no interest", "interested", "sold"}

// writeContacts draws a customer's interactions and writes them in the order of time.
func (g *generator) writeContacts(c *customer) {
	s := g.stream(c.number, purposeContact)
	g.contacts = g.contacts[:0]
	within := c.stay(g.history)
	if c.standing == prospect {
		within = period{from: g.history.to - 180, to: g.history.to}
	}
	within = within.within(g.history)
	years := float64(within.days()) / 365.25
	for _, habit := range contactHabits {
		for range s.Poisson(habit.perYear * years) {
			g.contacts = append(g.contacts, habit.draw(s, within))
		}
	}
	g.drawCampaigns(s, within)
	if c.standing != prospect {
		g.drawCases(s, c, within, years)
	}
	slices.SortStableFunc(g.contacts, func(x, y contact) int { return cmp.Compare(x.opened, y.opened) })
	for i := range g.contacts {
		g.writeContact(c, i+1, &g.contacts[i])
	}
}

// officeMoment draws a time at which a branch is open, moving weekends to Fridays.
func officeMoment(s *chance.Stream, at day) moment {
	return at.workday().midnight() + opensAt + moment(s.Below(int(openingFor)))
}

func (h contactHabit) draw(s *chance.Stream, within period) contact {
	x := contact{kind: h.kind, manager: h.manager}
	// Three days in, so that moving a weekend to a Friday stays within.
	x.opened = officeMoment(s, within.from+day(min(3+s.Below(within.days()), within.days()-1)))
	x.channel = h.channels[s.Below(len(h.channels))]
	x.subject = h.subjects[s.Below(len(h.subjects))]
	x.outcome = h.outcomes[s.Below(len(h.outcomes))]
	if h.seconds > 0 {
		x.seconds = int(s.LogNormal(float64(h.seconds), 0.6))
	}
	return x
}

// drawCampaigns lets each campaign of each year reach one customer in eight.
func (g *generator) drawCampaigns(s *chance.Stream, within period) {
	const reach = 0.125
	for month := within.from.monthStart(); month <= within.to; month = month.addMonths(1) {
		for _, campaign := range campaigns {
			if campaign.month != month.month() || !s.Happens(reach) {
				continue
			}
			x := contact{kind: "campaign_contact", channel: "phone", subject: campaign.subject, manager: true}
			x.opened = officeMoment(s, month+day(4+s.Below(10)))
			if s.Happens(0.6) {
				x.channel, x.manager = []string{"email", "sms", "mobile_app"}[s.Below(3)], false
			}
			x.outcome = campaignOutcomes[s.Below(len(campaignOutcomes))]
			if within.holds(day(x.opened / wholeDay)) {
				g.contacts = append(g.contacts, x)
			}
		}
	}
}

func (g *generator) writeContact(c *customer, number int, x *contact) {
	f := g.files.interactions
	f.key(keyPart{'C', c.number}, keyPart{'I', number}).key(keyPart{'C', c.number}).text(x.kind).text(x.channel)
	f.moment(x.opened)
	if x.manager {
		f.key(keyPart{'M', c.manager + 1})
	} else {
		f.empty()
	}
	if x.topic != "" {
		f.key(keyPart{'C', c.number}, keyPart{'A', 1})
	} else {
		f.empty()
	}
	f.text(x.subject).text(x.text).text(x.outcome)
	if x.seconds > 0 {
		f.number(x.seconds)
	} else {
		f.empty()
	}
	f.text(x.topic).text(x.priority).moment(x.answered).moment(x.resolved).moment(x.due)
	if x.rating > 0 {
		f.number(x.rating)
	} else {
		f.empty()
	}
	f.end()
}
