package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
)

// keepers are roles that may do everything, with the customers of each scope.
const keepers = `
roles:
  analyst: {title: Nobody's, rows: none, may: [all], show: [all], write: [all]}
  marketer: {title: One's own, rows: own, may: [all], show: [all], write: [all]}
  manager: {title: One's own and those of managers below, rows: tree, may: [all], show: [all], write: [all]}
  front_office: {title: The branch's, rows: branch, may: [all], show: [all], write: [all]}
  administrator: {title: Everybody's, rows: all, may: [all], show: [all], write: [all]}
`

// keeperOf names them by their scope.
var keeperOf = map[string]string{
	"none": auth.RoleAnalyst, "own": auth.RoleMarketer, "tree": auth.RoleManager, "branch": auth.RoleFrontOffice, "all": auth.RoleAdministrator,
}

// world is what a bank holds, as the model of who sees what needs to know it.
type world struct {
	*bank
	chance       *rand.Rand
	branches     []int64
	managers     []place
	customers    []place
	accounts     []place
	holdings     []belonging
	cards        []belonging
	contracts    []belonging
	parties      []party
	interactions []belonging
	consents     []belonging
	relations    []belonging
	transactions []belonging
	events       []belonging
}

// place is a manager, a customer or an account with its branch, and the manager above or beside it; 0 is none.
type place struct{ id, branch, manager int64 }

// belonging is a record with its customers, or with its account. over says that it has ended.
type belonging struct {
	id, account int64
	customers   []int64
	over        bool
}

// party takes part in a contract; principal says that the contract is theirs.
type party struct {
	contract, customer int64
	principal, over    bool
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	rules, _, _ := strings.Cut(policy.Text, "\nroles:\n")
	b := newBankHeldTo(t, rules+keepers)
	w := &world{bank: b, chance: rand.New(rand.NewPCG(seed, 1))}
	w.people(t)
	w.holds(t)
	w.contacts(t)
	return w
}

const worldSource = "world"

// some returns one of the numbers, or 0 once in a while.
func (w *world) some(ids []int64) int64 {
	if w.chance.IntN(6) == 0 {
		return 0
	}
	return ids[w.chance.IntN(len(ids))]
}

// customer returns any customer's number.
func (w *world) customer() int64 { return w.customers[w.chance.IntN(len(w.customers))].id }

func (w *world) account() int64 { return w.accounts[w.chance.IntN(len(w.accounts))].id }

// many writes n records of a kind and returns their numbers.
func (w *world) many(t *testing.T, k kind, n int, one func(i int) proto.Message) []int64 {
	t.Helper()
	records := make([]proto.Message, n)
	for i := range records {
		records[i] = one(i)
		set(records[i].ProtoReflect(), "key", key(worldSource, i))
	}
	return w.upsert(t, k, records...)
}

func (w *world) people(t *testing.T) {
	t.Helper()
	w.branches = w.many(t, branches, 3, func(i int) proto.Message { return &crmv1.Branch{Name: fmt.Sprint("B", i)} })
	var managerIDs []int64
	for i := range 7 {
		m := place{branch: w.some(w.branches)}
		if len(managerIDs) > 0 {
			m.manager = w.some(managerIDs)
		}
		m.id = w.upsert(t, managers, &crmv1.Manager{
			Key: key(worldSource, i), Name: "M", BranchId: m.branch, SupervisorId: m.manager, Login: login(i),
		})[0]
		managerIDs, w.managers = append(managerIDs, m.id), append(w.managers, m)
	}
	where := make([]place, 16)
	ids := w.many(t, customers, len(where), func(i int) proto.Message {
		where[i] = place{branch: w.some(w.branches), manager: w.some(managerIDs)}
		return &crmv1.Customer{
			BranchId: where[i].branch, ManagerId: where[i].manager, State: crmv1.CustomerState_CUSTOMER_STATE_ACTIVE,
			Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Quido", FamilyName: fmt.Sprint("N", i), BirthDate: day(1980, 1, 1)}},
		}
	})
	for i, id := range ids {
		where[i].id = id
	}
	w.customers = where
}

func login(manager int) string { return fmt.Sprint("login", manager) }

