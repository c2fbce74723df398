package contract

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// RecordInstalmentPayment notes a payment on one instalment.
func (s *InstalmentServer) RecordInstalmentPayment(
	ctx context.Context, req *crmv1.RecordInstalmentPaymentRequest,
) (*crmv1.RecordInstalmentPaymentResponse, error) {
	var in record.Reader
	amount, currency := in.Money("amount", req.GetAmount())
	if amount.Valid && !amount.Decimal.IsPositive() {
		in.Refuse("amount", "must be above zero")
	}
	paidOn := in.Date("paid_on", req.GetPaidOn())
	if err := in.Err(); err != nil {
		return nil, err
	}
	today, err := record.BankDay(ctx, s.pool, time.Now())
	switch {
	case err != nil:
		return nil, err
	case !paidOn.Valid:
		paidOn = today
	case paidOn.Time.After(today.Time):
		return nil, apperr.InvalidField("paid_on", "must not lie in the future")
	}
	paid, err := s.store.Modify(ctx, req.GetInstalmentId(), req.GetEtag(), req, "recordpayment", func(row *InstalmentRow) error {
		left := row.outstanding()
		switch {
		case currency != row.Currency:
			return apperr.InvalidField("amount", "must be in %s", row.Currency)
		case !left.IsPositive():
			return apperr.New(codes.FailedPrecondition, apperr.ReasonFailedPrecondition, "nothing is owed of the instalment: it is %s", row.State)
		case amount.Decimal.GreaterThan(left):
			return apperr.InvalidField("amount", "is more than the %s %s that are still owed", left, row.Currency)
		}
		row.Paid, row.PaidOn = row.Paid.Add(amount.Decimal), paidOn
		row.settle()
		return nil
	})
	return &crmv1.RecordInstalmentPaymentResponse{Instalment: paid}, err
}
