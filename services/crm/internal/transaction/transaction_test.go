package transaction_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/natsx"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/transaction"
	"tandem.bank/services/crm/migrations"
)

// bundle is a ledger with two accounts of one customer, 1 and 2.
type bundle struct {
	pool   *pgxpool.Pool
	ledger *transaction.Ledger
}

func setup(t *testing.T) *bundle {
	t.Helper()
	pool := testkit.Postgres(t, testkit.Template{Name: "crm", Migrate: migrations.Migrate})
	_, err := pool.Exec(t.Context(), `
INSERT INTO customer (kind, state, phone, email, given_name, family_name, sex, occupation, monthly_income_currency, legal_name,
                      registration_number, industry_nace, annual_turnover_currency)
VALUES ('individual', 'active', '', '', '', '', '', '', '', '', '', '', '');
INSERT INTO account (number, currency, state, statement_frequency) VALUES ('1', 'CZK', 'open', ''), ('2', 'CZK', 'open', '');
INSERT INTO account_holder (account_id, customer_id, role) VALUES (1, 1, 'owner'), (2, 1, 'owner')`)
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{pool: pool, ledger: transaction.NewLedger(pool, "CZK")}
}

// movement is a valid transaction, changed by the given edits.
func movement(id string, edits ...func(*crmv1.Transaction)) *crmv1.Transaction {
	t := &crmv1.Transaction{
		Key:          &crmv1.ExternalKey{Source: "core", ExternalId: id},
		AccountId:    1,
		BusinessDate: &date.Date{Year: 2026, Month: 3, Day: 14},
		Direction:    crmv1.Direction_DIRECTION_DEBIT,
		Kind:         crmv1.TransactionKind_TRANSACTION_KIND_CARD_PAYMENT,
		Amount:       &money.Money{CurrencyCode: "CZK", Units: 100},
	}
	for _, edit := range edits {
		edit(t)
	}
	return t
}

func version(v int32) func(*crmv1.Transaction) { return func(t *crmv1.Transaction) { t.Version = v } }

func units(n int64) func(*crmv1.Transaction) {
	return func(t *crmv1.Transaction) { t.Amount = &money.Money{CurrencyCode: "CZK", Units: n} }
}

func onDay(day int32) func(*crmv1.Transaction) {
	return func(t *crmv1.Transaction) { t.BusinessDate = &date.Date{Year: 2026, Month: 3, Day: day} }
}

func (b *bundle) record(t *testing.T, messages ...*crmv1.Transaction) []*crmv1.UpsertResult {
	t.Helper()
	results, err := b.ledger.Record(t.Context(), messages, false)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// want compares the outcomes, or the code of a refusal, in the order of the rows.
func want(t *testing.T, results []*crmv1.UpsertResult, outcomes ...any) {
	t.Helper()
	for i, outcome := range outcomes {
		var got any = results[i].GetOutcome()
		if results[i].GetError() != nil {
			got = codes.Code(results[i].GetError().GetCode())
		}
		if got != outcome {
			t.Errorf("row %d: %v, want %v", i, results[i], outcome)
		}
	}
}

const (
	created   = crmv1.UpsertOutcome_UPSERT_OUTCOME_CREATED
	updated   = crmv1.UpsertOutcome_UPSERT_OUTCOME_UPDATED
	unchanged = crmv1.UpsertOutcome_UPSERT_OUTCOME_UNCHANGED
)

func (b *bundle) published(t *testing.T) (states []*eventsv1.TransactionState) {
	t.Helper()
	rows, err := b.pool.Query(t.Context(), "SELECT payload FROM outbox ORDER BY outbox_id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var change eventsv1.Change
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(raw, &change); err != nil {
			t.Fatal(err)
		}
		states = append(states, change.GetTransactionBundle().GetTransactions()...)
	}
	return states
}

func TestEachVersionOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want(t, b.record(t, movement("a"), movement("b"), movement("a")), created, created, unchanged)
	want(t, b.record(t, movement("a"), movement("a", units(7))), unchanged, codes.AlreadyExists)
	want(t, b.record(t, movement("a", version(3), units(9)), movement("a", version(2), units(8))), updated, unchanged)
	// A correction and its original in one bundle, in the wrong order.
	want(t, b.record(t, movement("c", version(2), units(5)), movement("c")), created, unchanged)

	got, err := b.ledger.Get(t.Context(), 0, &crmv1.ExternalKey{Source: "core", ExternalId: "a"})
	if err != nil || got.GetAmount().GetUnits() != 9 || got.GetVersion() != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	states := b.published(t)
	if len(states) != 4 || states[2].GetAmount().GetValue() != "9" || states[2].GetVersion() != 3 {
		t.Fatalf("published %v", states)
	}
}

