package conformance

import (
	"slices"
	"testing"

	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Balances have no key, and no resource of their own: what the suite asks of every kind is asked of them here.
func TestBalances(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	id := b.upsert(t, accounts, accounts.sample("balance", 1))[0]
	told := func(minute int, units int64) *crmv1.AccountBalance {
		return &crmv1.AccountBalance{AccountKey: key("balance", 1), AsOfTime: at(minute), Ledger: crowns(units), Held: crowns(1)}
	}
	b.states(t, true, []*crmv1.AccountBalance{told(0, 10)}, created)
	if got := b.account(t, id).GetLedgerBalance(); got != nil {
		t.Errorf("a trial left %v", got)
	}
	b.states(t, false, []*crmv1.AccountBalance{told(0, 10)}, created)
	b.states(t, false, []*crmv1.AccountBalance{told(0, 10)}, unchanged)
	b.states(t, false, []*crmv1.AccountBalance{told(-2*24*60, 7)}, created) // of an earlier day: into its history alone
	b.states(t, false, []*crmv1.AccountBalance{told(5, 12)}, updated)
	if a := b.account(t, id); a.GetLedgerBalance().GetUnits() != 12 || a.GetAvailableBalance().GetUnits() != 12+20000-1 || !proto.Equal(a.GetBalanceTime(), at(5)) {
		t.Errorf("the account shows %v, %v available, at %v", a.GetLedgerBalance(), a.GetAvailableBalance(), a.GetBalanceTime())
	}
	b.refusesBalances(t, told)

	list, err := crmv1.NewBalanceServiceClient(b.conn).ListBalances(t.Context(), &crmv1.ListBalancesRequest{
		AccountId: id, From: day(2026, 2, 26), To: day(2026, 3, 1),
	})
	var days []int64
	for _, d := range list.GetBalances() {
		days = append(days, d.GetLedger().GetUnits())
	}
	if err != nil || !slices.Equal(days, []int64{12, 7, 7}) {
		t.Errorf("the days are %v, %v", days, err)
	}
	var events, entries int
	err = b.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM outbox WHERE entity = 'balance_bundle'),
(SELECT count(*) FROM audit_entry WHERE method LIKE '%BatchUpsertBalances' AND action <> 'read')`).Scan(&events, &entries)
	if err != nil || events != 3 || entries < 3 {
		t.Errorf("3 statements changed something, %d are published and %d on record (%v)", events, entries, err)
	}
}

// states sends statements, and checks what came of each.
func (b *bank) states(t *testing.T, trial bool, balances []*crmv1.AccountBalance, want ...crmv1.UpsertOutcome) {
	t.Helper()
	answer, err := crmv1.NewBalanceServiceClient(b.conn).BatchUpsertBalances(t.Context(), &crmv1.BatchUpsertBalancesRequest{
		Balances: balances, ValidateOnly: trial,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, result := range answer.GetResults() {
		if result.GetOutcome() != want[i] {
			t.Errorf("balance %d: %v, want %s", i, result, want[i])
		}
	}
}

// refusesBalances sends wrong statements beside a right one: each is named by its field, and the right one is taken.
func (b *bank) refusesBalances(t *testing.T, told func(minute int, units int64) *crmv1.AccountBalance) {
	t.Helper()
	euro := &moneypb.Money{CurrencyCode: "EUR", Units: 1}
	cases := []struct {
		change func(*crmv1.AccountBalance)
		want   refusal
	}{
		{func(m *crmv1.AccountBalance) { m.AccountKey = nil }, refused("account_id")},
		{func(m *crmv1.AccountBalance) { m.AccountKey = key("balance", 99) }, refusal{codes.NotFound, apperr.ReasonReferenceNotFound, "account_key"}},
		{func(m *crmv1.AccountBalance) { m.AsOfTime = nil }, refused("as_of_time")},
		{func(m *crmv1.AccountBalance) { m.AsOfTime = at(100 * 365 * 24 * 60) }, refused("as_of_time")},
		{func(m *crmv1.AccountBalance) { m.Ledger = nil }, refused("ledger")},
		{func(m *crmv1.AccountBalance) { m.Ledger, m.Held = euro, nil }, refused("ledger")},
		{func(m *crmv1.AccountBalance) { m.Available = euro }, refused("available")},
		{func(m *crmv1.AccountBalance) { m.Held = crowns(-1) }, refused("held")},
		{func(m *crmv1.AccountBalance) { m.BusinessDate = day(2026, 2, 30) }, refused("business_date")},
		{func(m *crmv1.AccountBalance) { m.Ledger = crowns(99) }, refusal{codes.AlreadyExists, apperr.ReasonDuplicate, "as_of_time"}},
	}
	rows := []*crmv1.AccountBalance{told(5, 12)}
	for _, c := range cases {
		row := told(5, 12)
		c.change(row)
		rows = append(rows, row)
	}
	answer, err := crmv1.NewBalanceServiceClient(b.conn).BatchUpsertBalances(t.Context(), &crmv1.BatchUpsertBalancesRequest{Balances: rows})
	if err != nil || answer.GetResults()[0].GetOutcome() != unchanged {
		t.Fatalf("beside wrong ones: %v, %v", answer.GetResults(), err)
	}
	for i, c := range cases {
		c.want.checkRow(t, answer.GetResults()[i+1])
	}
}
