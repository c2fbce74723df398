package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// screens of customers at a moment.
type glance struct {
	at      time.Time
	did     string
	screens map[string]*crmv1.GetCustomer360Response
}

func (b *bank) screen(t *testing.T, name string, asOf *time.Time, paths ...string) (*crmv1.GetCustomer360Response, error) {
	t.Helper()
	req := &crmv1.GetCustomer360Request{Key: fixed(name)}
	if asOf != nil {
		req.AsOf = timestamppb.New(*asOf)
	}
	if paths != nil {
		req.ReadMask = &fieldmaskpb.FieldMask{Paths: paths}
	}
	return crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(t.Context(), req)
}

func (b *bank) look(t *testing.T, did string) glance {
	t.Helper()
	g := glance{did: did, screens: map[string]*crmv1.GetCustomer360Response{}}
	if err := b.pool.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&g.at); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"customer", "other customer"} {
		screen, err := b.screen(t, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		g.screens[name] = screen
	}
	return g
}

// change does something to records of any kind that a screen shows, or fails in trying: what is refused leaves no trace.
func (b *bank) change(t *testing.T, r *rand.Rand) string {
	t.Helper()
	pick := func(names ...string) *crmv1.ExternalKey { return fixed(names[r.IntN(len(names))]) }
	someone := func() *crmv1.ExternalKey { return pick("customer", "other customer") }
	somewhere := func() *crmv1.ExternalKey { return pick("account", "other account") }
	word, n := fmt.Sprint("word ", r.IntN(5)), 1+r.IntN(3)
	k := []kind{
		customers, accounts, holders, cards, contracts, interactions, consents, relations, relations, cards, holders,
		contractParties, instalments, instalments,
	}[r.IntN(14)]
	m := k.sample("past", n)
	if k.edited != "" && k.name != "customer" {
		m = edit(m, k.edited, word)
	}
	switch m := m.(type) {
	case *crmv1.Customer:
		m.Key, m.Phone = someone(), fmt.Sprintf("+42060100000%d", r.IntN(10))
		m.GetIndividual().MonthlyIncome = crowns(int64(1000 * r.IntN(5)))
	case *crmv1.Account:
		m.Key, m.Currency, m.Number = fixed("other account"), "EUR", fmt.Sprint(r.IntN(1000))
		m.State = []crmv1.AccountState{crmv1.AccountState_ACCOUNT_STATE_OPEN, crmv1.AccountState_ACCOUNT_STATE_BLOCKED}[r.IntN(2)]
	case *crmv1.AccountHolder:
		m.AccountKey, m.CustomerKey, m.ValidTo = somewhere(), someone(), []*crmv1.AccountHolder{{}, {ValidTo: day(2023, 1, 1)}}[r.IntN(2)].GetValidTo()
	case *crmv1.Card:
		m.AccountHolderKey, m.CustomerKey, m.AccountKey = nil, someone(), somewhere()
	case *crmv1.Contract:
		m.AccountKey = somewhere()
	case *crmv1.ContractParty:
		m.CustomerKey, m.ValidTo = someone(), []*crmv1.ContractParty{{}, {ValidTo: day(2025, 6, 1)}}[r.IntN(2)].GetValidTo()
	case *crmv1.Instalment:
		m.Paid, m.Due = crowns(int64(1000*r.IntN(7))), day(2025, int32(1+r.IntN(12)), 2)
	case *crmv1.Interaction:
		if r.IntN(2) == 0 {
			m.ResolvedTime = m.GetDueTime()
		}
		m.Participants = [][]*crmv1.Participant{
			nil, {{CustomerKey: fixed("other customer")}}, {{CustomerKey: fixed("other customer")}, {Name: word}}, {{Name: word}},
		}[r.IntN(4)]
	case *crmv1.Consent:
		m.ExpiresTime = nil
		if r.IntN(2) == 0 {
			m.WithdrawnTime, m.WithdrawnHow, m.WithdrawalReason, m.WithdrawalProof = nil, 0, "", ""
		}
	case *crmv1.Relation:
		if r.IntN(2) == 0 {
			m.Type, m.OtherName, m.OtherBirthDate, m.OtherCustomerKey = crmv1.RelationType_RELATION_TYPE_SPOUSE, "", nil, fixed("other customer")
			m.Key, m.ValidTo = key("spouse", 1), []*crmv1.Relation{{}, {ValidTo: day(2024, 1, 1)}}[r.IntN(2)].GetValidTo()
		}
	}
	results, err := b.batch(t.Context(), k, []proto.Message{m}, "", false)
	return fmt.Sprintf("%s %v: %v %v", k.name, m, results, err)
}

