package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/search"
)

// asked is a statement as a search ran it.
type asked struct {
	sql  string
	args []any
}

// recorder remembers the statements that a pool runs.
type recorder struct {
	mu         sync.Mutex
	statements []asked
}

// take returns what was remembered since it was asked last.
func (r *recorder) take() []asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.statements
	r.statements = nil
	return out
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Contains(data.SQL, "SELECT") {
		r.statements = append(r.statements, asked{data.SQL, data.Args})
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (r *recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// No search reads a big table, or a big index, from end to end.
func TestSearchesUseIndexes(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	fill(t, w.customers, 0, 10_000)
	for _, statement := range []string{texts, accountsOfCrowd, papersOfCrowd, "ANALYZE"} {
		if _, err := w.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	config, seen := w.pool.Config(), &recorder{}
	config.ConnConfig.Tracer = seen
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	service := search.NewServer(traced)
	more := []string{"cz65 0800 0000 1920 0014 5399", "4321", "8 916 123 45 67", "c77*@", "МЮ 123456", "CZ27604977", "Jan (Novák OR rates) -ипотека", "test/12", "zástava", "smlouva Jan"}
	for _, q := range questions {
		more = append(more, q.query)
	}
	for _, query := range more {
		for _, filter := range []string{"", `state = "active"`} {
			if _, err := service.SearchCustomers(t.Context(), &crmv1.SearchCustomersRequest{Query: query, Filter: filter, PageSize: 5}); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
	}
	if len(seen.statements) < 200 {
		t.Errorf("only %d statements were seen", len(seen.statements))
	}
	for _, s := range seen.statements {
		if scans := w.explain(t, s, "COSTS").scans(); len(scans) > 0 {
			t.Errorf("reads %s from end to end: %s %v", strings.Join(scans, ", "), s.sql, s.args)
		}
	}
}

// accountsOfCrowd gives everybody an account and a card, and further identifiers.
const accountsOfCrowd = `
INSERT INTO account (source, external_id, number, currency, state)
SELECT 'crowd', customer_id::text, to_char(customer_id, 'FM0000000000'), 'CZK', 'open' FROM customer;
INSERT INTO account_holder (source, external_id, account_id, customer_id, role)
SELECT 'crowd', account_id::text, account_id, external_id::bigint, 'owner' FROM account;
INSERT INTO card (source, external_id, state, last4, customer_id, account_id)
SELECT 'crowd', account_id::text, 'active', right(to_char(account_id, 'FM0000000'), 4), customer_id, account_id FROM account_holder;
INSERT INTO customer_identifier (customer_id, kind, value)
SELECT customer_id, v.kind, value || customer_id FROM customer
CROSS JOIN (VALUES ('phone', '+4207'), ('email', 'x'), ('tax_id', '27'), ('document', 'мю')) AS v (kind, value)`

// papersOfCrowd gives every third customer a document; the words of one in a thousand are rare.
const papersOfCrowd = `
INSERT INTO document (customer_id, kind, title, language, text, text_bytes, media_type, original_uri)
SELECT customer_id, 'contract', 'Smlouva', '', body, octet_length(body), '', '' FROM customer
CROSS JOIN LATERAL (SELECT CASE WHEN customer_id % 999 = 0 THEN 'Zástava' ELSE 'Účet and rates' END AS body) texts WHERE customer_id % 3 = 0;
INSERT INTO document_search (document_id, part, customer_id, words)
SELECT document_id, 0, customer_id, search_words(title || ' ' || text) FROM document`

// plan is a node of a query plan.
type plan struct {
	NodeType    string  `json:"Node Type"`
	Relation    string  `json:"Relation Name"`
	Index       string  `json:"Index Name"`
	Condition   string  `json:"Index Cond"`
	Buffers     int     `json:"Shared Hit Blocks"`
	BuffersRead int     `json:"Shared Read Blocks"`
	Rows        float64 `json:"Actual Rows"`
	Removed     float64 `json:"Rows Removed by Filter"`
	Rechecked   float64 `json:"Rows Removed by Index Recheck"`
	Loops       float64 `json:"Actual Loops"`
	Plans       []plan  `json:"Plans"`
}

// rows is how many rows and entries of indexes the plan looked at.
func (p plan) rows() int {
	n := 0
	if strings.Contains(p.NodeType, "Scan") {
		n = int((p.Rows + p.Removed + p.Rechecked) * p.Loops)
	}
	for _, inner := range p.Plans {
		n += inner.rows()
	}
	return n
}

// explain plans, or runs, a statement under the settings of a search.
func (w *town) explain(t testing.TB, s asked, how string) plan {
	t.Helper()
	var raw []byte
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), search.Settings); err != nil {
			return err
		}
		args := slices.DeleteFunc(slices.Clone(s.args), func(arg any) bool { return arg == pgx.QueryExecModeExec })
		sql := fmt.Sprintf("EXPLAIN (%s, FORMAT JSON) %s", how, s.sql)
		return tx.QueryRow(t.Context(), sql, append([]any{pgx.QueryExecModeExec}, args...)...).Scan(&raw)
	})
	if err != nil {
		t.Fatalf("explain %s: %v", s.sql, err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) == 0 {
		t.Fatal(fmt.Errorf("plan %s: %w", raw, err))
	}
	return plans[0].Plan
}

func (p plan) scans() []string {
	big := []string{"customer", "customer_search", "search_word", "account", "account_holder", "card", "interaction", "customer_identifier", "document_search"}
	var found []string
	if slices.Contains(big, p.Relation) {
		whole := p.NodeType == "Seq Scan" || strings.HasPrefix(p.NodeType, "Index") && p.Condition == ""
		if whole {
			found = append(found, p.NodeType+" "+p.Relation)
		}
	}
	for _, inner := range p.Plans {
		found = append(found, inner.scans()...)
	}
	return found
}

// strangers are customers of whom no one named Oksana ever spoke about rates, and all others did.
const strangers = `
INSERT INTO customer (kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency, legal_name,
    registration_number, industry_nace, annual_turnover_currency)
SELECT 'individual', 'active', '', '', CASE WHEN n % 10 = 0 THEN 'Oksana' ELSE 'Eva' END, '', '', '', '', '', '', '', ''
FROM generate_series(1, 45000) n;
INSERT INTO customer_search (customer_id, words, rules)
SELECT customer_id, array_to_tsvector(ARRAY[lower(given_name), replace('~' || lower(given_name), 'ks', 'x')]), 1 FROM customer;
INSERT INTO interaction (customer_id, kind, opened_at, subject)
SELECT customer_id, 'call', now(), 'Rates' FROM customer WHERE given_name <> 'Oksana';
ANALYZE`

// Words that are common each and rare together end a page early, and its token goes on: nothing is lost.
func TestWalkGoesOn(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	if _, err := w.pool.Exec(t.Context(), strangers); err != nil {
		t.Fatal(err)
	}
	w.add(t, person("late", "Oksana", "Malá"))
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO interaction (customer_id, kind, opened_at, subject)
SELECT customer_id, 'call', now(), 'Rates' FROM customer WHERE external_id = 'n-late'`); err != nil {
		t.Fatal(err)
	}
	req, calls, got := &crmv1.SearchCustomersRequest{Query: "rates Оксана"}, 0, ""
	for {
		answer, err := w.search.SearchCustomers(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		got += found(answer.GetHits())
		calls++
		if req.PageToken = answer.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if got != "late:text" || calls < 2 {
		t.Errorf("%d calls found %q", calls, got)
	}
}