func (w *world) holds(t *testing.T) {
	t.Helper()
	w.accounts = make([]place, 14)
	for i, id := range w.many(t, accounts, len(w.accounts), func(i int) proto.Message {
		w.accounts[i].branch = w.some(w.branches)
		return &crmv1.Account{Number: "1", Currency: "CZK", BranchId: w.accounts[i].branch}
	}) {
		w.accounts[i].id = id
	}
	w.holdings = make([]belonging, 20)
	owned := map[int64]bool{}
	ids := w.many(t, holders, len(w.holdings), func(i int) proto.Message {
		account := w.accounts[w.chance.IntN(len(w.accounts)-3)].id // some accounts are held by nobody
		h := &crmv1.AccountHolder{AccountId: account, CustomerId: w.customer(), Role: crmv1.HolderRole_HOLDER_ROLE_CO_OWNER, ValidFrom: day(2020, 1, int32(1+i))}
		if !owned[account] {
			owned[account], h.Role = true, crmv1.HolderRole_HOLDER_ROLE_OWNER
		}
		w.holdings[i] = belonging{account: account, customers: []int64{h.GetCustomerId()}, over: w.chance.IntN(4) == 0}
		if w.holdings[i].over {
			h.ValidTo = day(2021, 1, 1)
		}
		return h
	})
	for i, id := range ids {
		w.holdings[i].id = id
	}
	w.cards = w.belongings(t, cards, 10, func(b *belonging) proto.Message {
		n := w.chance.IntN(len(w.holdings))
		h := w.holdings[n]
		b.account, b.customers = h.account, h.customers
		return &crmv1.Card{AccountHolderKey: key(worldSource, n), State: crmv1.CardState_CARD_STATE_ACTIVE}
	})
	w.contracts = w.belongings(t, contracts, 8, func(b *belonging) proto.Message {
		b.account = w.account()
		return &crmv1.Contract{Kind: crmv1.ContractKind_CONTRACT_KIND_LOAN, AccountId: b.account, Amount: crowns(1)}
	})
	w.takePart(t)
	w.transactions = make([]belonging, 25)
	var req crmv1.BatchUpsertTransactionsRequest
	for i := range w.transactions {
		w.transactions[i].account = w.account()
		req.Transactions = append(req.Transactions, &crmv1.Transaction{
			Key: key(worldSource, i), AccountId: w.transactions[i].account, BusinessDate: day(2026, 3, 14),
			Direction: crmv1.Direction_DIRECTION_CREDIT, Amount: crowns(5),
		})
	}
	answer, err := crmv1.NewTransactionServiceClient(w.conn).BatchUpsertTransactions(t.Context(), &req)
	if err != nil {
		t.Fatal(err)
	}
	number(t, w.transactions, answer.GetResults())
}

// takePart makes customers parties to contracts.
func (w *world) takePart(t *testing.T) {
	t.Helper()
	w.parties = make([]party, 12)
	w.many(t, contractParties, len(w.parties), func(i int) proto.Message {
		p := party{contract: w.contracts[w.chance.IntN(len(w.contracts))].id, customer: w.customer(), principal: w.chance.IntN(2) == 0, over: w.chance.IntN(4) == 0}
		w.parties[i] = p
		out := &crmv1.ContractParty{ContractId: p.contract, CustomerId: p.customer, Role: crmv1.PartyRole_PARTY_ROLE_GUARANTOR, ValidFrom: day(2020, 1, 1)}
		if p.principal {
			out.Role = crmv1.PartyRole_PARTY_ROLE_CO_BORROWER
		}
		if p.over {
			out.ValidTo = day(2021, 1, 1)
		}
		return out
	})
}

// number gives records the ids that they were written under.
func number(t *testing.T, records []belonging, results []*crmv1.UpsertResult) {
	t.Helper()
	for i, r := range results {
		if r.GetError() != nil {
			t.Fatal(r)
		}
		records[i].id = r.GetId()
	}
}

func (w *world) belongings(t *testing.T, k kind, n int, one func(*belonging) proto.Message) []belonging {
	t.Helper()
	out := make([]belonging, n)
	for i, id := range w.many(t, k, n, func(i int) proto.Message { return one(&out[i]) }) {
		out[i].id = id
	}
	return out
}

