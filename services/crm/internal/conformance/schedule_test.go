package conformance

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/type/date"
	moneypb "google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// ago is the day some days before the database's day.
func (b *bank) ago(t *testing.T, days int) *date.Date {
	t.Helper()
	var d time.Time
	if err := b.pool.QueryRow(t.Context(), "SELECT current_date - $1::integer", days).Scan(&d); err != nil {
		t.Fatal(err)
	}
	return day(int32(d.Year()), int32(d.Month()), int32(d.Day()))
}

func (b *bank) generate(t *testing.T, req *crmv1.GeneratePaymentScheduleRequest) (*crmv1.GeneratePaymentScheduleResponse, error) {
	t.Helper()
	return crmv1.NewInstalmentServiceClient(b.conn).GeneratePaymentSchedule(t.Context(), req)
}

func TestPaymentSchedule(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	loan := contracts.sample("schedule", 1).(*crmv1.Contract)
	loan.Opened, loan.Maturity = b.ago(t, 100), nil
	id := b.upsert(t, contracts, loan)[0]
	planned, err := b.generate(t, &crmv1.GeneratePaymentScheduleRequest{ContractId: id, FirstDue: b.ago(t, 70), ValidateOnly: true})
	if err != nil || len(planned.GetInstalments()) != 24 || planned.GetInstalments()[0].GetInstalmentId() != 0 {
		t.Fatalf("planned: %v, %v", planned, err)
	}
	stored, err := b.generate(t, &crmv1.GeneratePaymentScheduleRequest{ContractId: id, FirstDue: b.ago(t, 70)})
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for i, p := range stored.GetInstalments() {
		sum += p.GetPrincipal().GetUnits()*100 + int64(p.GetPrincipal().GetNanos()/1e7)
		if p.GetInstalmentId() == 0 || p.GetPrincipal().GetUnits() != planned.GetInstalments()[i].GetPrincipal().GetUnits() {
			t.Errorf("stored %v, planned %v", p, planned.GetInstalments()[i])
		}
		b.wantVersions(t, instalments, p.GetInstalmentId(), 1)
	}
	if sum != 120000_00 {
		t.Errorf("the principal parts add up to %d hundredths", sum)
	}
	_, err = b.generate(t, &crmv1.GeneratePaymentScheduleRequest{ContractId: id})
	refusal{code: codes.FailedPrecondition, reason: apperr.ReasonFailedPrecondition}.check(t, err)
	_, err = b.generate(t, &crmv1.GeneratePaymentScheduleRequest{ContractId: b.idOf(t, contracts, "contract")})
	refused("contract_id").check(t, err)
	b.paysBack(t, id, stored.GetInstalments())
}

// paysBack pays the overdue instalments of a loan one after another.
func (b *bank) paysBack(t *testing.T, contract int64, schedule []*crmv1.Instalment) {
	t.Helper()
	late := func(days int32, amount *moneypb.Money) {
		t.Helper()
		m, err := b.get(t.Context(), contracts, contract)
		if err != nil {
			t.Fatal(err)
		}
		c := m.(*crmv1.Contract)
		if c.GetDaysPastDue() != days {
			t.Errorf("%d days past due, want %d", c.GetDaysPastDue(), days)
		}
		if amount == nil != (c.GetOverdueAmount() == nil) {
			t.Errorf("overdue is %v, want %v", c.GetOverdueAmount(), amount)
		} else if amount != nil {
			same(t, "overdue", amount, c.GetOverdueAmount())
		}
		listed := b.pages(t, contracts, 10, `key.source = "schedule" AND days_past_due >= 70`, nil)
		if want := days >= 70; slices.Contains(listed, "1") != want {
			t.Errorf("listed as 70 days late: %v, want %v", listed, want)
		}
	}
	pay := func(i int, amount *moneypb.Money) (*crmv1.Instalment, error) {
		t.Helper()
		answer, err := crmv1.NewInstalmentServiceClient(b.conn).RecordInstalmentPayment(t.Context(),
			&crmv1.RecordInstalmentPaymentRequest{InstalmentId: schedule[i].GetInstalmentId(), Amount: amount})
		return answer.GetInstalment(), err
	}
	total := func(days ...int) *moneypb.Money {
		hundredths := int64(0)
		for _, i := range days {
			o := schedule[i].GetOutstanding()
			hundredths += o.GetUnits()*100 + int64(o.GetNanos()/1e7)
		}
		return &moneypb.Money{CurrencyCode: "CZK", Units: hundredths / 100, Nanos: int32(hundredths % 100 * 1e7)}
	}
	overdue := 0
	today := b.ago(t, 0)
	for _, p := range schedule {
		d := p.GetDue()
		if time.Date(int(d.GetYear()), time.Month(d.GetMonth()), int(d.GetDay()), 0, 0, 0, 0, time.UTC).Before(
			time.Date(int(today.GetYear()), time.Month(today.GetMonth()), int(today.GetDay()), 0, 0, 0, 0, time.UTC)) {
			overdue++
		}
	}
	if overdue != 3 { // 70 days back and each month after
		t.Fatalf("%d instalments are overdue", overdue)
	}
	late(70, total(0, 1, 2))
	partly, err := pay(0, crowns(100))
	if err != nil || partly.GetState() != crmv1.InstalmentState_INSTALMENT_STATE_PARTLY_PAID {
		t.Fatalf("a part: %v, %v", partly, err)
	}
	schedule[0] = partly
	late(70, total(0, 1, 2))
	_, err = pay(0, total(0, 1))
	refused("amount").check(t, err)
	_, err = pay(0, &moneypb.Money{CurrencyCode: "EUR", Units: 1})
	refused("amount").check(t, err)
	_, err = pay(0, crowns(0))
	refused("amount").check(t, err)
	whole, err := pay(0, total(0))
	if err != nil || whole.GetState() != crmv1.InstalmentState_INSTALMENT_STATE_PAID || whole.GetPaidOn() == nil {
		t.Fatalf("the whole: %v, %v", whole, err)
	}
	_, err = pay(0, crowns(1))
	refusal{code: codes.FailedPrecondition, reason: apperr.ReasonFailedPrecondition}.check(t, err)
	for i := 1; i < 3; i++ {
		if _, err := pay(i, total(i)); err != nil {
			t.Fatal(err)
		}
	}
	late(0, nil)
}
