package consent

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// CheckConsent says whether a customer consents at a time, and which record decides.
func (s *Server) CheckConsent(ctx context.Context, req *crmv1.CheckConsentRequest) (*crmv1.CheckConsentResponse, error) {
	var in record.Reader
	given := in.Time("at", req.GetAt())
	if err := apperr.Invalid(in.Violations...); err != nil {
		return nil, err
	}
	customerID, err := findCustomer(ctx, s.pool, "", req)
	if err != nil {
		return nil, err
	}
	at := record.Value(given)
	if given == nil {
		if at, err = clock(ctx, s.pool); err != nil {
			return nil, err
		}
	}
	answer := &crmv1.CheckConsentResponse{At: timestamppb.New(at), Basis: crmv1.ConsentBasis_CONSENT_BASIS_NONE}
	channels := []string{record.EnumText(req.GetChannel()), channelAny}
	decisions, err := latest(ctx, s.pool, customerID, at, req.GetPurpose(), channels)
	if err != nil {
		return nil, err
	}
	if len(decisions) > 0 {
		decide(answer, decisions)
		return answer, nil
	}
	if last, err := expired(ctx, s.pool, customerID, at, req.GetPurpose(), channels); err != nil {
		return nil, err
	} else if last != nil {
		answer.Basis, answer.Consent = crmv1.ConsentBasis_CONSENT_BASIS_EXPIRED, toProto(last)
	}
	return answer, nil
}

// decide answers by the decision that counts before all others.
func decide(answer *crmv1.CheckConsentResponse, decisions []decision) {
	first := decisions[0]
	for _, d := range decisions[1:] {
		if d.over(first) {
			first = d
		}
	}
	answer.Granted, answer.Consent, answer.Basis = first.granted, toProto(first.record), crmv1.ConsentBasis_CONSENT_BASIS_WITHDRAWN
	if first.granted {
		answer.Basis = crmv1.ConsentBasis_CONSENT_BASIS_GRANTED
	}
}