const standSQL = `WITH run AS (SELECT customer_id, current_date - 1, gen_random_uuid(), $1::text, 3, 4, 5.5, 'CZK', now(), clock_timestamp() FROM customer),
standing AS (INSERT INTO customer_rfm (customer_id, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at, applied_at)
	SELECT * FROM run ON CONFLICT (customer_id) DO UPDATE
	SET cell = excluded.cell, run_id = excluded.run_id, computed_at = excluded.computed_at, applied_at = excluded.applied_at RETURNING *)
INSERT INTO customer_rfm_history (customer_id, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at, applied_at)
SELECT customer_id, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at, applied_at FROM standing`

// As apply_segment.sql and apply_score.sql: a customer joins and leaves, and has a value now and then.
const standNamedSQL = `WITH joined AS (INSERT INTO customer_segment (customer_id, segment, member, as_of, run_id, definition_version, computed_at, applied_at)
	SELECT customer_id, 'odd', $1 % 2 = 1, current_date - 1, gen_random_uuid(), 1, now(), clock_timestamp() FROM customer
	ON CONFLICT (customer_id, segment) DO UPDATE SET member = excluded.member, run_id = excluded.run_id, computed_at = excluded.computed_at,
	applied_at = excluded.applied_at RETURNING *),
kept AS (INSERT INTO customer_segment_history SELECT * FROM joined),
valued AS (INSERT INTO customer_score (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
	SELECT customer_id, 'fit', nullif($1, 8), 'A', current_date - 1, gen_random_uuid(), 1, 0, now(), clock_timestamp() FROM customer
	ON CONFLICT (customer_id, score) DO UPDATE SET value = excluded.value, run_id = excluded.run_id, computed_at = excluded.computed_at,
	applied_at = excluded.applied_at RETURNING *)
INSERT INTO customer_score_history SELECT * FROM valued`

// Whatever is done: the screen as of a moment is what the screen showed at the moment.
func TestScreenAsOf(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b, r := newBank(t), rand.New(rand.NewPCG(seed, 1))
			past := []glance{b.look(t, "furnish")}
			for i := range 40 {
				if i%13 == 5 {
					if _, err := b.pool.Exec(t.Context(), standSQL, fmt.Sprint(100+i)); err != nil {
						t.Fatal(err)
					}
				}
				if i%5 == 3 {
					if _, err := b.pool.Exec(t.Context(), standNamedSQL, i); err != nil {
						t.Fatal(err)
					}
				}
				past = append(past, b.look(t, b.change(t, r)))
			}
			for i, g := range past {
				for name, want := range g.screens {
					got, err := b.screen(t, name, &g.at)
					if err != nil {
						t.Fatal(err)
					}
					ignore := protocmp.IgnoreFields(&crmv1.GetCustomer360Response{}, "as_of", "history_start_time", "not_in_history")
					age := protocmp.IgnoreFields(&crmv1.PartAge{}, "age_seconds")
					if diff := cmp.Diff(want, got, protocmp.Transform(), ignore, age); diff != "" {
						t.Fatalf("%s after %d changes, the last %s (-shown then +as of then):\n%s", name, i, g.did, diff)
					}
				}
			}
		})
	}
}

