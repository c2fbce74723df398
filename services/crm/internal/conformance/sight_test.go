package conformance

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Whatever customers a caller reaches, each way to read shows these with what belongs to them, and nothing else.
func TestRowsAreSeenByScope(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			for manager := range w.managers {
				scope := [][]string{{"own"}, {"tree"}, {"branch"}, {"own", "branch"}, {"tree", "branch"}, {"none"}, {"all"}}[(manager+int(seed))%7]
				c := w.caller(t, manager, scope...)
				t.Run(c.name, func(t *testing.T) {
					c.listsAndGets(t)
					c.readsMovements(t)
					c.readsCustomers(t)
					c.explores(t)
					c.writes(t)
					c.records(t)
				})
			}
		})
	}
}

// visible are the numbers of the records of each kind that the model shows.
func (c *caller) visible(k kind) (all, seen []int64) {
	add := func(id int64, sees bool) {
		all = append(all, id)
		if sees {
			seen = append(seen, id)
		}
	}
	switch k.name {
	case customers.name:
		for _, x := range c.customers {
			add(x.id, c.seen[x.id])
		}
	case accounts.name:
		for _, a := range c.accounts {
			add(a.id, c.seesAccount(a.id))
		}
	case contracts.name:
		for _, x := range c.contracts {
			add(x.id, c.held(x.account) || c.takesPart(x.id, false))
		}
	default:
		for _, x := range map[string][]belonging{
			holders.name: c.holdings, cards.name: c.cards, interactions.name: c.interactions, consents.name: c.consents, relations.name: c.relations,
		}[k.name] {
			add(x.id, c.seesAny(x))
		}
	}
	return all, seen
}

// held says whether the model shows what belongs to an account: somebody who is seen must hold it.
func (c *caller) held(account int64) bool {
	return c.all || slices.ContainsFunc(c.holdings, func(h belonging) bool {
		return h.account == account && !h.over && c.seen[h.customers[0]]
	})
}

var scoped = []kind{customers, accounts, holders, cards, contracts, interactions, consents, relations}

func (c *caller) listsAndGets(t *testing.T) {
	t.Helper()
	for _, k := range scoped {
		all, want := c.visible(k)
		var got []int64
		filter := fmt.Sprintf("key.source = %q", worldSource)
		fields := map[string]any{"page_size": int32(4), "filter": filter, "count": crmv1.CountMode_COUNT_MODE_EXACT.Number()}
		for {
			records, next, count, err := c.listAs(c.ctx, k, fields)
			if err != nil {
				t.Fatal(k.name, err)
			}
			if int(count.GetValue()) != len(want) {
				t.Errorf("%s: counted %d, want %d", k.name, count.GetValue(), len(want))
			}
			for _, m := range records {
				got = append(got, k.id(m))
			}
			if fields["page_token"] = next; next == "" {
				break
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: listed %d, want %d", k.name, got, want)
		}
		if !k.has("Get" + k.one) {
			continue
		}
		for i, id := range all {
			_, byID := c.get(c.ctx, k, id)
			_, byKey := c.getByKey(c.ctx, k, key(worldSource, i))
			c.wantSeen(t, slices.Contains(want, id), fmt.Sprint(k.name, id), byID, byKey)
		}
	}
}

// wantSeen checks that calls went through, or found nothing.
func (c *caller) wantSeen(t *testing.T, seen bool, what string, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if want := map[bool]codes.Code{true: codes.OK, false: codes.NotFound}[seen]; status.Code(err) != want {
			t.Errorf("%s, call %d: %v, want %s", what, i, err, want)
		}
	}
}

