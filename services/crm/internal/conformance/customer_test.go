package conformance

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/type/latlng"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const (
	prospect = crmv1.CustomerState_CUSTOMER_STATE_PROSPECT
	active   = crmv1.CustomerState_CUSTOMER_STATE_ACTIVE
	former   = crmv1.CustomerState_CUSTOMER_STATE_FORMER

	contactPhone = crmv1.ContactPointKind_CONTACT_POINT_KIND_PHONE
	contactEmail = crmv1.ContactPointKind_CONTACT_POINT_KIND_EMAIL
)

func individual(i *crmv1.Individual) *crmv1.Customer_Individual {
	return &crmv1.Customer_Individual{Individual: i}
}

// office is the customers' service in front of a bank.
type office struct {
	*bank
	crmv1.CustomerServiceClient
}

func newOffice(t *testing.T) *office {
	t.Helper()
	b := newBank(t)
	return &office{b, crmv1.NewCustomerServiceClient(b.conn)}
}

func (o *office) add(t *testing.T, c *crmv1.Customer) *crmv1.Customer {
	t.Helper()
	added, err := o.CreateCustomer(t.Context(), &crmv1.CreateCustomerRequest{Customer: c})
	if err != nil {
		t.Fatal(err)
	}
	return added.GetCustomer()
}

// edit changes the fields of a mask.
func (o *office) edit(t *testing.T, c *crmv1.Customer, mask ...string) (*crmv1.Customer, error) {
	t.Helper()
	edited, err := o.update(t.Context(), customers, c, "", mask...)
	if err != nil {
		return nil, err
	}
	return edited.(*crmv1.Customer), nil
}

func (o *office) history(t *testing.T, id int64) []string {
	t.Helper()
	var lines []string
	token := ""
	for {
		page, err := o.ListCustomerStateChanges(t.Context(), &crmv1.ListCustomerStateChangesRequest{CustomerId: id, PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetChanges() {
			lines = append(lines, fmt.Sprintf("%d>%d %s %d %d", c.GetFromState(), c.GetToState(), c.GetTransition(), c.GetReason(), c.GetEffectiveDate().GetDay()))
		}
		if token = page.GetNextPageToken(); token == "" {
			return lines
		}
	}
}

func TestCustomerStates(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lead := o.add(t, &crmv1.Customer{
		Party: individual(&crmv1.Individual{}), State: prospect, StateSince: day(2026, 1, 1),
		StateReason: crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_CAMPAIGN,
	})
	change := func(state crmv1.CustomerState, reason crmv1.CustomerStateReason, on int32) error {
		_, err := o.ChangeCustomerState(t.Context(), &crmv1.ChangeCustomerStateRequest{
			CustomerId: lead.GetCustomerId(), State: state, Reason: reason, EffectiveDate: day(2026, 1, on),
		})
		return err
	}
	if err := change(active, crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_CONTRACT_SIGNED, 2); err != nil {
		t.Fatal(err)
	}
	err := change(prospect, crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_CORRECTION, 3)
	refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "customer.state"}.check(t, err)
	if err == nil || !strings.Contains(err.Error(), "allowed: former (end)") {
		t.Errorf("the refusal does not name the steps: %v", err)
	}
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "customer.state_since"}.check(t,
		change(former, crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_OTHER_BANK, 1))
	refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "note"}.check(t,
		change(former, crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_OTHER, 5))

	// An update that names only the state takes the old reason away; one that does not name it leaves it.
	ended, err := o.edit(t, &crmv1.Customer{CustomerId: lead.GetCustomerId(), State: former}, "state")
	if err != nil {
		t.Fatal(err)
	}
	if ended.GetStateReason() != 0 || ended.GetStateSince() == nil {
		t.Errorf("after an update of the state: %v since %v", ended.GetStateReason(), ended.GetStateSince())
	}
	lines := o.history(t, lead.GetCustomerId())
	want := []string{fmt.Sprintf("2>3 end 0 %d", ended.GetStateSince().GetDay()), "1>2 activate 4 2", "0>1  1 1"}
	if strings.Join(lines, "; ") != strings.Join(want, "; ") {
		t.Errorf("history is %q, want %q", lines, want)
	}
	told, err := o.ListCustomerStateChanges(t.Context(), &crmv1.ListCustomerStateChangesRequest{
		CustomerId: lead.GetCustomerId(), Filter: "reason = contract_signed", OrderBy: "effective_date", Count: crmv1.CountMode_COUNT_MODE_EXACT,
	})
	if err != nil || len(told.GetChanges()) != 1 || told.GetChanges()[0].GetToState() != active || told.GetCount().GetValue() != 1 {
		t.Errorf("the change with that reason: %v, %v", told, err)
	}
}

