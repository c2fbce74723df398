package show

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Customer360 prints a customer on one screen, with the age of each part.
func Customer360(w io.Writer, r *crmv1.GetCustomer360Response) error {
	c := r.GetCustomer()
	_, _ = fmt.Fprintf(w, "Customer %d  %s  (%s)\n", c.GetCustomerId(), partyName(c), age(r, "customer"))
	if c != nil {
		Facts(w, c.ProtoReflect())
	}
	rfm(w, r)
	clv(w, r)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	segments(t, r)
	scores(t, r)
	accounts(t, r)
	cards(t, r)
	contracts(t, r)
	consents(t, r)
	relations(t, r)
	interactions(t, r)
	return t.Flush()
}

// partyName is what people call the customer; one without names has none.
func partyName(c *crmv1.Customer) string {
	if o := c.GetOrganisation(); o != nil {
		return o.GetLegalName()
	}
	name := strings.TrimSpace(c.GetIndividual().GetGivenName() + " " + c.GetIndividual().GetFamilyName())
	return orNone(name)
}

func rfm(w io.Writer, r *crmv1.GetCustomer360Response) {
	insight := r.GetRfm()
	if insight == nil {
		_, _ = fmt.Fprintln(w, "RFM  none yet")
		return
	}
	cell := insight.GetCell()
	if segment := insight.GetSegment(); segment != "" {
		cell += " " + segment
	}
	_, _ = fmt.Fprintf(w, "RFM  cell %s as of %s: last %d days before, %d transactions, %s  (%s)\n",
		cell, Date(insight.GetAsOf()), insight.GetRecencyDays(), insight.GetFrequency(),
		Money(insight.GetMonetary()), age(r, "rfm"))
}

func clv(w io.Writer, r *crmv1.GetCustomer360Response) {
	insight := r.GetClv()
	if insight == nil {
		_, _ = fmt.Fprintln(w, "CLV  none yet")
		return
	}
	_, _ = fmt.Fprintf(w, "CLV  place %s of %s as of %s: historic %s", Count(insight.GetRank()), Count(insight.GetCustomers()),
		Date(insight.GetAsOf()), Money(insight.GetHistoric()))
	if insight.GetPredictive() != nil {
		_, _ = fmt.Fprintf(w, ", next %d days %s", insight.GetHorizonDays(), Money(insight.GetPredictive()))
	}
	if insight.GetTrend() != nil {
		_, _ = fmt.Fprintf(w, ", trend %s", Money(insight.GetTrend()))
	}
	if insight.PAlive != nil {
		_, _ = fmt.Fprintf(w, ", there with %.1f %%", 100*insight.GetPAlive())
	}
	_, _ = fmt.Fprintf(w, "  (%s)\n", age(r, "clv"))
}

func accounts(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Accounts", len(r.GetAccounts()), age(r, "accounts"))
	for _, held := range r.GetAccounts() {
		a := held.GetAccount()
		line(w, fmt.Sprint(a.GetAccountId()), orNone(a.GetNumber()), Name(held.GetRole(), "HOLDER_ROLE_"),
			Name(a.GetState(), "ACCOUNT_STATE_"), "opened "+Date(a.GetOpened()), Money(a.GetLedgerBalance()), "on "+Date(a.GetBalanceDate()),
			"available "+Money(a.GetAvailableBalance()))
	}
}

func cards(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Cards", len(r.GetCards()), age(r, "cards"))
	for _, c := range r.GetCards() {
		number := none
		if c.GetLast4() != "" {
			number = "…" + c.GetLast4()
		}
		line(w, fmt.Sprint(c.GetCardId()), number, orNone(c.GetScheme()), Name(c.GetState(), "CARD_STATE_"), "issued "+Date(c.GetIssued()),
			"until "+Date(c.GetExpiry()), fmt.Sprintf("account %d", c.GetAccountId()))
	}
}