func (c *caller) readsMovements(t *testing.T) {
	t.Helper()
	client := crmv1.NewTransactionServiceClient(c.conn)
	byAccount := map[int64]int{}
	for i, x := range c.transactions {
		_, byID := client.GetTransaction(c.ctx, &crmv1.GetTransactionRequest{TransactionId: x.id})
		_, byKey := client.GetTransaction(c.ctx, &crmv1.GetTransactionRequest{Key: key(worldSource, i)})
		c.wantSeen(t, c.held(x.account), fmt.Sprint("transaction ", x.id), byID, byKey)
		byAccount[x.account]++
	}
	for _, a := range c.accounts {
		_, err := crmv1.NewBalanceServiceClient(c.conn).ListBalances(c.ctx, &crmv1.ListBalancesRequest{AccountId: a.id})
		c.wantSeen(t, c.seesAccount(a.id), fmt.Sprint("balances of ", a.id), err)
	}
	for account, n := range byAccount {
		listed, err := client.ListTransactions(c.ctx, &crmv1.ListTransactionsRequest{AccountId: account, Count: crmv1.CountMode_COUNT_MODE_EXACT})
		if !c.held(account) {
			n = 0
		}
		if status.Code(err) != codes.NotFound && err != nil || len(listed.GetTransactions()) != n || int(listed.GetCount().GetValue()) != n {
			t.Errorf("%d transactions of account %d, counted %v, %v; want %d", len(listed.GetTransactions()), account, listed.GetCount(), err, n)
		}
	}
	behaviour := crmv1.NewBehaviourServiceClient(c.conn)
	for visitor := range 4 {
		listed, err := behaviour.ListBehaviourEvents(c.ctx, &crmv1.ListBehaviourEventsRequest{VisitorId: fmt.Sprint("v", visitor)})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []int64
		for _, e := range listed.GetEvents() {
			got = append(got, e.GetBehaviourEventId())
		}
		for i, e := range c.events {
			if i%4 == visitor && c.seesAny(e) {
				want = append(want, e.id)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("events of visitor %d are %d, want %d", visitor, got, want)
		}
	}
}

// readsCustomers reads each customer in every way: who is not seen does not exist.
func (c *caller) readsCustomers(t *testing.T) {
	t.Helper()
	found, err := crmv1.NewSearchServiceClient(c.conn).SearchCustomers(c.ctx, &crmv1.SearchCustomersRequest{Query: "quido"})
	if err != nil {
		t.Fatal(err)
	}
	hits := map[int64]bool{}
	for _, h := range found.GetHits() {
		hits[h.GetCustomer().GetCustomerId()] = true
	}
	seen := maps.Clone(c.seen)
	maps.DeleteFunc(seen, func(_ int64, sees bool) bool { return !sees })
	if !maps.Equal(hits, seen) {
		t.Errorf("found %v, want %v", hits, seen)
	}
	for i, x := range c.customers {
		what := fmt.Sprint("customer ", x.id)
		_, states := crmv1.NewCustomerServiceClient(c.conn).ListCustomerStateChanges(c.ctx, &crmv1.ListCustomerStateChangesRequest{CustomerId: x.id})
		_, rfm := crmv1.NewCustomer360ServiceClient(c.conn).ListRfmHistory(c.ctx, &crmv1.ListRfmHistoryRequest{CustomerId: x.id})
		_, insights := crmv1.NewCustomer360ServiceClient(c.conn).ListInsightHistory(c.ctx, &crmv1.ListInsightHistoryRequest{CustomerId: x.id})
		_, behaviour := crmv1.NewBehaviourServiceClient(c.conn).ListBehaviourEvents(c.ctx, &crmv1.ListBehaviourEventsRequest{CustomerId: x.id})
		check := &crmv1.CheckConsentRequest{CustomerId: x.id, Purpose: "marketing", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_EMAIL}
		_, byID := crmv1.NewConsentServiceClient(c.conn).CheckConsent(c.ctx, check)
		check.CustomerId, check.CustomerKey = 0, key(worldSource, i)
		_, byKey := crmv1.NewConsentServiceClient(c.conn).CheckConsent(c.ctx, check)
		c.wantSeen(t, c.seen[x.id], what, states, rfm, insights, behaviour, byID, byKey)
		c.screen(t, x.id, i)
		c.timeline(t, x.id, i)
	}
}

// screen checks that the 360 shows what it shows to those who see all, without the names of others.
func (c *caller) screen(t *testing.T, id int64, n int) {
	t.Helper()
	client := crmv1.NewCustomer360ServiceClient(c.conn)
	got, byID := client.GetCustomer360(c.ctx, &crmv1.GetCustomer360Request{CustomerId: id})
	_, byKey := client.GetCustomer360(c.ctx, &crmv1.GetCustomer360Request{Key: key(worldSource, n)})
	past, asOf := client.GetCustomer360(c.ctx, &crmv1.GetCustomer360Request{CustomerId: id, AsOf: timestamppb.New(time.Now().Add(-time.Millisecond))})
	c.wantSeen(t, c.seen[id], fmt.Sprint("screen of ", id), byID, byKey, asOf)
	if !c.seen[id] {
		return
	}
	want, err := client.GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{CustomerId: id})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range want.GetRelations() {
		c.conceal(one.GetParty())
	}
	for name, part := range map[string][2][]proto.Message{
		"accounts":     {messages(got.GetAccounts()), messages(want.GetAccounts())},
		"cards":        {messages(got.GetCards()), messages(want.GetCards())},
		"contracts":    {messages(got.GetContracts()), messages(want.GetContracts())},
		"interactions": {messages(got.GetInteractions()), messages(want.GetInteractions())},
		"relations":    {messages(got.GetRelations()), messages(want.GetRelations())},
		"then":         {messages(past.GetRelations()), messages(want.GetRelations())},
	} {
		if !slices.EqualFunc(part[0], part[1], proto.Equal) {
			t.Errorf("%s of %d are %v, want %v", name, id, part[0], part[1])
		}
	}
}

