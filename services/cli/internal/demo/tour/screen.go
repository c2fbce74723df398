package tour

import (
	"bytes"
	"fmt"
	"time"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/show"
)

const (
	accountsShown     = 3
	cardsShown        = 2
	interactionsShown = 3
)

// writeBest prints a customer's screen: one line a part, with the part's age.
func writeBest(b *bytes.Buffer, place int, best Best) {
	screen := best.Screen
	customer := screen.GetCustomer()
	fmt.Fprintf(b, "%d. %s\n", place, joined(", ", nameOf(customer), fmt.Sprintf("customer %d", customer.GetCustomerId()), best.Region))
	t := newTable(column{}, column{}, column{right: true})
	part := func(name, field string, lines ...string) {
		for i, line := range lines {
			if i > 0 {
				t.row("", line, "")
				continue
			}
			t.row(name, line, partAge(screen, field))
		}
	}
	part("profile", "customer", profileOf(customer))
	part("RFM", "rfm", rfmOf(screen.GetRfm()))
	part("accounts", "accounts", accountLines(screen)...)
	part("cards", "cards", cardLines(screen)...)
	part("contracts", "contracts", contractLine(screen))
	part("contacts", "interactions", interactionLines(screen)...)
	t.write(b)
	fmt.Fprintln(b)
}

func partAge(screen *crmv1.GetCustomer360Response, field string) string {
	found := screen.GetAges()[field]
	if found.GetNewestChangeTime() == nil {
		return ""
	}
	return show.Age(found.GetAgeSeconds())
}

func nameOf(c *crmv1.Customer) string {
	if name := c.GetOrganisation().GetLegalName(); name != "" {
		return name
	}
	name := joined(" ", c.GetIndividual().GetGivenName(), c.GetIndividual().GetFamilyName())
	if name == "" {
		// Some sources know people by number only.
		return joined(" ", c.GetKey().GetSource(), c.GetKey().GetExternalId())
	}
	return name
}

func profileOf(c *crmv1.Customer) string {
	since := ""
	if c.GetCustomerSince() != nil {
		since = "since " + show.Date(c.GetCustomerSince())
	}
	state := show.Name(c.GetState(), "CUSTOMER_STATE_")
	if o := c.GetOrganisation(); o != nil {
		return joined(", ", state, since, "organisation", o.GetIndustryNace(), employees(o))
	}
	p := c.GetIndividual()
	born := ""
	if p.GetBirthDate() != nil {
		born = "born " + show.Date(p.GetBirthDate())
	}
	return joined(", ", state, since, show.Name(p.GetSex(), "SEX_"), born, p.GetOccupation())
}

func employees(o *crmv1.Organisation) string {
	if o.Employees == nil {
		return ""
	}
	return show.Count(o.GetEmployees()) + " employees"
}

func rfmOf(r *crmv1.RfmInsight) string {
	if r == nil {
		return "not yet computed"
	}
	return fmt.Sprintf("cell %s: %s times, %s, last %s days before %s", r.GetCell(), show.Count(r.GetFrequency()),
		show.Money(r.GetMonetary()), show.Count(r.GetRecencyDays()), show.Date(r.GetAsOf()))
}

func accountLines(screen *crmv1.GetCustomer360Response) []string {
	var lines []string
	for _, held := range screen.GetAccounts() {
		a := held.GetAccount()
		lines = append(lines, joined(", ", a.GetNumber(), show.Name(held.GetRole(), "HOLDER_ROLE_"),
			show.Name(a.GetState(), "ACCOUNT_STATE_"), show.Money(a.GetLedgerBalance())))
	}
	return shorten(lines, accountsShown)
}

func cardLines(screen *crmv1.GetCustomer360Response) []string {
	var lines []string
	for _, c := range screen.GetCards() {
		number := ""
		if c.GetFirst6() != "" {
			number = c.GetFirst6() + "…" + c.GetLast4()
		}
		expiry := ""
		if c.GetExpiry() != nil {
			expiry = fmt.Sprintf("to %02d/%d", c.GetExpiry().GetMonth(), c.GetExpiry().GetYear())
		}
		lines = append(lines, joined(", ", joined(" ", c.GetScheme(), number), show.Name(c.GetState(), "CARD_STATE_"), expiry))
	}
	return shorten(lines, cardsShown)
}

func contractLine(screen *crmv1.GetCustomer360Response) string {
	counts := map[crmv1.ContractKind]int{}
	for _, c := range screen.GetContracts() {
		counts[c.GetKind()]++
	}
	line := ""
	for _, kind := range []struct {
		kind      crmv1.ContractKind
		one, many string
	}{
		{crmv1.ContractKind_CONTRACT_KIND_LOAN, "loan", "loans"},
		{crmv1.ContractKind_CONTRACT_KIND_STANDING_ORDER, "standing order", "standing orders"},
		{crmv1.ContractKind_CONTRACT_KIND_DEPOSIT, "deposit", "deposits"},
	} {
		switch n := counts[kind.kind]; n {
		case 0:
		case 1:
			line = joined(", ", line, "1 "+kind.one)
		default:
			line = joined(", ", line, fmt.Sprintf("%d %s", n, kind.many))
		}
	}
	return orNone(line)
}

func interactionLines(screen *crmv1.GetCustomer360Response) []string {
	var lines []string
	for _, x := range screen.GetInteractions() {
		kind := show.Name(x.GetKind(), "INTERACTION_KIND_")
		if channel := show.Name(x.GetChannel(), "CHANNEL_"); channel != unknown {
			kind += " (" + channel + ")"
		}
		text := x.GetSubject()
		if x.GetOutcome() != "" {
			text = joined(" → ", text, x.GetOutcome())
		}
		lines = append(lines, joined(" ", x.GetOpenedTime().AsTime().Format(time.DateOnly), joined(": ", kind, text)))
	}
	lines = shorten(lines, interactionsShown)
	if n := screen.GetOpenComplaints(); n > 0 {
		lines = append(lines, fmt.Sprintf("open complaints: %d", n))
	}
	return lines
}

// shorten keeps the first lines and counts the others; no line at all becomes "none".
func shorten(lines []string, most int) []string {
	if len(lines) == 0 {
		return []string{orNone("")}
	}
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
}

func orNone(line string) string {
	if line == "" {
		return "none"
	}
	return line
}