func contracts(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Contracts", len(r.GetContracts()), age(r, "contracts"))
	for _, c := range r.GetContracts() {
		line(w, fmt.Sprint(c.GetContractId()), Name(c.GetKind(), "CONTRACT_KIND_"), Name(c.GetState(), "CONTRACT_STATE_"),
			orNone(c.GetNumber()), Money(c.GetAmount()), orNone(c.GetPurpose()), "opened "+Date(c.GetOpened()), arrears(c))
	}
}

// arrears says how late a contract is paid.
func arrears(c *crmv1.Contract) string {
	if c.GetDaysPastDue() == 0 {
		return none
	}
	return fmt.Sprintf("%d days past due, %s overdue", c.GetDaysPastDue(), Money(c.GetOverdueAmount()))
}

// consents shows what the customer allows now; a channel taken out of a grant for any channel stands behind it.
func consents(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Consents", len(r.GetConsents()), age(r, "consents"))
	for _, standing := range r.GetConsents() {
		c := standing.GetConsent()
		line(w, fmt.Sprint(c.GetConsentId()), strings.ReplaceAll(c.GetPurpose(), "_", " "), consentChannels(standing),
			"since "+Time(c.GetGrantedTime()), "until "+Time(c.GetExpiresTime()), "text "+orNone(c.GetTextVersion()))
	}
}

func consentChannels(standing *crmv1.StandingConsent) string {
	name := func(channel crmv1.ConsentChannel) string { return Name(channel, "CONSENT_CHANNEL_") }
	channel := standing.GetConsent().GetChannel()
	if channel != crmv1.ConsentChannel_CONSENT_CHANNEL_ANY {
		return name(channel)
	}
	var except []string
	for _, c := range standing.GetExceptChannels() {
		except = append(except, name(c))
	}
	if len(except) == 0 {
		return "any channel"
	}
	return "any channel except " + strings.Join(except, ", ")
}

func relations(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Relations", len(r.GetRelations()), age(r, "relations"))
	for _, c := range r.GetRelations() {
		number := none
		if id := c.GetParty().GetCustomerId(); id != 0 {
			number = fmt.Sprint(id)
		}
		for _, seen := range c.GetRelations() {
			line(w, number, orNone(c.GetParty().GetName()), seen.GetName(), relationFacts(c.GetParty(), seen.GetRelation()))
		}
	}
}

// relationFacts is what there is to say of a relation beside its parties.
func relationFacts(party *crmv1.RelatedParty, relation *crmv1.Relation) string {
	var parts []string
	add := func(name, value string) {
		if value != "" && value != none {
			parts = append(parts, name+value)
		}
	}
	add("born ", Date(party.GetBirthDate()))
	add("share ", relation.GetShare())
	add("", relation.GetPosition())
	add("", Name(relation.GetDecisionPower(), "DECISION_POWER_"))
	add("since ", Date(relation.GetValidFrom()))
	add("until ", Date(relation.GetValidTo()))
	return orNone(strings.Join(parts, ", "))
}

func interactions(w io.Writer, r *crmv1.GetCustomer360Response) {
	heading(w, "Last interactions", len(r.GetInteractions()), age(r, "interactions"))
	for _, i := range r.GetInteractions() {
		what := i.GetSubject()
		if what == "" {
			what = i.GetTopic()
		}
		line(w, Time(i.GetOpenedTime()), Name(i.GetKind(), "INTERACTION_KIND_"), Name(i.GetChannel(), "CHANNEL_"), orNone(what), orNone(i.GetOutcome()))
	}
	if n := r.GetOpenComplaints(); n > 0 {
		_, _ = fmt.Fprintf(w, "Open complaints: %d\n", n)
	}
}

func heading(w io.Writer, name string, count int, age string) {
	if count == 0 {
		_, _ = fmt.Fprintf(w, "%s: none\n", name)
		return
	}
	_, _ = fmt.Fprintf(w, "%s: %d  (%s)\n", name, count, age)
}

func line(w io.Writer, cells ...string) { _, _ = fmt.Fprintf(w, "  %s\n", strings.Join(cells, "\t")) }

func age(r *crmv1.GetCustomer360Response, part string) string {
	known := r.GetAges()[part]
	if known.GetNewestChangeTime() == nil {
		return "age unknown"
	}
	return Age(known.GetAgeSeconds())
}