func messages[M proto.Message](list []M) []proto.Message {
	out := make([]proto.Message, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out
}

// conceal leaves of a party that the model does not show its number.
func (c *caller) conceal(p *crmv1.RelatedParty) {
	if p.GetCustomerId() != 0 && !c.seen[p.GetCustomerId()] {
		p.Name, p.BirthDate = "", nil
	}
}

// timeline checks that a customer's timeline is that of those who see all, without what belongs to accounts of others.
func (c *caller) timeline(t *testing.T, id int64, n int) {
	t.Helper()
	client := crmv1.NewTimelineServiceClient(c.conn)
	got, byID := client.ListTimeline(c.ctx, &crmv1.ListTimelineRequest{CustomerId: id, PageSize: 1000})
	_, byKey := client.ListTimeline(c.ctx, &crmv1.ListTimelineRequest{CustomerKey: key(worldSource, n), PageSize: 1})
	c.wantSeen(t, c.seen[id], fmt.Sprint("timeline of ", id), byID, byKey)
	if !c.seen[id] {
		return
	}
	want, err := client.ListTimeline(t.Context(), &crmv1.ListTimelineRequest{CustomerId: id, PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	entries := slices.DeleteFunc(want.GetEntries(), func(e *crmv1.TimelineEntry) bool {
		ofAccount := e.GetEntity() == "transaction" || e.GetEntity() == "account" || e.GetEntity() == "contract"
		return ofAccount && !c.held(e.GetAccountId())
	})
	if !slices.EqualFunc(messages(got.GetEntries()), messages(entries), proto.Equal) {
		t.Errorf("timeline of %d is %v, want %v", id, got.GetEntries(), entries)
	}
}

// explores walks along relations: the walk ends at customers who are not seen, and tells no more of them than numbers.
func (c *caller) explores(t *testing.T) {
	t.Helper()
	for _, x := range c.customers {
		answer, err := crmv1.NewRelationServiceClient(c.conn).ExploreRelations(c.ctx, &crmv1.ExploreRelationsRequest{CustomerId: x.id, Depth: 5})
		c.wantSeen(t, c.seen[x.id], fmt.Sprint("relations of ", x.id), err)
		if err != nil {
			continue
		}
		want := c.reach(x.id)
		got := map[int64]bool{x.id: true}
		for _, connection := range answer.GetConnections() {
			party := connection.GetParty()
			if party.GetCustomerId() == 0 {
				continue
			}
			got[party.GetCustomerId()] = true
			if sees := c.seen[party.GetCustomerId()]; sees == (party.GetName() == "") || sees == (party.GetBirthDate() == nil) {
				t.Errorf("from %d: %v, seen %v", x.id, party, sees)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("from %d: reached %v, want %v", x.id, got, want)
		}
	}
}

// reach are the customers that a walk of five steps finds.
func (c *caller) reach(from int64) map[int64]bool {
	found, level := map[int64]bool{from: true}, []int64{from}
	for range 5 {
		var next []int64
		for _, r := range c.relations {
			for _, id := range level {
				if len(r.customers) < 2 || !c.seen[id] || !slices.Contains(r.customers, id) {
					continue
				}
				other := r.customers[0]
				if other == id {
					other = r.customers[1]
				}
				if !found[other] {
					found[other] = true
					next = append(next, other)
				}
			}
		}
		level = next
	}
	return found
}

// writes changes records of every kind: what is not seen is not found, and what is not the caller's is refused, row by row.
func (c *caller) writes(t *testing.T) {
	t.Helper()
	outside := refusal{code: codes.PermissionDenied, reason: apperr.ReasonOutOfScope}
	for _, k := range scoped {
		all, seen := c.visible(k)
		for i, id := range all {
			stored, err := c.get(t.Context(), k, id)
			if err != nil && k.has("Get"+k.one) {
				t.Fatal(err)
			}
			mine := c.mayWrite(k, i, slices.Contains(seen, id))
			if k.has("Update"+k.one) && k.edited != "" {
				changed := edit(stored, k.edited, other(k, i))
				_, err := c.update(c.ctx, k, changed, "", k.edited)
				switch {
				case mine && err != nil:
					t.Errorf("%s %d: %v", k.name, id, err)
				case !mine && slices.Contains(seen, id):
					outside.check(t, err)
				case !mine:
					c.wantSeen(t, false, fmt.Sprint("update of ", k.name, id), err)
				}
			}
			if k.has("Get" + k.one) {
				again := edit(stored, k.edited, other(k, i+1))
				results, err := c.batch(c.ctx, k, []proto.Message{asInput(k, again)}, "", true)
				if err != nil {
					t.Fatal(err)
				}
				if refused := results[0].GetError() != nil; refused == mine {
					t.Errorf("upsert of %s %d: %v, may write %v", k.name, id, results[0], mine)
				} else if refused {
					outside.checkRow(t, results[0])
				}
			}
		}
	}
}

// records writes new records of two customers in one bundle: rows of those who are not seen are refused alone.
func (c *caller) records(t *testing.T) {
	t.Helper()
	for i, x := range c.customers[1:] {
		pair := []int64{c.customers[i].id, x.id}
		for k, one := range map[*kind]func(id int64) proto.Message{
			&consents: func(id int64) proto.Message {
				return &crmv1.Consent{CustomerId: id, Purpose: "profiling", Channel: crmv1.ConsentChannel_CONSENT_CHANNEL_SMS, GrantedTime: at(1)}
			},
			&interactions: func(id int64) proto.Message {
				return &crmv1.Interaction{CustomerId: id, Kind: crmv1.InteractionKind_INTERACTION_KIND_CALL, OpenedTime: at(1)}
			},
			&relations: func(id int64) proto.Message {
				return &crmv1.Relation{CustomerId: id, Type: crmv1.RelationType_RELATION_TYPE_CHILD, OtherName: "New"}
			},
		} {
			var sent []proto.Message
			for n, id := range pair {
				m := one(id)
				set(m.ProtoReflect(), "key", key("new", n))
				sent = append(sent, m)
			}
			results, err := c.batch(c.ctx, *k, sent, "", true)
			if err != nil {
				t.Fatal(k.name, err)
			}
			c.wantRows(t, pair, results)
		}
		events := &crmv1.BatchRecordBehaviourEventsRequest{ValidateOnly: true}
		for n, id := range pair {
			events.Events = append(events.Events, &crmv1.BehaviourEvent{
				Key: key("new", n), CustomerId: id, Kind: crmv1.BehaviourKind_BEHAVIOUR_KIND_SITE_VISIT, Time: at(n),
			})
		}
		client := crmv1.NewBehaviourServiceClient(c.conn)
		answer, err := client.BatchRecordBehaviourEvents(c.ctx, events)
		if err != nil {
			t.Fatal(err)
		}
		c.wantRows(t, pair, answer.GetResults())
		if !c.seen[x.id] {
			_, err = client.LinkVisitor(c.ctx, &crmv1.LinkVisitorRequest{VisitorId: "v0", CustomerId: x.id})
			c.wantSeen(t, false, "visitor", err)
			_, err = crmv1.NewCustomerServiceClient(c.conn).ChangeCustomerState(c.ctx, &crmv1.ChangeCustomerStateRequest{
				CustomerId: x.id, State: crmv1.CustomerState_CUSTOMER_STATE_FORMER, Reason: crmv1.CustomerStateReason_CUSTOMER_STATE_REASON_REFERRAL,
			})
			c.wantSeen(t, false, "state", err)
		}
	}
}

// wantRows checks that the rows of customers who are not seen are refused, and no others.
func (c *caller) wantRows(t *testing.T, ids []int64, results []*crmv1.UpsertResult) {
	t.Helper()
	for n, id := range ids {
		if !c.seen[id] {
			refusal{code: codes.PermissionDenied, reason: apperr.ReasonOutOfScope}.checkRow(t, results[n])
		} else if results[n].GetError() != nil {
			t.Errorf("customer %d: %v", id, results[n])
		}
	}
}

// asInput takes out of a stored record what an upsert does not take.
func asInput(k kind, m proto.Message) proto.Message {
	set(m.ProtoReflect(), k.name+"_id", int64(0))
	return m
}

// mayWrite says whether the model lets a caller write the n-th record: of a relation both sides must be seen, of an
// interaction the customer himself, of a contract who holds its account or whose it is.
func (c *caller) mayWrite(k kind, n int, seen bool) bool {
	switch k.name {
	case relations.name:
		return !slices.ContainsFunc(c.relations[n].customers, func(id int64) bool { return !c.seen[id] })
	case interactions.name:
		return c.seen[c.interactions[n].customers[0]]
	case contracts.name:
		return c.held(c.contracts[n].account) || c.takesPart(c.contracts[n].id, true)
	}
	return seen
}
