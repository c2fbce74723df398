package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/relation"
)

// crowd is a bank large enough for the planner to prefer an index wherever one fits.
const crowd = `
INSERT INTO customer (source, external_id, kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency,
    legal_name, registration_number, industry_nace, annual_turnover_currency, manager_id, branch_id)
SELECT 'crowd', n::text, 'individual', 'active', '+420' || n, n || '@example.org', 'Jan', 'Novák ' || n, 'male', '', '', '', '', '', '', 1, 1
FROM generate_series(1, 10000) n;
INSERT INTO account (source, external_id, number, currency, state)
SELECT 'crowd', n::text, to_char(n, 'FM000000'), 'CZK', 'open' FROM generate_series(1, 10000) n;
INSERT INTO account_holder (source, external_id, account_id, customer_id, role)
SELECT 'crowd', a.account_id::text, a.account_id, c.customer_id, 'owner' FROM account a JOIN customer c USING (source, external_id) WHERE a.source = 'crowd';
INSERT INTO customer_rfm_history (customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at)
SELECT customer_id, now(), current_date, gen_random_uuid(), '555', 1, 1, 1, 'CZK', now() FROM customer;
INSERT INTO customer_segment (customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at)
SELECT customer_id, s, s = 'common' OR customer_id % 1000 = 0, current_date, gen_random_uuid(), 1, now(), now() FROM customer, unnest(ARRAY['common', 'rare']) s;
INSERT INTO customer_score (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
SELECT customer_id, 'fit', customer_id, 'A', current_date, gen_random_uuid(), 1, 0, now(), now() FROM customer;
INSERT INTO customer_segment_history SELECT * FROM customer_segment;
INSERT INTO customer_score_history SELECT * FROM customer_score;
INSERT INTO card (source, external_id, state, customer_id, account_id)
SELECT 'crowd', account_id::text, 'active', customer_id, account_id FROM account_holder WHERE source = 'crowd';
INSERT INTO contract (source, external_id, kind, account_id, amount, currency)
SELECT 'crowd', account_id::text, 'loan', account_id, 1, 'CZK' FROM account WHERE source = 'crowd';
INSERT INTO contract_party (source, external_id, contract_id, customer_id, role)
SELECT 'crowd', c.contract_id::text, c.contract_id, h.customer_id, 'borrower' FROM contract c JOIN account_holder h USING (account_id) WHERE c.source = 'crowd';
INSERT INTO instalment (source, external_id, contract_id, number, due, currency, principal, interest, fee, paid, state)
SELECT 'crowd', contract_id || '-' || n, contract_id, n, current_date - 40 + 30 * n, 'CZK', 1, 1, 0, CASE WHEN n = 1 AND contract_id % 9 > 0 THEN 2 ELSE 0 END,
    CASE WHEN n = 1 AND contract_id % 9 > 0 THEN 'paid' ELSE 'open' END
FROM contract, generate_series(1, 3) n WHERE source = 'crowd';
INSERT INTO interaction (source, external_id, customer_id, kind, opened_at, priority, text)
SELECT 'crowd', n::text, 3 + n % 10000, CASE WHEN n % 10 = 0 THEN 'complaint' ELSE 'call' END,
    '2025-01-01'::timestamptz + n * interval '5 minutes', CASE WHEN n % 10 = 0 THEN 'normal' ELSE '' END, repeat('text ', 20)
FROM generate_series(1, 30000) n;
INSERT INTO interaction_participant (party, party_id, opened_at, interaction_id, role)
SELECT CASE WHEN interaction_id % 2 = 0 THEN 'customer' ELSE 'manager' END, 3 + interaction_id % 5000, opened_at, interaction_id, 'attendee'
FROM interaction WHERE source = 'crowd';
INSERT INTO consent (source, external_id, customer_id, purpose, channel, granted_at, withdrawn_at)
SELECT 'crowd', n::text, 3 + n % 10000, CASE WHEN n % 3 = 0 THEN 'profiling' ELSE 'marketing' END, CASE WHEN n % 2 = 0 THEN 'any' ELSE 'sms' END,
    '2025-01-01'::timestamptz + n * interval '5 minutes', CASE WHEN n % 5 = 0 THEN '2025-11-01'::timestamptz END
FROM generate_series(1, 30000) n;
INSERT INTO relation (source, external_id, customer_id, type, other_customer_id, other_name, end_reason, formality, position, decision_power, note)
SELECT 'crowd', n::text, 4 + n % 9000, 'acquaintance', 4 + (n * 7 + 1) % 9000, '', '', 'informal', '', '', ''
FROM generate_series(1, 9000) n WHERE n % 9000 <> (n * 7 + 1) % 9000;
INSERT INTO relation (source, external_id, customer_id, type, other_name, end_reason, formality, position, decision_power, note)
SELECT 'crowd', 'child ' || n, 4 + n % 9000, 'child', 'Adam ' || n, '', 'formal', '', '', ''
FROM generate_series(1, 9000) n;
INSERT INTO document (source, external_id, customer_id, kind, title, language, text, text_bytes, media_type, original_uri)
SELECT 'crowd', n::text, 3 + n % 10000, CASE WHEN n % 100 = 0 THEN 'contract' ELSE 'correspondence' END, 'Letter ' || n, 'cs', 'Dear', 4, '', ''
FROM generate_series(1, 30000) n;
INSERT INTO customer_identifier (customer_id, kind, value)
SELECT 3 + n % 10000, k, n::text FROM generate_series(1, 10000) n, unnest(ARRAY['phone', 'email', 'tax_id', 'document']) k;
INSERT INTO customer_state_change (customer_id, from_state, to_state, transition, reason, note, actor)
SELECT 3 + n % 10000, 'prospect', 'active', 'activate', '', '', 'crowd' FROM generate_series(1, 20000) n;
CREATE TABLE transaction_209901 PARTITION OF transaction FOR VALUES FROM ('2099-01-01') TO ('2099-02-01');
INSERT INTO transaction (transaction_id, source, external_id, version, account_id, business_date, direction, kind, amount, currency, base_amount,
    rate_date, balance_after_currency, purpose, counterparty_bank, counterparty_account, description, state)
SELECT 1000000 + n, 'crowd', n::text, 1, 3 + n % 10000, '2099-01-01'::date + n % 31, 'debit', 'card_payment', 1, 'CZK', 1,
    '2099-01-01', 'CZK', '', '', '', '', 'posted' FROM generate_series(1, 40000) n;
INSERT INTO account_balance_day (account_id, business_date, settled)
SELECT 3 + n % 10000, '2098-01-01'::date + n / 10000, 1 FROM generate_series(1, 40000) n;
INSERT INTO balance_mark (account_id, business_date, mark, above, balance, currency)
SELECT 3 + n % 10000, '2098-01-01'::date + n / 10000, 0, false, -1, 'CZK' FROM generate_series(1, 40000) n;
ANALYZE`

