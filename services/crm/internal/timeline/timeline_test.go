package timeline_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/timeline"
	"tandem.bank/services/crm/migrations"
)

// history is a bank in which customer 1 has entries of every kind, many at the same moment; customer 2 only took part.
const history = `
INSERT INTO bank (base_currency, time_zone, balance_marks) VALUES ('CZK', 'Europe/Prague', '{0,1000}');
INSERT INTO customer (kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency, legal_name,
    registration_number, industry_nace, annual_turnover_currency)
SELECT 'individual', 'active', '', '', '', '', '', '', '', '', '', '', '' FROM generate_series(1, 3000);
INSERT INTO account (number, currency, state) SELECT n::text, 'CZK', 'open' FROM generate_series(1, 2000) n;
INSERT INTO account_holder (account_id, customer_id, role) SELECT a, a + 0, 'owner' FROM generate_series(1, 2000) a WHERE a <> 2;
INSERT INTO account_holder (account_id, customer_id, role) VALUES (2, 1, 'owner');
INSERT INTO interaction (customer_id, kind, opened_at, subject, channel)
SELECT 1 + n %% 300 * (n %% 2), 'call', '2026-03-29'::date + (n %% 40) * interval '6 hours', 'about ' || n, CASE WHEN n %% 3 = 0 THEN 'phone' ELSE '' END
FROM generate_series(1, %[1]d) n;
INSERT INTO interaction_participant SELECT 'customer', 2, opened_at, interaction_id FROM interaction WHERE customer_id = 1 AND interaction_id <= 20;
CREATE TABLE behaviour_event_202603 PARTITION OF behaviour_event FOR VALUES FROM ('2026-03-01') TO ('2026-05-01');
INSERT INTO behaviour_event SELECT n, '2026-03-28'::date + (n %% 50) * interval '3 hours', 's', n::text, 1 + n %% 5, '', 'site_visit', 'web', '', '/p' || n, '',
    NULL, 0, '{}', 1 FROM generate_series(1, %[1]d) n;
CREATE TABLE transaction_202603 PARTITION OF transaction FOR VALUES FROM ('2026-03-01') TO ('2026-05-01');
INSERT INTO transaction SELECT n, 's', n::text, 1, 1 + n %% 5, '2026-03-25'::date + n %% 12, 'credit', 'transfer', 10, 'CZK', 10, '2026-03-25', NULL, '', '', '', '', '', 'posted' FROM generate_series(1, %[1]d) n;
INSERT INTO consent (customer_id, purpose, channel, granted_at, withdrawn_at)
SELECT 1 + n %% 100, 'marketing', 'any', '2026-03-29'::date + n * interval '1 hour', '2026-03-29'::date + n * interval '7 hours' FROM generate_series(1, 900) n;
INSERT INTO relation (customer_id, type, other_name, end_reason, formality, position, decision_power, note, valid_from, valid_to)
SELECT 1 + n %% 100, 'child', 'C' || n, '', 'formal', '', '', '', '2026-03-20'::date + n %% 20, '2026-04-10' FROM generate_series(1, 1000) n;
INSERT INTO audit_entry (at, actor, peer, method, request_id, trace_id, action, entity, entity_id, version, customer_id, before, after)
SELECT '2026-03-29'::date + (n %% 30) * interval '6 hours', 'eva', '', '', '', '', CASE WHEN n %% 4 = 0 THEN 'read' ELSE 'update' END,
    CASE WHEN n %% 2 = 0 THEN 'customer' ELSE 'account' END, 1 + n %% 10, n, 1 + n %% 10, '{"state":"a"}', '{"state":"b"}' FROM generate_series(1, %[1]d) n;
INSERT INTO document (customer_id, kind, title, language, text, text_bytes, media_type, original_uri, document_at, created_at)
SELECT 1 + n %% 50, 'statement', 'Statement ' || n, '', '', 0, '', '', CASE WHEN n %% 3 > 0 THEN '2026-03-29'::date + n %% 20 * interval '6 hours' END,
    '2026-03-30'::date + n %% 7 * interval '6 hours' FROM generate_series(1, 4000) n;
INSERT INTO customer_rfm_history (customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at)
SELECT 1 + n %% 100, '2026-03-29'::date + n / 100 * interval '1 day', '2026-03-28', gen_random_uuid(), (n / 300 * 111 + 111)::text, 1, 1, 1, 'CZK', '2026-03-29'
FROM generate_series(1, 1000) n;
UPDATE account SET ledger_balance = 500, balance_date = '2026-03-29';
UPDATE account SET ledger_balance = -5, balance_date = '2026-03-30';
UPDATE account SET ledger_balance = 5000, balance_date = '2026-03-31';
ANALYZE`

