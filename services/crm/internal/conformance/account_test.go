package conformance

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

const (
	open    = crmv1.AccountState_ACCOUNT_STATE_OPEN
	blocked = crmv1.AccountState_ACCOUNT_STATE_BLOCKED
	closed  = crmv1.AccountState_ACCOUNT_STATE_CLOSED
)

// refused is how a broken field of a row is answered.
func refused(field string) refusal {
	return refusal{codes.InvalidArgument, apperr.ReasonInvalidField, field}
}

var wrongTransition = refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "state"}

func (b *bank) account(t *testing.T, id int64) *crmv1.Account {
	t.Helper()
	m, err := b.get(t.Context(), accounts, id)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*crmv1.Account)
}

func TestAccountFields(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	account := func(n int, change func(*crmv1.Account)) proto.Message {
		a := &crmv1.Account{Key: key("fields", n), Currency: "CZK"}
		change(a)
		return a
	}
	results, err := b.batch(t.Context(), accounts, []proto.Message{
		account(0, func(a *crmv1.Account) { a.Number = "cz65 0800 0000 1920 0014 5399" }),
		account(1, func(a *crmv1.Account) { a.Number = "CZ65 0800 0000 1920 0014 5398" }),
		account(2, func(a *crmv1.Account) { a.Number = "a;b" }),
		account(3, func(a *crmv1.Account) { a.Currency = "ABC" }),
		account(4, func(a *crmv1.Account) { a.State, a.Opened, a.Closed = closed, day(2020, 1, 2), day(2020, 1, 1) }),
		account(5, func(a *crmv1.Account) { a.Closed = day(2020, 1, 1) }),
		account(6, func(a *crmv1.Account) { a.Opened = day(2023, 2, 29) }),
		account(7, func(a *crmv1.Account) { a.BranchId, a.BranchKey = 1, fixed("branch") }),
		account(8, func(a *crmv1.Account) { a.RegionId = 99999 }),
		account(9, func(a *crmv1.Account) { a.State, a.Closed = closed, day(2020, 1, 1) }),
	}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	for i, field := range map[int]string{1: "number", 2: "number", 3: "currency", 4: "closed", 5: "closed", 6: "opened", 7: "branch_key"} {
		refused(field).checkRow(t, results[i])
	}
	refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "region_id"}.checkRow(t, results[8])
	stored := b.account(t, results[0].GetId())
	if stored.GetNumber() != "CZ6508000000192000145399" || stored.GetState() != open {
		t.Errorf("stored as %v", stored)
	}
	if b.account(t, results[9].GetId()).GetState() != closed {
		t.Error("a closed account can't be imported")
	}
	// Every broken field is named, not only the first.
	_, err = b.create(t.Context(), accounts, account(10, func(a *crmv1.Account) {
		a.Number, a.Currency, a.Opened = "CZ00", "ABC", day(2023, 13, 1)
	}), "")
	for _, field := range []string{"account.number", "account.currency", "account.opened"} {
		refused(field).check(t, err)
	}
}

func TestAccountLife(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.upsert(t, accounts, &crmv1.Account{Key: key("life", 1), Currency: "CZK"})[0]
	steps := []struct {
		to    crmv1.AccountState
		taken bool
	}{{blocked, true}, {open, true}, {open, true}, {blocked, true}, {closed, true}, {open, false}, {blocked, false}, {closed, true}}
	for i, step := range steps {
		_, err := b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, State: step.to}, "", "state")
		if step.taken && err != nil {
			t.Errorf("step %d to %s: %v", i, step.to, err)
		}
		if !step.taken {
			refusal{codes.FailedPrecondition, apperr.ReasonWrongTransition, "account.state"}.check(t, err)
		}
	}
	// A batch is held to the same steps; a row without a state leaves it alone.
	results, err := b.batch(t.Context(), accounts, []proto.Message{&crmv1.Account{Key: key("life", 1), Currency: "CZK", State: open}}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	wrongTransition.checkRow(t, results[0])
	b.upsert(t, accounts, &crmv1.Account{Key: key("life", 1), Currency: "CZK", Number: "7"})
	if state := b.account(t, id).GetState(); state != closed {
		t.Errorf("a row without a state made it %s", state)
	}
	_, err = b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, Currency: "EUR"}, "", "currency")
	refused("account.currency").check(t, err)
}

// The balance belongs to the transactions: it shows, and no change of the account touches it.
func TestAccountBalance(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.upsert(t, accounts, accounts.sample("balance", 1))[0]
	if a := b.account(t, id); a.GetLedgerBalance() != nil || a.GetBalanceDate() != nil {
		t.Errorf("a new account has the balance %v of %v", a.GetLedgerBalance(), a.GetBalanceDate())
	}
	if _, err := b.pool.Exec(t.Context(), "UPDATE account SET ledger_balance = 12.3456, balance_date = '2026-02-03' WHERE account_id = $1", id); err != nil {
		t.Fatal(err)
	}
	check := func(what string, m proto.Message, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		balance := m.(*crmv1.Account).GetLedgerBalance()
		if balance.GetUnits() != 12 || balance.GetNanos() != 345600000 || balance.GetCurrencyCode() != "CZK" {
			t.Errorf("%s: the balance is %v", what, balance)
		}
		same(t, what, day(2026, 2, 3), m.(*crmv1.Account).GetBalanceDate())
	}
	m, err := b.get(t.Context(), accounts, id)
	check("get", m, err)
	m, err = b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, Number: "8"}, "", "number")
	check("update", m, err)
	b.sent(t, accounts, "", []proto.Message{accounts.sample("balance", 1)}, updated)
	b.sent(t, accounts, "", []proto.Message{accounts.sample("balance", 1)}, unchanged)
	m, err = b.get(t.Context(), accounts, id)
	check("after an upsert", m, err)
	_, err = b.update(t.Context(), accounts, &crmv1.Account{AccountId: id, LedgerBalance: crowns(1)}, "", "ledger_balance")
	refused("update_mask").check(t, err)
}
