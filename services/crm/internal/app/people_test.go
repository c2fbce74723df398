package app

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// people are two branches: head leads lead, and lead leads jana, who works at the other branch, as petr does. Jana has a
// customer at the far branch with an account, petr one at the near branch.
type people struct {
	*api
	near, far              int64
	head, lead, jana, petr int64
	janas, petrs           int64
	account                int64
}

func newPeople(t *testing.T, policyFile string) *people {
	t.Helper()
	p := &people{api: serveAPI(t, policyFile)}
	ctx := p.as(t, "founder", auth.RoleAdministrator)
	branches, err := crmv1.NewBranchServiceClient(p.conn).BatchUpsertBranches(ctx, &crmv1.BatchUpsertBranchesRequest{
		Branches: []*crmv1.Branch{{Key: key("near"), Name: "Near"}, {Key: key("far"), Name: "Far"}},
	})
	taken(t, err, branches.GetResults(), &p.near, &p.far)
	p.head = p.manager(t, &crmv1.Manager{Key: key("head"), Name: "Head", Login: "head", BranchId: p.near})
	p.lead = p.manager(t, &crmv1.Manager{Key: key("lead"), Name: "Lead", Login: "lead", BranchId: p.near, SupervisorId: p.head})
	p.jana = p.manager(t, &crmv1.Manager{Key: key("jana"), Name: "Jana", Login: "jana", BranchId: p.far, SupervisorId: p.lead})
	p.petr = p.manager(t, &crmv1.Manager{Key: key("petr"), Name: "Petr", Login: "petr", BranchId: p.far})
	person := func(name string, branch, manager int64) *crmv1.Customer {
		party := &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva"}}
		return &crmv1.Customer{Key: key(name), BranchId: branch, ManagerId: manager, Party: party}
	}
	customers, err := crmv1.NewCustomerServiceClient(p.conn).BatchUpsertCustomers(ctx, &crmv1.BatchUpsertCustomersRequest{
		Customers: []*crmv1.Customer{person("janas", p.far, p.jana), person("petrs", p.near, p.petr)},
	})
	taken(t, err, customers.GetResults(), &p.janas, &p.petrs)
	accounts := crmv1.NewAccountServiceClient(p.conn)
	opened, err := accounts.BatchUpsertAccounts(ctx, &crmv1.BatchUpsertAccountsRequest{
		Accounts: []*crmv1.Account{{Key: key("account"), Currency: "CZK"}},
	})
	taken(t, err, opened.GetResults(), &p.account)
	held, err := accounts.BatchUpsertAccountHolders(ctx, &crmv1.BatchUpsertAccountHoldersRequest{AccountHolders: []*crmv1.AccountHolder{
		{Key: key("holder"), AccountId: p.account, CustomerId: p.janas, Role: crmv1.HolderRole_HOLDER_ROLE_OWNER},
	}})
	taken(t, err, held.GetResults(), new(int64))
	return p
}

// manage sends managers and returns what became of each.
func (p *people) manage(t *testing.T, managers ...*crmv1.Manager) []*crmv1.UpsertResult {
	t.Helper()
	answer, err := crmv1.NewBranchServiceClient(p.conn).BatchUpsertManagers(p.as(t, "founder", auth.RoleAdministrator),
		&crmv1.BatchUpsertManagersRequest{Managers: managers})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetResults()
}

func (p *people) manager(t *testing.T, m *crmv1.Manager) (id int64) {
	t.Helper()
	taken(t, nil, p.manage(t, proto.CloneOf(m)), &id)
	return id
}

// taken takes the ids of rows that must have been taken.
func taken(t *testing.T, err error, results []*crmv1.UpsertResult, ids ...*int64) {
	t.Helper()
	if err != nil || len(results) != len(ids) {
		t.Fatalf("%d results for %d rows, %v", len(results), len(ids), err)
	}
	for i, result := range results {
		if result.GetError() != nil {
			t.Fatalf("row %d: %v", i, result.GetError())
		}
		*ids[i] = result.GetId()
	}
}

func key(name string) *crmv1.ExternalKey { return &crmv1.ExternalKey{Source: "test", ExternalId: name} }

// TestNobodyStandsAboveThemselves closes circles of one, three and, within one batch, two managers.
func TestNobodyStandsAboveThemselves(t *testing.T) {
	t.Parallel()
	p := newPeople(t, "")
	named := func(name string, supervisor int64) *crmv1.Manager {
		return &crmv1.Manager{Key: key(name), Name: name, Login: name, SupervisorId: supervisor}
	}
	refused := func(what string, result *crmv1.UpsertResult) {
		t.Helper()
		if !strings.Contains(result.GetError().GetMessage(), "supervisor_id") {
			t.Errorf("%s: %v, want supervisor_id refused", what, result)
		}
	}
	refused("a circle of one", p.manage(t, named("petr", p.petr))[0])
	refused("a circle of three", p.manage(t, named("head", p.jana))[0])
	two := p.manage(t, named("petr", p.head), named("head", p.petr))
	if two[0].GetError() != nil {
		t.Errorf("the first of two: %v", two[0])
	}
	refused("a circle within a batch", two[1])
}