func TestRefusalsNameTheFieldAndSpareTheRest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cases := []struct {
		field string
		code  codes.Code
		edit  func(*crmv1.Transaction)
	}{
		{"amount", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Amount.CurrencyCode = "ZZZ" }},
		{"amount", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Amount.Units = -1 }},
		{"base_amount", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Amount.CurrencyCode = "EUR" }},
		{"business_date", codes.InvalidArgument, func(t *crmv1.Transaction) { t.BusinessDate.Day = 32 }},
		{"business_date", codes.InvalidArgument, func(t *crmv1.Transaction) { t.BusinessDate.Year = 2199 }},
		{"account_id", codes.NotFound, func(t *crmv1.Transaction) { t.AccountId = 99 }},
		{"account_id", codes.InvalidArgument, func(t *crmv1.Transaction) { t.AccountId = 0 }},
		{"direction", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Direction = 0 }},
		{"description", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Description = "card 4111111111111111" }},
		{"description", codes.InvalidArgument, func(t *crmv1.Transaction) { t.Description = "a\x00b" }},
	}
	messages := []*crmv1.Transaction{movement("good")}
	for i, c := range cases {
		messages = append(messages, movement(fmt.Sprint("bad", i), c.edit))
	}
	results := b.record(t, messages...)
	want(t, results, created)
	for i, c := range cases {
		refusal := results[i+1].GetError()
		if codes.Code(refusal.GetCode()) != c.code || !strings.Contains(refusal.GetMessage(), c.field) {
			t.Errorf("case %d: %v, want %s on %s", i, refusal, c.code, c.field)
		}
	}
	if n := len(b.published(t)); n != 1 {
		t.Errorf("%d transactions published, want the good one", n)
	}
}

func TestCorrectionStaysOnItsAccountAndDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want(t, b.record(t, movement("a")), created)
	moved := func(t *crmv1.Transaction) { t.AccountId = 2 }
	want(t, b.record(t, movement("a", version(2), moved)), codes.InvalidArgument)
	want(t, b.record(t, movement("a", version(2), onDay(15))), codes.InvalidArgument)
}

// TestLargeBundleFitsMessages records the longest texts that are allowed: the events are split, and all are there.
func TestLargeBundleFitsMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var messages []*crmv1.Transaction
	for i := range 3000 {
		messages = append(messages, movement(fmt.Sprint(i), func(t *crmv1.Transaction) { t.Purpose = strings.Repeat("ж", 100) }))
	}
	b.record(t, messages...)
	var largest int
	if err := b.pool.QueryRow(t.Context(), "SELECT max(octet_length(payload)) FROM outbox").Scan(&largest); err != nil {
		t.Fatal(err)
	}
	if largest > natsx.PayloadBytesMax || len(b.published(t)) != len(messages) {
		t.Fatalf("largest event %d bytes, %d transactions published", largest, len(b.published(t)))
	}
}

func TestValidateOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	results, err := b.ledger.Record(t.Context(), []*crmv1.Transaction{movement("a")}, true)
	if err != nil {
		t.Fatal(err)
	}
	want(t, results, created)
	want(t, b.record(t, movement("a")), created)
}

func TestBalanceFollowsTheNewestDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	balance := func(n int64) func(*crmv1.Transaction) {
		return func(t *crmv1.Transaction) { t.BalanceAfter = &money.Money{CurrencyCode: "CZK", Units: n} }
	}
	b.record(t, movement("a", onDay(10), balance(500)))
	b.record(t, movement("late", onDay(3), balance(900)))
	var got int64
	if err := b.pool.QueryRow(t.Context(), "SELECT ledger_balance::bigint FROM account WHERE account_id = 1").Scan(&got); err != nil || got != 500 {
		t.Fatalf("balance %d, %v; want 500", got, err)
	}
}

func TestListPagesAreWholeAndNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var messages []*crmv1.Transaction
	for i := range int64(50) {
		messages = append(messages, movement(fmt.Sprint(i), onDay(int32(i%9)+1), func(t *crmv1.Transaction) { t.AccountId = i%2 + 1 }))
	}
	b.record(t, messages...)
	seen, token := 0, ""
	var last *crmv1.Transaction
	for {
		page, err := b.ledger.List(t.Context(), &crmv1.ListTransactionsRequest{CustomerId: 1, PageSize: 7, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Items {
			if last != nil && (f.GetBusinessDate().GetDay() > last.GetBusinessDate().GetDay() ||
				(f.GetBusinessDate().GetDay() == last.GetBusinessDate().GetDay() && f.GetTransactionId() >= last.GetTransactionId())) {
				t.Fatalf("%v after %v", f, last)
			}
			seen, last = seen+1, f
		}
		if token = page.Next; token == "" {
			break
		}
	}
	if seen != 50 {
		t.Fatalf("%d transactions in all pages, want 50", seen)
	}
}

// TestConcurrentBundles sends the same keys from many sides at once: each is recorded once, and nothing deadlocks.
func TestConcurrentBundles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var messages, reversed []*crmv1.Transaction
	for i := range 200 {
		messages = append(messages, movement(fmt.Sprint(i), func(t *crmv1.Transaction) { t.AccountId = int64(i%2) + 1 }))
	}
	for i := range messages {
		reversed = append(reversed, messages[len(messages)-1-i])
	}
	var group sync.WaitGroup
	fresh := make(chan int, 8)
	for i := range 8 {
		group.Go(func() {
			side := messages
			if i%2 == 1 {
				side = reversed
			}
			fresh <- b.countCreated(t.Context(), t, side)
		})
	}
	group.Wait()
	close(fresh)
	total := 0
	for n := range fresh {
		total += n
	}
	if total != 200 || len(b.published(t)) != 200 {
		t.Fatalf("%d created, %d published; want 200", total, len(b.published(t)))
	}
}

func (b *bundle) countCreated(ctx context.Context, t *testing.T, messages []*crmv1.Transaction) (n int) {
	results, err := b.ledger.Record(ctx, messages, false)
	if err != nil {
		t.Error(err)
	}
	for _, r := range results {
		if r.GetOutcome() == created {
			n++
		}
	}
	return n
}