// A file that knows no states leaves them alone; one that takes a wrong step is refused, row by row.
func TestCustomerStatesByBatch(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	row := func(n int, state crmv1.CustomerState, name string) proto.Message {
		return &crmv1.Customer{Key: key("file", n), State: state, Party: individual(&crmv1.Individual{GivenName: name})}
	}
	ids := o.upsert(t, customers, row(1, former, "A"), row(2, active, "B"))
	o.upsert(t, customers, row(1, 0, "A2"), row(2, former, "B"))
	if got := o.history(t, ids[0]); len(got) != 0 {
		t.Errorf("an import without states leaves %q", got)
	}
	if got := o.history(t, ids[1]); len(got) != 1 || !strings.HasPrefix(got[0], "2>3 end") {
		t.Errorf("an import leaves %q", got)
	}
	o.upsert(t, customers, row(1, active, "A2"))
	results, err := o.batch(t.Context(), customers, []proto.Message{row(1, prospect, "A"), row(2, active, "B")}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "state"}.checkRow(t, results[0])
	if results[1].GetError() != nil {
		t.Errorf("the row beside it: %v", results[1].GetError())
	}
}

func phone(value string, first bool) *crmv1.ContactPoint {
	return &crmv1.ContactPoint{Kind: contactPhone, Value: value, Primary: first}
}

func TestContactPointsAgree(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	show := func(c *crmv1.Customer) string {
		out := c.GetPhone() + ":"
		for _, p := range c.GetContactPoints() {
			out += " " + p.GetValue()
			if p.GetPrimary() {
				out += "*"
			}
		}
		return out
	}
	check := func(c *crmv1.Customer, err error, want string) {
		t.Helper()
		if err != nil || show(c) != want {
			t.Errorf("got %q, %v; want %q", show(c), err, want)
		}
	}
	c := o.add(t, &crmv1.Customer{
		Party: individual(&crmv1.Individual{}), ContactPoints: []*crmv1.ContactPoint{phone("601 000 001", false), phone("00420 601 000 002", true)},
	})
	check(c, nil, "+420601000002: +420601000001 +420601000002*")
	id := c.GetCustomerId()
	c, err := o.edit(t, &crmv1.Customer{CustomerId: id, Phone: "+420601000001"}, "phone")
	check(c, err, "+420601000001: +420601000001* +420601000002")
	c, err = o.edit(t, &crmv1.Customer{CustomerId: id, Phone: "+420601000003"}, "phone")
	check(c, err, "+420601000003: +420601000003* +420601000001 +420601000002")
	c, err = o.edit(t, &crmv1.Customer{CustomerId: id, ContactPoints: []*crmv1.ContactPoint{phone("+380441234567", false)}}, "contact_points")
	check(c, err, "+380441234567: +380441234567*")
	_, err = o.edit(t, &crmv1.Customer{CustomerId: id}, "contact_points.value")
	refused("update_mask").check(t, err)
	c, err = o.edit(t, &crmv1.Customer{CustomerId: id}, "contact_points")
	check(c, err, ":")
	c, err = o.edit(t, &crmv1.Customer{CustomerId: id, Phone: "+420601000009"}, "phone")
	check(c, err, "+420601000009:")
	c, err = o.edit(t, &crmv1.Customer{CustomerId: id, ContactPoints: []*crmv1.ContactPoint{phone("+420601000008", false)}}, "contact_points")
	check(c, err, "+420601000009: +420601000009* +420601000008")

	_, err = o.edit(t, &crmv1.Customer{CustomerId: id, ContactPoints: []*crmv1.ContactPoint{
		phone("12", false),
		{Kind: contactEmail, Value: "nobody"},
		{Kind: contactPhone, Address: &crmv1.PostalAddress{City: "Brno"}},
		phone("+420601000001", true), phone("+420601000002", true),
	}}, "contact_points")
	for _, field := range []string{"[0].value", "[1].value", "[2].address", "[4].primary"} {
		refusal{codes.InvalidArgument, apperr.ReasonInvalidField, "customer.contact_points" + field}.check(t, err)
	}
}

