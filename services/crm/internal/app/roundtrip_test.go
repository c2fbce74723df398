package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
)

// writersPolicy is a policy whose marketers keep customers whom they see in part: names, birth dates and contact points they
// may write too, income they see and may not write.
func writersPolicy(t *testing.T) string {
	t.Helper()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	before, marketer, found := strings.Cut(policy.Text, "\n  marketer:\n")
	marketer = strings.Replace(marketer, "contacts.write,", "contacts.write, customers.write, import,", 1)
	marketer = strings.Replace(marketer, "    write: [free_text]\n", "    write: [free_text, names, birth, contact]\n", 1)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(before+"\n  marketer:\n"+marketer), 0o600); err != nil || !found {
		t.Fatal(err)
	}
	return file
}

// refusedFields are the fields that a refusal names; nil when the call was not refused for its fields.
func refusedFields(err error) (fields []string) {
	if status.Code(err) != codes.PermissionDenied {
		return nil
	}
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// TestWhatIsShownInPartIsNotWrittenBack reads a customer as somebody who sees a part, and sends the answer back.
func TestWhatIsShownInPartIsNotWrittenBack(t *testing.T) {
	t.Parallel()
	p := newPeople(t, writersPolicy(t))
	customers, root, marketer := crmv1.NewCustomerServiceClient(p.conn), p.as(t, "root", auth.RoleAdministrator), p.as(t, "mia", auth.RoleMarketer)
	created, err := customers.CreateCustomer(root, &crmv1.CreateCustomerRequest{Customer: &crmv1.Customer{
		Phone: "+420601123456", Email: "eva@example.org", Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{
			GivenName: "Eva", FamilyName: "Malá", BirthDate: &datepb.Date{Year: 1980, Month: 2, Day: 29}, Occupation: "nurse",
			MonthlyIncome: &moneypb.Money{CurrencyCode: "CZK", Units: 40000}, TaxId: &crmv1.TaxId{Country: "CZ", Number: "7360285163"},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	whole := created.GetCustomer()
	seen, err := customers.GetCustomer(marketer, &crmv1.GetCustomerRequest{CustomerId: whole.GetCustomerId()})
	if err != nil || seen.GetCustomer().GetPhone() == whole.GetPhone() {
		t.Fatal(seen, err)
	}
	back := func(mask ...string) *crmv1.UpdateCustomerRequest {
		c := proto.CloneOf(seen.GetCustomer())
		c.Etag = ""
		c.GetIndividual().Occupation = "doctor"
		return &crmv1.UpdateCustomerRequest{Customer: c, UpdateMask: &fieldmaskpb.FieldMask{Paths: mask}}
	}
	const inPart = "customer.email customer.individual.birth_date customer.individual.family_name customer.individual.given_name"
	for _, c := range []struct {
		mask []string
		want string
	}{
		{nil, inPart + " customer.individual.monthly_income customer.phone"},
		{[]string{"*"}, inPart + " customer.individual.monthly_income customer.phone update_mask"},
		{[]string{"phone"}, "customer.phone"},
		{[]string{"individual.monthly_income"}, "customer.individual.monthly_income update_mask"},
		{[]string{"individual.tax_id"}, "update_mask"},
		{[]string{"individual"}, "customer.individual.birth_date customer.individual.family_name customer.individual.given_name customer.individual.monthly_income update_mask"},
		{[]string{"individual.occupation", "email"}, "customer.email"},
	} {
		_, err := customers.UpdateCustomer(marketer, back(c.mask...))
		if got := strings.Join(refusedFields(err), " "); got != c.want {
			t.Errorf("mask %v: refused %s, want %s (%v)", c.mask, got, c.want, err)
		}
	}
	if _, err := customers.UpdateCustomer(marketer, back("individual.occupation")); err != nil {
		t.Errorf("a mask that names what is shown in full: %v", err)
	}
	batch := &crmv1.BatchUpsertCustomersRequest{Customers: []*crmv1.Customer{{Key: key("janas"), Phone: "+420601000000"}}}
	if _, err := customers.BatchUpsertCustomers(marketer, batch); !slices.Equal(refusedFields(err), []string{"customers"}) {
		t.Errorf("records are replaced by somebody who may not write all of them: %v", err)
	}
	kept, err := customers.GetCustomer(root, &crmv1.GetCustomerRequest{CustomerId: whole.GetCustomerId()})
	whole.GetIndividual().Occupation = "doctor"
	for _, c := range []*crmv1.Customer{whole, kept.GetCustomer()} {
		c.Etag, c.UpdateTime = "", nil
	}
	if !proto.Equal(whole, kept.GetCustomer()) {
		t.Errorf("the customer became %v, %v; want %v", kept.GetCustomer(), err, whole)
	}
	// Somebody who may write may also write anew, of what they see a part.
	anew := &crmv1.UpdateCustomerRequest{Customer: &crmv1.Customer{CustomerId: whole.GetCustomerId(), Phone: "+420601654321"}}
	if _, err := customers.UpdateCustomer(marketer, anew); err != nil {
		t.Errorf("a new phone: %v", err)
	}
}

// TestHiddenTextIsNotWrittenBack sends back the mark that stands in place of a text, in the policy that is built in.
func TestHiddenTextIsNotWrittenBack(t *testing.T) {
	t.Parallel()
	p := newPeople(t, "")
	interactions, root := crmv1.NewInteractionServiceClient(p.conn), p.as(t, "root", auth.RoleAdministrator)
	created, err := interactions.CreateInteraction(root, &crmv1.CreateInteractionRequest{Interaction: &crmv1.Interaction{
		CustomerId: p.janas, Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL, OpenedTime: timestamppb.Now(), Subject: "Fees", Text: "They are too high.",
	}})
	if err != nil {
		t.Fatal(err)
	}
	id, marketer := created.GetInteraction().GetInteractionId(), p.as(t, "mia", auth.RoleMarketer)
	seen, err := interactions.GetInteraction(marketer, &crmv1.GetInteractionRequest{InteractionId: id})
	if err != nil {
		t.Fatal(err)
	}
	_, err = interactions.UpdateInteraction(marketer, &crmv1.UpdateInteractionRequest{Interaction: seen.GetInteraction()})
	if got := strings.Join(refusedFields(err), " "); got != "interaction.subject interaction.text" {
		t.Errorf("refused %s: %v", got, err)
	}
	kept, err := interactions.GetInteraction(root, &crmv1.GetInteractionRequest{InteractionId: id})
	if err != nil || kept.GetInteraction().GetText() != "They are too high." {
		t.Errorf("%v, %v", kept, err)
	}
}
