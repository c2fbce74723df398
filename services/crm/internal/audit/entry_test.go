package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	datepb "google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/audit"
)

// brief writes what matters of an entry.
func brief(e *crmv1.AuditEntry) string {
	action := strings.ToLower(strings.TrimPrefix(e.GetAction().String(), "AUDIT_ACTION_"))
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %d v%d %v %s %s", e.GetActor(), action, e.GetEntity(), e.GetEntityId(), e.GetVersion(),
		e.GetCustomerIds(), e.GetBefore(), e.GetAfter()))
}

func briefs(entries []*crmv1.AuditEntry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[len(entries)-1-i] = brief(e) // oldest first reads better
	}
	return out
}

// Every change and read of a customer is on record, with what changed and nothing else.
func TestEntries(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	individual := &crmv1.Individual{
		GivenName: "Eva", FamilyName: "Malá", BirthDate: &datepb.Date{Year: 1970, Month: 2, Day: 3}, MonthlyIncome: &moneypb.Money{CurrencyCode: "CZK", Units: 100},
	}
	created, err := b.customers.CreateCustomer(b.as(t, "eva"), &crmv1.CreateCustomerRequest{
		Customer: &crmv1.Customer{Key: &crmv1.ExternalKey{Source: "core", ExternalId: "c1"}, Party: &crmv1.Customer_Individual{Individual: individual}},
	})
	if err != nil {
		t.Fatal(err)
	}
	customer := created.GetCustomer()
	customer.Phone, individual.GivenName = "+420123456789", "Eva Marie"
	customer.Party = &crmv1.Customer_Individual{Individual: individual}
	if _, err := b.customers.UpdateCustomer(b.as(t, "jan"), &crmv1.UpdateCustomerRequest{Customer: customer}); err != nil {
		t.Fatal(err)
	}
	row := proto.CloneOf(customer)
	row.Email, row.Key = "eva@example.com", customer.GetKey()
	batch := &crmv1.BatchUpsertCustomersRequest{Customers: []*crmv1.Customer{row, {
		Key: &crmv1.ExternalKey{Source: "core", ExternalId: "c2"}, Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Jan"}},
	}}}
	batch.ValidateOnly = true // leaves no trace but a number that nobody gets
	for range 2 {
		if _, err := b.customers.BatchUpsertCustomers(b.as(t, "import"), batch); err != nil {
			t.Fatal(err)
		}
		batch.ValidateOnly = false
	}
	reader := b.as(t, "petr")
	if _, err := b.customers.GetCustomer(reader, &crmv1.GetCustomerRequest{CustomerId: customer.GetCustomerId()}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.screens.GetCustomer360(reader, &crmv1.GetCustomer360Request{Key: customer.GetKey()}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.customers.ListCustomers(reader, &crmv1.ListCustomersRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.customers.GetCustomer(reader, &crmv1.GetCustomerRequest{CustomerId: 999}); status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
	want := []string{
		`eva create customer 1 v1 []  {"source":"core","external_id":"c1","kind":"individual","state":"active","given_name":"Eva","family_name":"Malá",` +
			`"birth_date":"1970-02-03","monthly_income":"100","monthly_income_currency":"CZK"}`,
		`jan update customer 1 v2 [] {"phone":"","given_name":"Eva"} {"phone":"+420123456789","given_name":"Eva Marie"}`,
		`import create customer 3 v1 []  {"source":"core","external_id":"c2","kind":"individual","state":"active","given_name":"Jan"}`,
		`import update customer 1 v3 [] {"email":""} {"email":"eva@example.com"}`,
		`petr read customer 1 v0 []`,
		`petr read customer 1 v0 []`,
		`petr read customer 0 v0 [1 3]`,
	}
	if diff := cmp.Diff(want, briefs(b.list(t, &crmv1.ListAuditEntriesRequest{PageSize: 2, Filter: `entity = "customer"`}))); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		req  *crmv1.ListAuditEntriesRequest
		want []string
	}{
		"customer": {&crmv1.ListAuditEntriesRequest{CustomerId: 3, Filter: `entity = "customer"`}, []string{want[2], want[6]}},
		"record":   {&crmv1.ListAuditEntriesRequest{Entity: "customer", EntityId: 3}, []string{want[2]}},
		"actor":    {&crmv1.ListAuditEntriesRequest{Actor: "petr", Filter: `action = "read"`}, want[4:]},
		"nothing":  {&crmv1.ListAuditEntriesRequest{Entity: "card"}, []string{}},
		"changes":  {&crmv1.ListAuditEntriesRequest{Filter: `action = "update" AND version > 2`}, []string{want[3]}},
		"to":       {&crmv1.ListAuditEntriesRequest{ToTime: created.GetCustomer().GetCreateTime()}, []string{}},
		"from":     {&crmv1.ListAuditEntriesRequest{FromTime: created.GetCustomer().GetCreateTime(), Entity: "customer", Actor: "eva"}, want[:1]},
	} {
		if diff := cmp.Diff(test.want, briefs(b.list(t, test.req))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Looking at the audit is on record too.
	looks := b.list(t, &crmv1.ListAuditEntriesRequest{Entity: "audit_entry", CustomerId: 1, PageSize: 1})
	if want := "tester read audit_entry 0 v0 []"; len(looks) < 1 || brief(looks[len(looks)-1]) != want {
		t.Errorf("looks at the audit: %v", looks)
	}
}

// An entry says where a call came from, and the event of the change names the same actor.
func TestOrigin(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	ctx := metadata.AppendToOutgoingContext(b.as(t, "eva"), audit.RequestIDKey, "call-7", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	var header metadata.MD
	if _, err := b.customers.CreateCustomer(ctx, &crmv1.CreateCustomerRequest{Customer: person("Eva")}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	e := b.list(t, &crmv1.ListAuditEntriesRequest{})[0]
	if e.GetActor() != "eva" || e.GetRequestId() != "call-7" || e.GetPeer() == "" || e.GetMethod() != crmv1.CustomerService_CreateCustomer_FullMethodName || e.GetTraceId() != trace {
		t.Errorf("entry %v", e)
	}
	if got := header.Get(audit.RequestIDKey); len(got) != 1 || got[0] != "call-7" {
		t.Errorf("the answer names the call %v", got)
	}
	var payload []byte
	if err := b.pool.QueryRow(t.Context(), "SELECT payload FROM outbox WHERE entity = 'customer'").Scan(&payload); err != nil {
		t.Fatal(err)
	}
	var change eventsv1.Change
	if err := proto.Unmarshal(payload, &change); err != nil || change.GetActor() != "eva" || !strings.Contains(change.GetTraceParent(), trace) {
		t.Errorf("event %v, %v", &change, err)
	}
	// The request's own id names the call when the metadata do not; a call without any gets one.
	const id = "0199f3a0-0000-7000-8000-000000000001"
	if _, err := b.customers.CreateCustomer(b.as(t, "jan"), &crmv1.CreateCustomerRequest{Customer: person("Jan"), RequestId: id}); err != nil {
		t.Fatal(err)
	}
	b.create(t, "Petr")
	entries := b.list(t, &crmv1.ListAuditEntriesRequest{Filter: `action = "create"`})
	if entries[1].GetRequestId() != id || len(entries[0].GetRequestId()) != len(id) || entries[0].GetRequestId() == id {
		t.Errorf("entries %v", entries)
	}
	// What a caller says of itself beside its token means nothing; a request's id is kept for ever and must be fit for that.
	claimed := metadata.AppendToOutgoingContext(b.as(t, "eva"), "x-tandem-actor", "petr")
	if _, err := b.customers.CreateCustomer(claimed, &crmv1.CreateCustomerRequest{Customer: person("Jan")}); err != nil {
		t.Fatal(err)
	}
	if e := b.list(t, &crmv1.ListAuditEntriesRequest{Filter: `action = "create"`})[0]; e.GetActor() != "eva" {
		t.Errorf("a claim beside the token was believed: %v", e)
	}
	for _, name := range []string{strings.Repeat("x", 129), "4111 1111 1111 1111"} {
		named := metadata.AppendToOutgoingContext(b.as(t, "eva"), audit.RequestIDKey, name)
		if _, err := b.customers.ListCustomers(named, &crmv1.ListCustomersRequest{}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("request id %q: %v", name, err)
		}
		if _, err := b.customers.ListCustomers(b.as(t, name), &crmv1.ListCustomersRequest{}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("actor %q: %v", name, err)
		}
	}
}

// Reads that come together share transactions, and each has its entry when it is answered.
func TestReadsTogether(t *testing.T) {
	t.Parallel()
	const readers, reads = 16, 20
	b := newBank(t, 100)
	id := b.create(t, "Eva").GetCustomerId()
	var group errgroup.Group
	for r := range readers {
		group.Go(func() error {
			ctx := b.as(t, fmt.Sprint("reader ", r))
			for i := range reads {
				if _, err := b.customers.GetCustomer(ctx, &crmv1.GetCustomerRequest{CustomerId: id}); err != nil {
					return err
				}
				var n int
				err := b.pool.QueryRow(ctx, "SELECT count(*) FROM audit_entry WHERE actor = $1", fmt.Sprint("reader ", r)).Scan(&n)
				if err != nil || n != i+1 {
					return fmt.Errorf("%d entries after %d reads: %w", n, i+1, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// No entry, no answer.
func TestUnrecordedReadIsRefused(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	id := b.create(t, "Eva").GetCustomerId()
	if _, err := b.pool.Exec(t.Context(), "ALTER TABLE audit_entry ADD CONSTRAINT refused CHECK (action <> 'read') NOT VALID"); err != nil {
		t.Fatal(err)
	}
	answer, err := b.customers.GetCustomer(t.Context(), &crmv1.GetCustomerRequest{CustomerId: id})
	if status.Code(err) != codes.Unavailable || answer.GetCustomer() != nil {
		t.Errorf("%v, %v", answer, err)
	}
	screen, err := b.screens.GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{CustomerId: id})
	if status.Code(err) != codes.Unavailable || screen.GetCustomer() != nil {
		t.Errorf("%v, %v", screen, err)
	}
	list, err := b.customers.ListCustomers(t.Context(), &crmv1.ListCustomersRequest{})
	if status.Code(err) != codes.Unavailable || len(list.GetCustomers()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// Each list, and the search for what is to be sealed, goes by an index.
func TestPlans(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	b.tamper(t, `INSERT INTO audit_entry (actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, customer_ids, before)
SELECT 'a' || n % 500, '', '', '', '', 'update', CASE n % 3 WHEN 0 THEN 'card' ELSE 'customer' END, n % 3000, 1, n % 3000,
	CASE n % 50 WHEN 0 THEN ARRAY[n % 3000, n % 2999]::bigint[] END,
	CASE n % 40 WHEN 0 THEN json_build_object('customer_id', n) END FROM generate_series(1, 60000) n`)
	if _, err := b.pool.Exec(t.Context(), "ANALYZE audit_entry"); err != nil {
		t.Fatal(err)
	}
	const newest = " ORDER BY at DESC, entry_id DESC LIMIT 51"
	// Whatever the places are: after some calls the plan is one for all of them.
	b.explain(t, "GENERIC_PLAN", audit.BetweenSQL)
	if plan := b.explain(t, "GENERIC_PLAN", audit.ReadySQL); strings.Contains(plan, "Sort  (") {
		t.Errorf("sorts what the index has in order:\n%s", plan)
	}
	for condition, rest := range map[string]string{
		"true":         newest,
		"actor = 'a7'": newest,
		"entity = 'card' AND entity <> 'customer' AND entity_id = 33":                                    newest,
		"entity = 'customer' AND entity_id = 34 AND customer_id = 34":                                    newest,
		"(customer_id = 7 OR customer_ids @> ARRAY[7::bigint])":                                          newest,
		"entity = 'customer' AND entity_id = 34 AND action = 'update' AND at > now() - interval '1 day'": "",
		"entity = 'card' AND action = 'update' AND before->>'customer_id' IN (SELECT 7::text)":           "",
	} {
		b.explain(t, "COSTS", "SELECT * FROM audit_entry WHERE "+condition+rest)
	}
}

// explain returns the plan of a statement, which must not read the entries from end to end.
func (b *bank) explain(t *testing.T, how, sql string) string {
	t.Helper()
	conn, err := b.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	// The plain protocol: the places stay without values.
	results, err := conn.Conn().PgConn().Exec(t.Context(), "EXPLAIN ("+how+") "+sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range results[0].Rows {
		lines = append(lines, string(row[0]))
	}
	for _, line := range lines {
		// Empty partitions are read from the beginning whatever the index.
		if strings.Contains(line, "Seq Scan") && !strings.Contains(line, "rows=1 ") {
			t.Errorf("%s:\n%s", sql, strings.Join(lines, "\n"))
		}
	}
	return strings.Join(lines, "\n")
}

func TestFieldMaskOfNothing(t *testing.T) {
	t.Parallel()
	b := newBank(t, 100)
	created := b.create(t, "Eva")
	_, err := b.customers.UpdateCustomer(b.as(t, "eva"), &crmv1.UpdateCustomerRequest{Customer: created, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"phone"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := brief(b.list(t, &crmv1.ListAuditEntriesRequest{})[0]); got != "eva update customer 1 v2 []" {
		t.Errorf("an update that changes no column left %q", got)
	}
}