func (w *world) contacts(t *testing.T) {
	t.Helper()
	w.interactions = w.belongings(t, interactions, 20, func(b *belonging) proto.Message {
		b.customers = []int64{w.customer()}
		i := &crmv1.Interaction{CustomerId: b.customers[0], Kind: crmv1.InteractionKind_INTERACTION_KIND_COMPLAINT, OpenedTime: at(w.chance.IntN(50)), Subject: "S"}
		if other := w.customer(); w.chance.IntN(2) == 0 && other != b.customers[0] {
			b.customers = append(b.customers, other)
			i.Participants = []*crmv1.Participant{{CustomerId: other, Role: crmv1.ParticipantRole_PARTICIPANT_ROLE_REPRESENTATIVE}}
		}
		return i
	})
	w.consents = w.belongings(t, consents, 16, func(b *belonging) proto.Message {
		b.customers = []int64{w.customer()}
		return &crmv1.Consent{CustomerId: b.customers[0], Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_ANY, GrantedTime: at(w.chance.IntN(5000))}
	})
	paired := map[string]bool{}
	w.relations = w.belongings(t, relations, 20, func(b *belonging) proto.Message {
		b.customers = []int64{w.customer()}
		r := &crmv1.Relation{CustomerId: b.customers[0], Type: crmv1.RelationType_RELATION_TYPE_CHILD, OtherName: fmt.Sprint("Child ", w.chance.IntN(1_000_000_000))}
		other := w.customer()
		pair := fmt.Sprint(min(other, b.customers[0]), max(other, b.customers[0]))
		if other != b.customers[0] && !paired[pair] && w.chance.IntN(5) > 0 {
			paired[pair] = true
			b.customers = append(b.customers, other)
			r.Type, r.OtherName, r.OtherCustomerId = crmv1.RelationType_RELATION_TYPE_ACQUAINTANCE, "", other
		}
		return r
	})
	w.events = make([]belonging, 20)
	var req crmv1.BatchRecordBehaviourEventsRequest
	for i := range w.events {
		e := &crmv1.BehaviourEvent{Key: key(worldSource, i), VisitorId: fmt.Sprint("v", i%4), Kind: crmv1.BehaviourKind_BEHAVIOUR_KIND_SITE_VISIT, Time: at(i)}
		if w.chance.IntN(4) > 0 {
			e.CustomerId = w.customer()
			w.events[i].customers = []int64{e.GetCustomerId()}
		}
		req.Events = append(req.Events, e)
	}
	answer, err := crmv1.NewBehaviourServiceClient(w.conn).BatchRecordBehaviourEvents(t.Context(), &req)
	if err != nil {
		t.Fatal(err)
	}
	number(t, w.events, answer.GetResults())
}

// caller is somebody with roles, and what the model says of them.
type caller struct {
	*world
	ctx   context.Context //nolint:containedctx // it is who calls
	name  string
	all   bool
	seen  map[int64]bool
	home  int64
	below []int64
}

// caller is a manager with the keepers' roles of some scopes.
func (w *world) caller(t *testing.T, manager int, scopes ...string) *caller {
	t.Helper()
	c := &caller{world: w, name: fmt.Sprint(login(manager), scopes), seen: map[int64]bool{}}
	me := w.managers[manager]
	roles := make([]string, len(scopes))
	c.below = []int64{me.id}
	for range w.managers {
		for _, m := range w.managers {
			if slices.Contains(c.below, m.manager) && !slices.Contains(c.below, m.id) {
				c.below = append(c.below, m.id)
			}
		}
	}
	for i, scope := range scopes {
		roles[i] = keeperOf[scope]
		c.all = c.all || scope == "all"
		if scope == "own" || scope == "tree" || scope == "branch" && me.branch != 0 {
			c.home = me.branch
		}
		for _, x := range w.customers {
			c.seen[x.id] = c.seen[x.id] || scope == "all" || scope == "own" && x.manager == me.id ||
				scope == "tree" && slices.Contains(c.below, x.manager) || scope == "branch" && me.branch != 0 && x.branch == me.branch
		}
	}
	c.ctx = w.callers.As(t, t.Context(), login(manager), roles...)
	return c
}

// account says whether the model shows an account: somebody who is seen holds it, or nobody does and it is the home's.
func (c *caller) seesAccount(id int64) bool {
	nobody := true
	for _, h := range c.holdings {
		if h.account != id {
			continue
		}
		nobody = false
		if !h.over && c.seen[h.customers[0]] {
			return true
		}
	}
	return c.all || nobody && c.home != 0 && slices.ContainsFunc(c.accounts, func(a place) bool { return a.id == id && a.branch == c.home })
}

// takesPart says whether the model shows a party of a contract, or one whose contract it is.
func (c *caller) takesPart(contract int64, principal bool) bool {
	return slices.ContainsFunc(c.parties, func(p party) bool {
		return p.contract == contract && !p.over && c.seen[p.customer] && (p.principal || !principal)
	})
}

// any says whether the model shows one of a record's customers.
func (c *caller) seesAny(b belonging) bool {
	return c.all || slices.ContainsFunc(b.customers, func(id int64) bool { return c.seen[id] })
}
