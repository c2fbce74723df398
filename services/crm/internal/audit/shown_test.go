package audit

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// services are those of the API.
func services() (found []protoreflect.ServiceDescriptor) {
	protoregistry.GlobalFiles.RangeFilesByPackage(crmv1.File_tandem_crm_v1_audit_proto.Package(), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			found = append(found, file.Services().Get(i))
		}
		return true
	})
	return found
}

// Whatever reads something of customers is on record: a method's answer names them, or their accounts, or its request does.
// A method that answers without is one of those that have nothing of customers. A new one that has, and does not say of
// whom, fails here: its answer then needs a customer_id.
func TestEveryReadIsOnRecord(t *testing.T) {
	t.Parallel()
	// Records that are nobody's.
	nobodys := []string{
		"Branch", "Region", "Manager", "Product", "AuditHead", "AuditBlocks", "VerifyAudit", "AwaitPublished", "RelayStatus", "ServiceLevel",
		"AttributeDefinition", "DefineAttribute", "Permission", "Access", "CustomAttribute", "Categor",
	}
	// Changes answer by the ids of what they wrote; the entry of the change tells the rest.
	changes := []string{"BatchUpsert", "Batch", "Stream", "Record", "Delete", "Define", "Retire"}
	methods := 0
	for _, service := range services() {
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			methods++
			asked := method.Input().Fields().ByName(customerField)
			if !planOf(method.Output()).empty() || asked != nil {
				continue
			}
			name := string(method.Name())
			if !slices.ContainsFunc(nobodys, func(n string) bool { return strings.Contains(name, n) }) &&
				!slices.ContainsFunc(changes, func(n string) bool { return strings.HasPrefix(name, n) }) {
				t.Errorf("%s: nothing in its answer says whom it shows", method.FullName())
			}
		}
	}
	if methods < 50 {
		t.Errorf("only %d methods were looked at", methods)
	}
}

func TestEntityOf(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		crmv1.CustomerService_GetCustomer_FullMethodName:         "customer",
		crmv1.Customer360Service_GetCustomer360_FullMethodName:   "customer",
		crmv1.SearchService_SearchCustomers_FullMethodName:       "customer",
		crmv1.AuditService_ListAuditEntries_FullMethodName:       "audit_entry",
		crmv1.ChangeStreamService_AwaitPublished_FullMethodName:  "change_stream",
		crmv1.TransactionService_ListTransactions_FullMethodName: "transaction",
		crmv1.RelationService_ExploreRelations_FullMethodName:    "relation",
	} {
		if got := entityOf(method); got != want {
			t.Errorf("%s shows %q, want %q", method, got, want)
		}
	}
}

// A message tells whom it is about, whom else it shows, and accounts only where it does not name the customer.
func TestShown(t *testing.T) {
	t.Parallel()
	var s shown
	s.message(&crmv1.GetCustomer360Response{
		Customer:  &crmv1.Customer{CustomerId: 7},
		Cards:     []*crmv1.Card{{CustomerId: 7, AccountId: 70}},
		Contracts: []*crmv1.Contract{{AccountId: 71}},
		Relations: []*crmv1.Connection{{Relations: []*crmv1.SeenRelation{{Relation: &crmv1.Relation{CustomerId: 8, OtherCustomerId: 7}}}}},
	})
	if s.main != 7 || !slices.Equal(s.others(), []int64{8}) || !slices.Equal(s.accounts, []int64{71}) {
		t.Errorf("main %d, others %v, accounts %v", s.main, s.others(), s.accounts)
	}
	s = shown{}
	s.message(&crmv1.ListAuditEntriesResponse{Entries: []*crmv1.AuditEntry{{CustomerId: 5, CustomerIds: []int64{6}}, {CustomerId: 5}}})
	if s.main != 0 || !slices.Equal(s.others(), []int64{5}) {
		t.Errorf("main %d, others %v", s.main, s.others())
	}
}
