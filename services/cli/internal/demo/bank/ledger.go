package bank

import (
	"cmp"
	"slices"
)

// Kinds of transaction, by their names in the contract of the API.
const (
	kindCashDeposit      = "cash_deposit"
	kindCashWithdrawal   = "cash_withdrawal"
	kindCardWithdrawal   = "card_withdrawal"
	kindCardPayment      = "card_payment"
	kindTransferIn       = "transfer_in"
	kindTransferOut      = "transfer_out"
	kindInterestCredited = "interest_credited"
	kindInterestCharged  = "interest_charged"
	kindFee              = "fee"
	kindLoanDisbursement = "loan_disbursement"
	kindLoanRepayment    = "loan_repayment"
)

// Yearly interest, and what a quarter's part of a percentage is divided by.
const (
	savingsPercent    = 3
	overdraftPercent  = 14
	quartersOfHundred = 400
)

// rule says how the amount of a booking comes about when its day has come.
type rule uint8

const (
	// fixed is booked as it stands.
	fixed rule = iota
	// affordable is left out when the balance does not reach.
	affordable
	// fromSavings is affordable, and comes in on the main account.
	fromSavings
	// quarterInterest is interest on the balance: paid on savings, charged on an overdraft.
	quarterInterest
)

const (
	// overdraftLimit is how far an account may go below zero; a payment that would go further is preceded by money from
	// elsewhere. Purchases follow their process and never fail, so the money has to follow them.
	overdraftLimit int64 = -20_000_00
	topUpUnit      int64 = 5_000_00
)

// booking is a movement before it is posted.
type booking struct {
	day     day
	credit  bool
	rule    rule
	kind    string
	amount  int64 // hundredths of the account's currency
	purpose string
	// text and place make up the description.
	text  string
	place string
	// bank and number name the account of the other side, when there is one.
	bank     string
	number   int64
	reversed bool
}

// rank orders the bookings of one day: what comes in is there before what goes out, and interest is last.
func (b *booking) rank() int {
	switch {
	case b.rule == quarterInterest:
		return 2
	case b.credit:
		return 0
	default:
		return 1
	}
}

// post puts the bookings of an account in order, decides those that depend on the balance, and writes them.
func (g *generator) post(c *customer, a *account) {
	slices.SortStableFunc(a.bookings, func(x, y booking) int {
		return cmp.Or(cmp.Compare(x.day, y.day), cmp.Compare(x.rank(), y.rank()))
	})
	for i := range a.bookings {
		b := &a.bookings[i]
		switch b.rule {
		case affordable, fromSavings:
			if a.balance < b.amount {
				continue
			}
		case quarterInterest:
			if !b.interest(a) {
				continue
			}
		}
		if short := overdraftLimit - (a.balance - b.amount); !b.credit && !b.reversed && short > 0 {
			g.postOne(c, a, &booking{
				day: b.day, credit: true, kind: kindTransferIn, amount: roundTo(short, topUpUnit), purpose: "own funds",
			})
		}
		g.postOne(c, a, b)
	}
}

func (g *generator) postOne(c *customer, a *account, b *booking) {
	switch {
	case b.reversed: // shown, but without effect
	case b.credit:
		a.balance += b.amount
	default:
		a.balance -= b.amount
	}
	a.posted++
	g.writeTransaction(c, a, b)
	if b.rule == fromSavings {
		main := &g.accounts[mainAccount]
		main.bookings = append(main.bookings, booking{
			day: b.day, credit: true, kind: kindTransferIn, amount: b.amount, purpose: "own transfer",
			bank: bankCode, number: a.iban,
		})
	}
}

// interest fills in a quarter's interest; it reports whether there is any.
func (b *booking) interest(a *account) bool {
	b.purpose = "interest"
	switch {
	case a.balance > 0 && a.product == productSavings:
		b.kind, b.credit, b.amount = kindInterestCredited, true, a.balance*savingsPercent/quartersOfHundred
	case a.balance < 0:
		b.kind, b.credit, b.amount = kindInterestCharged, false, -a.balance*overdraftPercent/quartersOfHundred
	default:
		return false
	}
	return b.amount > 0
}

func (g *generator) writeTransaction(c *customer, a *account, b *booking) {
	f := g.files.transactions
	f.key(keyPart{'C', c.number}, keyPart{'A', a.number}, keyPart{'T', a.posted})
	f.key(keyPart{'C', c.number}, keyPart{'A', a.number}).date(b.day)
	if b.credit {
		f.text("credit")
	} else {
		f.text("debit")
	}
	f.text(b.kind).money(b.amount).text(a.currency)
	if a.currency == Currency {
		f.empty().empty()
	} else {
		first := b.day.monthStart()
		f.money(toBase(b.amount, euroRate(first))).date(first)
	}
	f.money(a.balance).text(b.purpose)
	if b.bank == "" {
		f.empty().empty()
	} else {
		f.text(b.bank).text(padded(b.number, accountNumberDigits))
	}
	f.description(b.text, b.place)
	if b.reversed {
		f.text("reversed")
	} else {
		f.text("posted")
	}
	if card := g.cardOf(b); card != 0 {
		f.key(keyPart{'C', c.number}, keyPart{'K', card})
	} else {
		f.empty()
	}
	f.text(g.channelOf(b)).end()
}

// description adds "text, place", without the allocation that joining them would cost.
func (f *csvFile) description(text, place string) {
	if place == "" {
		f.text(text)
		return
	}
	f.row = append(f.row, '"')
	f.row = append(append(append(f.row, text...), ", "...), place...)
	f.row = append(f.row, '"', ',')
}

// euroRates are monthly rates of the euro, in ten thousandths of a crown; the table repeats after two years.
var euroRates = [24]int64{
	252850, 251700, 251050, 252900, 253000, 251350, 252100, 251150, 250400, 250050, 249300, 248700,
	246900, 245750, 244900, 243500, 242600, 243100, 242050, 242800, 243900, 244350, 245100, 244700,
}

const euroRateUnit = 10_000

func euroRate(first day) int64 {
	year, month, _ := first.date()
	return euroRates[(year*12+int(month)-1)%len(euroRates)]
}

// toBase converts hundredths at a rate, rounding half up.
func toBase(hundredths, rate int64) int64 {
	return (hundredths*rate + euroRateUnit/2) / euroRateUnit
}