// identified are filters that find one customer by an identifier.
var identified = []string{
	`tax_ids.number = "7360285163"`, `phones.number = "+420601000001"`, `emails.address = "Eva@Example.COM"`,
	`phones.number = "+420601000002"`, `emails.address = "second@example.com"`, `identity_documents.number = "ab123456"`,
}

func TestFindByIdentifier(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add(t, &crmv1.Customer{
		Phone: "+420601000001", Email: "eva@example.com", Party: individual(person()),
		ContactPoints: []*crmv1.ContactPoint{
			phone("+420601000002", false),
			{Kind: contactEmail, Value: "Second@example.com"},
			{Kind: crmv1.ContactPointKind_CONTACT_POINT_KIND_ADDRESS, Address: &crmv1.PostalAddress{
				Country: "CZ", City: "Brno", Location: &latlng.LatLng{Latitude: 49.2, Longitude: 16.6},
			}},
		},
	}).GetCustomerId()
	more := append([]string{
		`individual.citizenships:"SK"`, `individual.interests:"travel"`, `NOT other_banks:"Other Bank" AND phone = "+420601000001"`,
		`NOT individual.citizenships:"DE" AND individual.dependants = 2`,
		`tax_ids:(country = "CZ" AND number = "7360285163")`, `tax_ids:* AND NOT tax_ids.country = "SK"`,
		`identity_documents:(type = passport AND issuing_country = "CZ" AND expires > "2026-01-01")`,
		`addresses.city = "Brno"`, `addresses:(country = "CZ" AND between(latitude, 49, 50))`, `addresses:* AND NOT addresses.city = "Praha"`,
	}, identified...)
	for _, filter := range more {
		found, _, err := o.list(t.Context(), customers, 10, "", filter)
		if err != nil || len(found) != 1 || customers.id(found[0]) != id {
			t.Errorf("%s finds %d, %v", filter, len(found), err)
		}
	}
	without := person()
	without.TaxId = nil
	if _, err := o.edit(t, &crmv1.Customer{CustomerId: id, Party: individual(without)}, "individual"); err != nil {
		t.Fatal(err)
	}
	if found, _, err := o.list(t.Context(), customers, 10, "", identified[0]); err != nil || len(found) != 0 {
		t.Errorf("the tax id is gone, but finds %d, %v", len(found), err)
	}
}

func TestEmployer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	firm := o.upsert(t, customers, &crmv1.Customer{
		Key: key("firm", 1), Party: &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{
			LegalName: "Новий Дім", TradeNames: []string{"Dim"}, LegalForm: "ТОВ", TaxIds: []*crmv1.TaxId{{Country: "UA", Number: "14360570"}},
		}},
	}, &crmv1.Customer{Key: key("firm", 2), Party: &crmv1.Customer_Organisation{Organisation: &crmv1.Organisation{LegalName: "Dům"}}})
	worker := o.add(t, &crmv1.Customer{Party: individual(&crmv1.Individual{GivenName: "Юлія", EmployerKey: key("firm", 1)})})
	if got := worker.GetIndividual(); got.GetEmployerId() != firm[0] || got.GetGivenNameLatin() != "Yuliia" {
		t.Errorf("stored as %v", got)
	}
	moved, err := o.edit(t, &crmv1.Customer{
		CustomerId: worker.GetCustomerId(), Party: individual(&crmv1.Individual{EmployerKey: key("firm", 2)}),
	}, "individual.employer_key")
	if err != nil || moved.GetIndividual().GetEmployerId() != firm[1] {
		t.Errorf("employer is %d, %v", moved.GetIndividual().GetEmployerId(), err)
	}
	_, err = o.edit(t, &crmv1.Customer{
		CustomerId: worker.GetCustomerId(), Party: individual(&crmv1.Individual{EmployerKey: key("firm", 3)}),
	}, "individual.employer_key")
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "customer.individual.employer_key"}.check(t, err)
}
