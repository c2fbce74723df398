package transaction_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/transaction"
)

func after(n int64) func(*crmv1.Transaction) {
	return func(t *crmv1.Transaction) { t.BalanceAfter = &money.Money{CurrencyCode: "CZK", Units: n} }
}

// march lists the balances of account 1 from the 1st to the 12th of March, newest first, in pages of five days.
func (b *bundle) march(t *testing.T) (units []int64) {
	t.Helper()
	token := ""
	for {
		days, next, err := b.ledger.Balances(t.Context(), &crmv1.ListBalancesRequest{
			AccountId: 1, From: &date.Date{Year: 2026, Month: 3, Day: 1}, To: &date.Date{Year: 2026, Month: 3, Day: 12}, PageSize: 5, PageToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range days {
			units = append(units, d.GetLedger().GetUnits())
		}
		if token = next; token == "" {
			return units
		}
	}
}

func wantDays(t *testing.T, what string, got []int64, want ...int64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestBalancesByDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.record(t, movement("a", onDay(3), after(100)), movement("b", onDay(3), after(90)), movement("c", onDay(10), after(50)))
	wantDays(t, "running", b.march(t), 50, 50, 50, 90, 90, 90, 90, 90, 90, 90)
	b.record(t, movement("late", onDay(5), after(70)))
	wantDays(t, "after a late one", b.march(t), 50, 50, 50, 70, 70, 70, 70, 70, 90, 90)
	b.record(t, movement("b", version(2), onDay(3), after(80)), movement("a", version(2), onDay(3), after(1)))
	wantDays(t, "after corrections", b.march(t), 50, 50, 50, 70, 70, 70, 70, 70, 80, 80)
	reversed := func(t *crmv1.Transaction) { t.State = crmv1.TransactionState_TRANSACTION_STATE_REVERSED }
	b.record(t, movement("c", version(2), onDay(10), after(50), reversed))
	wantDays(t, "after a reversal", b.march(t), 70, 70, 70, 70, 70, 70, 70, 70, 80, 80)
	var ledger int64
	if err := b.pool.QueryRow(t.Context(), "SELECT ledger_balance::bigint FROM account WHERE account_id = 1").Scan(&ledger); err != nil || ledger != 70 {
		t.Errorf("the account shows %d, %v", ledger, err)
	}
	b.states(t)
}

// states lets the core system state balances.
func (b *bundle) states(t *testing.T) {
	t.Helper()
	told := func(day, hour int, ledger, available int64) *crmv1.AccountBalance {
		return &crmv1.AccountBalance{
			AccountId: 1, AsOfTime: timestamppb.New(time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC)), BusinessDate: &date.Date{Year: 2026, Month: 3, Day: 6},
			Ledger: &money.Money{CurrencyCode: "CZK", Units: ledger}, Available: &money.Money{CurrencyCode: "CZK", Units: available},
		}
	}
	state := func(want []any, balances ...*crmv1.AccountBalance) {
		t.Helper()
		results, err := b.ledger.State(t.Context(), balances, false)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, results, want)
	}
	state([]any{created}, told(6, 12, 65, 60))
	state([]any{unchanged, unchanged, codes.AlreadyExists}, told(6, 12, 65, 60), told(6, 11, 1, 1), told(6, 12, 64, 60))
	wantDays(t, "stated during the day", b.march(t), 65, 65, 65, 65, 65, 65, 65, 70, 80, 80)
	state([]any{updated}, told(7, 2, 66, 166))
	wantDays(t, "stated after the day", b.march(t), 66, 66, 66, 66, 66, 66, 66, 70, 80, 80)
	b.record(t, movement("next", onDay(7), after(56)))
	var available int64
	if err := b.pool.QueryRow(t.Context(), "SELECT available_balance::bigint FROM account WHERE account_id = 1").Scan(&available); err != nil || available != 156 {
		t.Errorf("available %d, %v; want 156: the stated part follows the movements", available, err)
	}
	euro := told(8, 1, 1, 1)
	euro.Ledger.CurrencyCode, euro.Available = "EUR", nil
	state([]any{codes.InvalidArgument}, euro)
}

func wantOutcomes(t *testing.T, results []*crmv1.UpsertResult, outcomes []any) {
	t.Helper()
	want(t, results, outcomes...)
}

// A month is closed, then dropped when it is published; balances stay, repetitions are known, and nothing else is taken.
func TestWindow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := func(t *crmv1.Transaction) { t.BusinessDate = &date.Date{Year: 2020, Month: 5, Day: 6} }
	b.record(t, movement("old", old, after(40)), movement("new", onDay(3), after(90)))
	window, err := transaction.NewWindow(transaction.WindowConfig{
		Pool: b.pool, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), SlotName: "relay", Months: 24,
	})
	if err != nil {
		t.Fatal(err)
	}
	there := func() (n int) {
		t.Helper()
		if err := window.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.pool.QueryRow(t.Context(), "SELECT count(*) FROM transaction").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if first, second := there(), there(); first != 2 || second != 2 {
		t.Fatalf("%d, %d transactions are left although nothing is published", first, second)
	}
	want(t, b.record(t, movement("old", old, after(40)), movement("older", old), movement("old", version(2), old)),
		unchanged, codes.FailedPrecondition, codes.FailedPrecondition)
	_, err = b.pool.Exec(t.Context(), `INSERT INTO outbox_relay (slot_name, system_identifier, published_before, needs_replay)
SELECT 'relay', system_identifier, pg_snapshot_xmax(pg_current_snapshot()), false FROM pg_control_system()`)
	if err != nil {
		t.Fatal(err)
	}
	if n := there(); n != 1 {
		t.Fatalf("%d transactions are left, want 1", n)
	}
	want(t, b.record(t, movement("old", old, after(40)), movement("older", old)), unchanged, codes.FailedPrecondition)
	days, _, err := b.ledger.Balances(t.Context(), &crmv1.ListBalancesRequest{AccountId: 1, To: &date.Date{Year: 2020, Month: 5, Day: 8}})
	if err != nil || len(days) != 3 || days[0].GetLedger().GetUnits() != 40 {
		t.Errorf("balances of the dropped month: %v, %v", days, err)
	}
}