func setup(t testing.TB, rows int) (*pgxpool.Pool, *timeline.Server) {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	if _, err := pool.Exec(t.Context(), fmt.Sprintf(history, rows)); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Prague")
	if err != nil {
		t.Fatal(err)
	}
	return pool, timeline.NewServer(pool, zone)
}

// read turns all pages of a size; between is called after each.
func read(t testing.TB, s *timeline.Server, req *crmv1.ListTimelineRequest, between func()) (entries []*crmv1.TimelineEntry) {
	t.Helper()
	req.PageToken = ""
	for {
		page, err := s.ListTimeline(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, page.GetEntries()...)
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return entries
		}
		if between != nil {
			between()
		}
	}
}

func names(entries []*crmv1.TimelineEntry) (out []string) {
	for _, e := range entries {
		out = append(out, fmt.Sprintln(e.GetTime().AsTime().Format(time.RFC3339), e.GetKind(), e.GetEntity(), e.GetEntityId(), e.GetTitle()))
	}
	return out
}

func TestPagesAreTheWholeList(t *testing.T) {
	t.Parallel()
	pool, s := setup(t, 600)
	whole := read(t, s, &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: 1000}, nil)
	kinds := map[crmv1.TimelineKind]int{}
	for i, e := range whole {
		kinds[e.GetKind()]++
		if i > 0 && e.GetTime().AsTime().After(whole[i-1].GetTime().AsTime()) {
			t.Fatalf("%v after %v", e, whole[i-1])
		}
	}
	if len(kinds) != 11 || kinds[crmv1.TimelineKind_TIMELINE_KIND_DOCUMENT] != 80 || kinds[crmv1.TimelineKind_TIMELINE_KIND_RFM_CHANGE] != 4 || kinds[crmv1.TimelineKind_TIMELINE_KIND_BALANCE_MARK] != 2*3 {
		t.Errorf("%d entries of kinds %v", len(whole), kinds)
	}
	for _, size := range []int32{1, 2, 3, 7, 50, 333} {
		if got := names(read(t, s, &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: size}, nil)); !slices.Equal(got, names(whole)) {
			t.Errorf("pages of %d are not the whole list", size)
		}
	}
	// What is recorded meanwhile neither repeats nor hides what was there.
	n := 100000
	got := names(read(t, s, &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: 40}, func() {
		n++
		if _, err := pool.Exec(t.Context(), `INSERT INTO behaviour_event SELECT $1::bigint, '2026-04-20', 's', 'new ' || $1::bigint, 1, '', 'site_visit', 'web', '', '/new', '',
    NULL, 0, '{}', 1`, n); err != nil {
			t.Fatal(err)
		}
	}))
	if !slices.Equal(got, names(whole)) {
		t.Error("entries that came meanwhile changed the pages")
	}
	if took := read(t, s, &crmv1.ListTimelineRequest{CustomerId: 2, Filter: `kind = "interaction"`}, nil); len(took) < 10 {
		t.Errorf("a participant sees %d interactions", len(took))
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	_, s := setup(t, 300)
	whole := read(t, s, &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: 1000}, nil)
	cases := map[string]func(*crmv1.TimelineEntry) bool{
		`kind = "transaction"`: func(e *crmv1.TimelineEntry) bool { return e.GetKind() == crmv1.TimelineKind_TIMELINE_KIND_TRANSACTION },
		`channel = "phone"`:    func(e *crmv1.TimelineEntry) bool { return e.GetChannel() == "phone" },
		`account_id = 2`:       func(e *crmv1.TimelineEntry) bool { return e.GetAccountId() == 2 },
		`time >= "2026-03-31T00:00:00+02:00"`: func(e *crmv1.TimelineEntry) bool {
			return !e.GetTime().AsTime().Before(time.Date(2026, 3, 30, 22, 0, 0, 0, time.UTC))
		},
		`subject:"Statement 1"`: func(e *crmv1.TimelineEntry) bool { return strings.HasPrefix(e.GetDocument().GetTitle(), "Statement 1") },
		`source = "analytics"`:  func(e *crmv1.TimelineEntry) bool { return e.GetRfmChange().GetTo() != "" },
		`subject:"about 1"`:     func(e *crmv1.TimelineEntry) bool { return strings.Contains(e.GetInteraction().GetSubject(), "about 1") },
		`NOT kind = "behaviour_event"`: func(e *crmv1.TimelineEntry) bool {
			return e.GetKind() != crmv1.TimelineKind_TIMELINE_KIND_BEHAVIOUR_EVENT
		},
	}
	for text, keeps := range cases {
		var want []*crmv1.TimelineEntry
		for _, e := range whole {
			if keeps(e) {
				want = append(want, e)
			}
		}
		got := read(t, s, &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: 9, Filter: text}, nil)
		if len(want) == 0 || !slices.Equal(names(got), names(want)) {
			t.Errorf("%s: %d entries, want %d", text, len(got), len(want))
		}
	}
	for _, text := range []string{`kindd = "x"`, `kind = "weather"`, `card_id = "x"`} {
		_, err := s.ListTimeline(t.Context(), &crmv1.ListTimelineRequest{CustomerId: 1, Filter: text})
		if st, _ := apperr.Public(err); st.Code() != codes.InvalidArgument {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := s.ListTimeline(t.Context(), &crmv1.ListTimelineRequest{CustomerId: 99999}); err == nil {
		t.Error("a customer who does not exist has a timeline")
	} else if st, _ := apperr.Public(err); st.Code() != codes.NotFound || status.Code(err) == codes.OK {
		t.Errorf("unknown customer: %v", err)
	}
}

// No source reads a big table from end to end, on the first page and on the next.
func TestSourcesUseIndexes(t *testing.T) {
	t.Parallel()
	pool, _ := setup(t, 20000)
	for i, statement := range timeline.Statements(1) {
		var raw []byte
		if err := pool.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+statement.SQL, statement.Args...).Scan(&raw); err != nil {
			t.Fatal(err)
		}
		var plans []struct{ Plan plan }
		if err := json.Unmarshal(raw, &plans); err != nil {
			t.Fatal(err)
		}
		if scans := plans[0].Plan.scans(); len(scans) > 0 {
			t.Errorf("source %d reads %v from end to end: %s", i, scans, statement.SQL)
		}
	}
}

// plan is a node of a query plan.
type plan struct {
	NodeType string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []plan `json:"Plans"`
}

func (p plan) scans() (found []string) {
	big := []string{
		"interaction", "behaviour_event_202603", "transaction_202603", "audit_entry_default", "consent", "relation", "balance_mark", "account_holder", "document", "customer_rfm_history",
	}
	if p.NodeType == "Seq Scan" && (slices.Contains(big, p.Relation) || strings.HasPrefix(p.Relation, "audit_entry_2")) {
		found = append(found, p.Relation)
	}
	for _, child := range p.Plans {
		found = append(found, child.scans()...)
	}
	return found
}

func BenchmarkTimeline(b *testing.B) {
	_, s := setup(b, 20000) // customer 1 has some ten thousand entries by itself
	for b.Loop() {
		if _, err := s.ListTimeline(b.Context(), &crmv1.ListTimelineRequest{CustomerId: 1, PageSize: 50}); err != nil {
			b.Fatal(err)
		}
	}
}
