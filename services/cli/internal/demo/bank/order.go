package bank

// How customers order what they pay. It comes from a stream of its own, so that a change of habits leaves all amounts as they are.
const (
	// shareHabit is how many orders go the customer's usual way.
	shareHabit = 0.85
	// shareSecondCard is how many payments are made with the second card, once there is one.
	shareSecondCard = 0.3
)

// orderChannels are the ways of ordering a transfer, by their names in the contract of the API, with their weights.
var (
	orderChannels  = []string{"mobile_app", "web", "branch", "phone"}
	channelWeights = []int{54, 28, 14, 4}
)

// drawOrders decides how the customer usually orders transfers.
func (g *generator) drawOrders(c *customer) {
	g.ordersBy = orderChannels[g.stream(c.number, purposeOrder).Weighted(channelWeights)]
}

// channelOf is how a movement was ordered; empty for what the bank does by itself, and for what comes from elsewhere.
func (g *generator) channelOf(b *booking) string {
	switch b.kind {
	case kindCardPayment:
		if b.purpose == onlineShop {
			return "web"
		}
		return "terminal"
	case kindCardWithdrawal:
		return "terminal"
	case kindCashDeposit, kindCashWithdrawal:
		return "branch"
	case kindTransferOut:
		s := &g.streams[purposeOrder]
		if s.Happens(shareHabit) {
			return g.ordersBy
		}
		return orderChannels[s.Weighted(channelWeights)]
	default:
		return ""
	}
}

// cardOf is the number of the card that a movement was made with; 0 for none, and for one from before the cards that are known.
func (g *generator) cardOf(b *booking) int {
	if b.kind != kindCardPayment && b.kind != kindCardWithdrawal {
		return 0
	}
	if second := g.cards[1]; second != 0 && second <= b.day && g.streams[purposeOrder].Happens(shareSecondCard) {
		return 2
	}
	if first := g.cards[0]; first != 0 && first <= b.day {
		return 1
	}
	return 0
}