// recorder remembers the statements that a pool runs.
type recorder struct {
	mu         sync.Mutex
	statements map[string][]any
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements[data.SQL] = data.Args
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (r *recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (r *recorder) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements[data.SQL] = data.Args
}

// TraceBatchEnd implements pgx.BatchTracer.
func (r *recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// The hot statements of every room, found by using it, read no big table from end to end.
func TestHotStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	if _, err := b.pool.Exec(t.Context(), crowd); err != nil {
		t.Fatal(err)
	}
	config := b.pool.Config()
	seen := &recorder{statements: map[string][]any{}}
	config.ConnConfig.Tracer = seen
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	watched := &bank{pool: traced}
	watched.serve(t, traced)
	for _, k := range []kind{customers, accounts, holders, cards, contracts, contractParties, instalments, interactions, consents, relations, documents} {
		watched.exercise(t, k)
	}
	watched.exerciseScreen(t)
	watched.exerciseConsent(t, 77)
	if got := (&office{watched, crmv1.NewCustomerServiceClient(watched.conn)}).history(t, 77); len(got) == 0 {
		t.Error("a customer of the crowd has no history of states")
	}
	watched.exerciseRelations(t)
	for _, filter := range []string{"customer_id = 77", "account_id = 77"} {
		watched.listTwice(t, holders, filter)
		watched.listTwice(t, cards, filter)
	}
	watched.listTwice(t, contracts, "account_id = 77")
	watched.listTwice(t, contracts, "days_past_due > 5")
	watched.listTwice(t, accounts, "contract_id = 77")
	watched.listTwice(t, contractParties, "customer_id = 77")
	watched.listTwice(t, contractParties, "contract_id = 77")
	watched.listTwice(t, instalments, "contract_id = 77")
	for _, filter := range []string{
		"customer_id = 77", "participants.customer_id = 77", "participants.manager_id = 78", "participants:(customer_id = 77 AND role = attendee)",
		`participants.name = "Mr Nobody"`,
	} {
		watched.listTwice(t, interactions, filter)
	}
	watched.listTwice(t, consents, "customer_id = 77")
	watched.exerciseDocuments(t, 77)
	watched.listTwice(t, accounts, `number = "000077"`)
	watched.exerciseCustomerList(t)

	for _, filter := range identified {
		watched.listTwice(t, customers, filter)
	}

	b.readNothingWhole(t, seen, 40)
}

// readNothingWhole explains the statements that were seen, which must be so many at least.
func (b *bank) readNothingWhole(t *testing.T, seen *recorder, least int) {
	t.Helper()
	explained := 0
	for sql, args := range seen.statements {
		if !regexp.MustCompile(`^\s*(\(?SELECT|INSERT|UPDATE|WITH|--)`).MatchString(sql) {
			continue
		}
		explained++
		if scans := b.scans(t, sql, args); len(scans) > 0 {
			t.Errorf("reads %s from end to end: %s", strings.Join(scans, ", "), sql)
		}
	}
	if explained < least {
		t.Errorf("only %d statements were seen", explained)
	}
}

// exercise uses every method of a kind's service.
func (b *bank) exercise(t *testing.T, k kind) {
	t.Helper()
	k.source = "new"
	ids := b.upsert(t, k, k.record(1), k.record(2))
	b.upsert(t, k, k.changed(1, 1), k.changed(2, 2), k.record(3))
	b.listTwice(t, k, "")
	if k.has("Get" + k.one) {
		if _, err := b.get(t.Context(), k, ids[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := b.getByKey(t.Context(), k, key("crowd", 777)); err != nil {
			t.Fatal(err)
		}
	}
	if !k.has("Update" + k.one) {
		return
	}
	m := k.changed(1, 3)
	set(m.ProtoReflect(), k.name+"_id", ids[0])
	if _, err := b.update(t.Context(), k, m, "", k.edited); err != nil {
		t.Fatal(err)
	}
}

// listTwice reads the first page of a list and the one after it.
func (b *bank) listTwice(t *testing.T, k kind, filter string) {
	t.Helper()
	_, next, err := b.list(t.Context(), k, 1, "", filter)
	if err == nil && next != "" {
		_, _, err = b.list(t.Context(), k, 1, next, filter)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bank) exerciseScreen(t *testing.T) {
	t.Helper()
	var (
		held   []*crmv1.HeldAccount
		cards  []*crmv1.Card
		loans  []*crmv1.Contract
		last   []*crmv1.Interaction
		rfm    *crmv1.RfmInsight
		number int32

		standing []*crmv1.StandingConsent
		changed  time.Time
		around   []*crmv1.Connection
		segments []*crmv1.SegmentInsight
		scores   []*crmv1.ScoreInsight
	)
	err := record.ReadSnapshot(t.Context(), b.pool, account.ForCustomer(&held, untold, 77, 200), card.ForCustomer(&cards, 77, 200),
		contract.ForOwner(&loans, 77, 200), interaction.LastForCustomer(&last, 77, 10), interaction.OpenComplaints(&number, 77),
		insight.ForCustomer(&rfm, 77), consent.InForce(&standing, &changed, 77, 200), relation.ForCustomer(&around, 77, 200),
		insight.SegmentsForCustomer(&segments, 77, 200), insight.ScoresForCustomer(&scores, 77, 200))
	if err != nil {
		t.Fatal(err)
	}
	// As of a moment; the bank may be younger than that, which is found out after everything was read.
	_, err = crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{
		CustomerId: 77, AsOf: timestamppb.New(time.Now().Add(-time.Millisecond)),
	})
	if err != nil && status.Code(err) != codes.OutOfRange {
		t.Fatal(err)
	}
	if _, err := insight.List(t.Context(), b.pool, &crmv1.ListRfmHistoryRequest{CustomerId: 77}); err != nil {
		t.Fatal(err)
	}
	if _, err := insight.ListChanges(t.Context(), b.pool, &crmv1.ListInsightHistoryRequest{CustomerId: 77}); err != nil {
		t.Fatal(err)
	}
}

// plan is a node of a query plan.
type plan struct {
	NodeType string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []plan `json:"Plans"`
}

// scans names the big tables that a statement reads from end to end.
func (b *bank) scans(t *testing.T, sql string, args []any) []string {
	t.Helper()
	var raw []byte
	if err := b.pool.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+sql, args...).Scan(&raw); err != nil {
		t.Fatalf("explain %s: %v", sql, err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) == 0 {
		t.Fatal(fmt.Errorf("plan %s: %w", raw, err))
	}
	return plans[0].Plan.scans()
}

func (p plan) scans() []string {
	big := []string{
		"customer", "customer_identifier", "customer_state_change", "account", "account_holder", "card", "contract", "contract_party", "instalment",
		"interaction", "interaction_participant", "consent", "relation", "document", "customer_rfm_history", "customer_segment", "customer_segment_history",
		"customer_score", "customer_score_history", "account_balance_day", "balance_mark", "transaction_209901",
	}
	var found []string
	if p.NodeType == "Seq Scan" && slices.Contains(big, p.Relation) {
		found = append(found, p.Relation)
	}
	for _, child := range p.Plans {
		found = append(found, child.scans()...)
	}
	return found
}
