package audit

import (
	"slices"
	"testing"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

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
	s.message(&crmv1.Customer{CustomerId: 5, Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{EmployerId: 6}}})
	if s.main != 5 || !slices.Equal(s.others(), []int64{6}) {
		t.Errorf("main %d, others %v", s.main, s.others())
	}
	s = shown{}
	s.message(&crmv1.ListAuditEntriesResponse{Entries: []*crmv1.AuditEntry{{CustomerId: 5, CustomerIds: []int64{6}}, {CustomerId: 5}}})
	if s.main != 0 || !slices.Equal(s.others(), []int64{5}) {
		t.Errorf("main %d, others %v", s.main, s.others())
	}
}
