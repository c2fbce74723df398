package bank

import "tandem.bank/services/cli/internal/demo/chance"

// Complaints and requests are cases: they are answered, resolved within a service level or after it, and rated.
const (
	complaintsPerYear = 0.07
	requestsPerYear   = 0.18
)

// serviceLevel says how soon a case of a priority has to be resolved, and how soon it usually is.
type serviceLevel struct {
	priority string
	due      moment
	// usual is the median from the first answer to the resolution.
	usual moment
}

var serviceLevels = []serviceLevel{
	{"low", 15 * wholeDay, 6 * wholeDay},
	{"normal", 5 * wholeDay, 52 * hour},
	{"high", 24 * hour, 11 * hour},
}

// caseClass is a class of complaint or request.
type caseClass struct {
	topic string
	// weights of the priorities low, normal and high.
	priorities []int
	text       string
}

var complaintClasses = []caseClass{
	{"card declined", []int{0, 2, 5}, "The card was refused at the till although there was money on the account."},
	{"unknown payment", []int{0, 1, 6}, "The customer does not recognise a payment and asks for it to be looked into."},
	{"fee not understood", []int{4, 4, 0}, "The customer does not agree with a fee on the statement."},
	{"late transfer", []int{0, 5, 2}, "A transfer reached the other bank a day late."},
	{"app not working", []int{1, 5, 2}, "The mobile app could not be opened after the update."},
	{"long waiting time", []int{5, 2, 0}, "The customer waited long at the branch although there was an appointment."},
	{"staff behaviour", []int{2, 4, 1}, "The customer was not content with how the question was dealt with."},
	{"cash machine error", []int{0, 3, 4}, "The cash machine debited the account and gave no money."},
}

var requestClasses = []caseClass{
	{"change of limits", []int{1, 5, 1}, "The customer asks for a higher daily limit."},
	{"confirmation of balance", []int{3, 3, 0}, "The customer needs a confirmation for an office."},
	{"new card", []int{0, 4, 2}, "The card is worn and the customer asks for a new one."},
	{"change of address", []int{4, 2, 0}, "The customer has moved."},
	{"early repayment", []int{1, 4, 1}, "The customer asks what it costs to pay a loan back early."},
}

var caseChannels = []string{"phone", "email", "branch", "mobile_app", "web"}

// drawCases draws complaints and requests; organisations have twice as many.
func (g *generator) drawCases(s *chance.Stream, c *customer, within period, years float64) {
	if c.organisation {
		years *= 2
	}
	for range s.Poisson(complaintsPerYear * years) {
		x := g.drawCase(s, within, complaintClasses)
		x.kind, x.subject = "complaint", "Complaint: "+x.topic
		g.contacts = append(g.contacts, x)
	}
	for range s.Poisson(requestsPerYear * years) {
		x := g.drawCase(s, within, requestClasses)
		x.kind, x.subject = "request", "Request: "+x.topic
		g.contacts = append(g.contacts, x)
	}
}

// drawCase draws one case. What would happen after the end of the history has not happened yet.
func (g *generator) drawCase(s *chance.Stream, within period, classes []caseClass) contact {
	class := classes[s.Below(len(classes))]
	level := serviceLevels[s.Weighted(class.priorities)]
	x := contact{topic: class.topic, text: class.text, priority: level.priority}
	x.channel = caseChannels[s.Below(len(caseChannels))]
	x.opened = officeMoment(s, within.from+day(min(3+s.Below(within.days()), within.days()-1)))
	x.due = x.opened + level.due
	end := (g.history.to + 1).midnight()
	answered := x.opened + moment(s.LogNormal(float64(level.usual)/6, 0.8))
	resolved := answered + moment(s.LogNormal(float64(level.usual), 0.7))
	justified, rates, mood := s.Happens(0.6), s.Happens(0.6), s.Below(3)
	if answered < end {
		x.answered = answered
	}
	if resolved >= end {
		return x
	}
	x.resolved, x.outcome = resolved, "rejected"
	if justified {
		x.outcome = "resolved"
	}
	switch {
	case !rates: // most people do not answer the question
	case resolved > x.due:
		x.rating = 1 + mood
	case justified:
		x.rating = 3 + mood
	default:
		x.rating = 2 + mood
	}
	return x
}
