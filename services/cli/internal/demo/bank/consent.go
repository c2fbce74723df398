package bank

import "tandem.bank/services/cli/internal/demo/chance"

// shareAsked is of the customers who ever decided about marketing; withdrawals are of those who agreed.
const (
	shareAsked     = 0.6
	shareWithdrawn = 0.12
)

// consentHabits are the channels on which customers agree to marketing: how many do, and how they change their minds.
var consentHabits = []struct {
	channel   string
	share     float64
	withdrawn string
}{
	{"email", 0.6, "unsubscribe_link"},
	{"sms", 0.45, "message"},
	{"phone", 0.25, "call"},
	{"mobile_app", 0.35, "mobile_app"},
}

var consentMethods = []string{"signed_form", "signed_form", "in_person", "web", "mobile_app"}

// writeConsents writes the customer's decisions about marketing, given when joining or when the present rules came.
func (g *generator) writeConsents(c *customer) {
	s := g.stream(c.number, purposeConsent)
	asked := s.Happens(shareAsked)
	how := consentMethods[s.Below(len(consentMethods))]
	given := max(c.since, dateOf(2018, 5, 25), g.history.from-5*365) // the day of the General Data Protection Regulation
	if c.standing == prospect {
		given = g.history.to - day(s.Whole(20, 180))
	}
	end := g.history.to
	if c.left != 0 {
		end = c.left
	}
	if !asked || given+30 > end {
		return
	}
	at := officeMoment(s, given+3)
	number := 0
	for _, habit := range consentHabits {
		agrees, withdraws, waits := s.Happens(habit.share), s.Happens(shareWithdrawn), s.Below(int(end-given-20))
		if !agrees || !g.reachable(c, habit.channel) {
			continue
		}
		number++
		x := consentRow{channel: habit.channel, given: at, how: how}
		switch {
		case withdraws:
			x.withdrawn, x.withdrawnHow = withdrawal(s, given+10+day(waits)), habit.withdrawn
		case c.left != 0:
			x.withdrawn, x.withdrawnHow = (c.left + 1).midnight(), "bank"
		}
		g.writeConsent(c, number, x)
	}
}

func withdrawal(s *chance.Stream, at day) moment {
	return at.midnight() + moment(s.Below(int(wholeDay)))
}

// reachable says whether the bank has what the channel needs.
func (g *generator) reachable(c *customer, channel string) bool {
	switch channel {
	case "email":
		return g.mailAddress(c) != ""
	case "sms", "phone":
		return c.phone != 0
	default:
		return c.standing != prospect
	}
}

// consentRow is a decision of the customer at hand.
type consentRow struct {
	channel      string
	given        moment
	how          string
	withdrawn    moment
	withdrawnHow string
}

func (g *generator) writeConsent(c *customer, number int, x consentRow) {
	f := g.files.consents
	f.key(keyPart{'C', c.number}, keyPart{'G', number}).key(keyPart{'C', c.number}).text("marketing").text(x.channel)
	f.moment(x.given).text(x.how).text("2018-05/cs").moment(x.withdrawn).text(x.withdrawnHow).end()
}