func TestScreenMoments(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	late := b.look(t, "").at
	b.upsert(t, customers, edit(customers.sample("moments", 1), "email", "a@example.com"))
	req := &crmv1.GetCustomer360Request{Key: key("moments", 1), AsOf: timestamppb.New(late)}
	client := crmv1.NewCustomer360ServiceClient(b.conn)
	if _, err := client.GetCustomer360(t.Context(), req); status.Code(err) != codes.NotFound {
		t.Errorf("a customer who was not known: %v", err)
	}
	for code, at := range map[codes.Code]time.Time{
		codes.InvalidArgument: time.Now().Add(time.Hour), codes.NotFound: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if _, err := b.screen(t, "customer", &at); status.Code(err) != code {
			t.Errorf("as of %s: %v", at, err)
		}
	}
	// A customer older than the history.
	if _, err := b.pool.Exec(t.Context(), "UPDATE customer SET created_at = '2001-01-01' WHERE external_id = 'customer'"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.screen(t, "customer", new(time.Date(2001, 1, 2, 0, 0, 0, 0, time.UTC))); status.Code(err) != codes.OutOfRange {
		t.Errorf("before the history: %v", err)
	}
	answer, err := b.screen(t, "customer", &late)
	if err != nil || answer.GetHistoryStartTime().AsTime().After(late) || !answer.GetAsOf().AsTime().Equal(late) ||
		!slices.Contains(answer.GetNotInHistory(), "accounts.available_balance") || slices.Contains(answer.GetNotInHistory(), "accounts.ledger_balance") {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestScreenReadMask(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.upsert(t, interactions, interactions.sample("mask", 1))
	answer, err := b.screen(t, "customer", nil, "customer.individual.given_name", "accounts.account.currency", "open_complaints")
	if err != nil {
		t.Fatal(err)
	}
	ages := answer.GetAges()
	answer.Ages = nil
	same(t, "shown", &crmv1.GetCustomer360Response{
		Customer:       &crmv1.Customer{Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva"}}},
		Accounts:       []*crmv1.HeldAccount{{Account: &crmv1.Account{Currency: "CZK"}}},
		OpenComplaints: 1,
	}, answer)
	if len(ages) != 2 || ages["customer"] == nil || ages["accounts"] == nil {
		t.Errorf("ages of what was read: %v", ages)
	}
	_, err = b.screen(t, "customer", nil, "acounts", "customer.fone")
	if status.Code(err) != codes.InvalidArgument {
		t.Fatal(err)
	}
	for _, field := range []string{`did you mean "accounts"`, `"customer.fone" is not a field`} {
		if !strings.Contains(status.Convert(err).Message(), field) {
			t.Errorf("%v does not say %s", err, field)
		}
	}
	// No customer, no parts, not even of those that would be empty.
	_, err = crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(t.Context(), &crmv1.GetCustomer360Request{
		CustomerId: 999999, ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"cards"}},
	})
	if status.Code(err) != codes.NotFound {
		t.Errorf("cards of nobody: %v", err)
	}
}

// Balances of a past screen are those of its day in the daily history.
func TestScreenBalances(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	at := b.look(t, "").at
	state := func(days int, balance string) {
		t.Helper()
		if _, err := b.pool.Exec(t.Context(), `INSERT INTO account_balance_day (account_id, business_date, stated, stated_at, closing)
SELECT account_id, current_date + $1::int, $2::text::numeric, now(), true FROM account WHERE external_id = 'account'`, days, balance); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(want *money.Money, days int) {
		t.Helper()
		screen, err := b.screen(t, "customer", &at, "accounts")
		if err != nil || len(screen.GetAccounts()) == 0 {
			t.Fatal(err, screen)
		}
		var today time.Time
		if err := b.pool.QueryRow(t.Context(), "SELECT current_date").Scan(&today); err != nil {
			t.Fatal(err)
		}
		a := screen.GetAccounts()[0].GetAccount()
		same(t, "the balance", want, a.GetLedgerBalance())
		if want != nil {
			same(t, "its day", date.Proto(today.AddDate(0, 0, days)), a.GetBalanceDate())
		}
	}
	shown(nil, 0)
	state(1, "900")
	shown(nil, 0)
	state(-3, "100")
	shown(crowns(100), -3)
	state(0, "-200")
	shown(crowns(-200), 0)
}

// Who took part in an interaction once sees it on the screen of then, and on no later one.
func TestScreenParticipation(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	m := interactions.sample("partaker", 1).(*crmv1.Interaction)
	m.Participants = []*crmv1.Participant{{CustomerKey: fixed("other customer")}}
	before := b.look(t, "").at
	b.upsert(t, interactions, m)
	during := b.look(t, "").at
	m.Participants = nil
	b.upsert(t, interactions, m)
	after := b.look(t, "").at
	for at, want := range map[time.Time]int{before: 0, during: 1, after: 0} {
		screen, err := b.screen(t, "other customer", &at, "interactions")
		if err != nil || len(screen.GetInteractions()) != want || slices.Contains(screen.GetNotInHistory(), "interactions.participation") {
			t.Errorf("%v, want %d interactions: %v", screen, want, err)
		}
	}
}
