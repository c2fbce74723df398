package consent

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/request"
)

// WithdrawConsent records a withdrawal.
func (s *Server) WithdrawConsent(ctx context.Context, req *crmv1.WithdrawConsentRequest) (*crmv1.WithdrawConsentResponse, error) {
	var in record.Reader
	given := in.Time("withdrawn_time", req.GetWithdrawnTime())
	checkDecided(&in, "withdrawn_time", given)
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	return request.Once(ctx, s.pool, req.GetRequestId(), "WithdrawConsent", req, func(tx pgx.Tx) (*crmv1.WithdrawConsentResponse, error) {
		customerID, err := findCustomer(ctx, tx, "", req)
		if err != nil {
			return nil, err
		}
		now, err := customer.Lock(ctx, tx, customerID)
		if err != nil {
			return nil, err
		}
		if given == nil {
			given = &now
		}
		return s.withdraw(ctx, tx, customerID, *given, req)
	})
}

// withdraw ends the grants that stand at a time. The withdrawal must be found for exactly its channel, whatever other
// grants become known later: when no such grant carries it, it is a record of its own.
func (s *Server) withdraw(
	ctx context.Context, tx pgx.Tx, customerID int64, at time.Time, req *crmv1.WithdrawConsentRequest,
) (*crmv1.WithdrawConsentResponse, error) {
	channel := record.EnumText(req.GetChannel())
	grants, err := Table.Select(ctx, tx, `customer_id = $1 AND purpose = $2 AND (channel = $3 OR $3 = 'any')
AND granted_at <= $4 AND (expires_at IS NULL OR expires_at > $4) AND withdrawn_at IS NULL
ORDER BY consent_id FOR NO KEY UPDATE`, customerID, req.GetPurpose(), channel, at)
	if err != nil {
		return nil, err
	}
	carried, old := false, make([]*Row, len(grants))
	for i, g := range grants {
		before := g.Row
		old[i] = &before // what the audit compares with
		g.Row.WithdrawnAt, g.Row.WithdrawnHow = &at, record.EnumText(req.GetWithdrawnHow())
		g.Row.WithdrawalReason, g.Row.WithdrawalProof = req.GetWithdrawalReason(), req.GetWithdrawalProof()
		carried = carried || g.Row.Channel == channel
	}
	if err := s.store.Rewrite(ctx, tx, grants, old); err != nil {
		return nil, err
	}
	answer := &crmv1.WithdrawConsentResponse{Consents: record.Protos(grants, toProto)}
	if carried {
		return answer, nil
	}
	alone, err := s.store.Add(ctx, tx, &crmv1.Consent{
		CustomerId: customerID, Purpose: req.GetPurpose(), Channel: req.GetChannel(), WithdrawnTime: record.TimeProto(&at),
		WithdrawnHow: req.GetWithdrawnHow(), WithdrawalReason: req.GetWithdrawalReason(), WithdrawalProof: req.GetWithdrawalProof(),
	})
	answer.Consents = append(answer.Consents, alone)
	return answer, err
}
