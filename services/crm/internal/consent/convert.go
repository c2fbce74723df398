package consent

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/record"
)

func toRow(c *crmv1.Consent) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Purpose:          c.GetPurpose(),
		Channel:          record.EnumText(c.GetChannel()),
		GrantedAt:        in.Time("granted_time", c.GetGrantedTime()),
		ExpiresAt:        in.Time("expires_time", c.GetExpiresTime()),
		TextVersion:      c.GetTextVersion(),
		Proof:            c.GetProof(),
		GrantedHow:       record.EnumText(c.GetGrantedHow()),
		WithdrawnAt:      in.Time("withdrawn_time", c.GetWithdrawnTime()),
		WithdrawnHow:     record.EnumText(c.GetWithdrawnHow()),
		WithdrawalReason: c.GetWithdrawalReason(),
		WithdrawalProof:  c.GetWithdrawalProof(),
	}
	in.Need("customer_id", c.GetCustomerId(), c.GetCustomerKey())
	row.check(&in)
	refs := []record.Reference{record.Ref("customer_id", customer.Table, c.GetCustomerId(), c.GetCustomerKey(), &row.CustomerID)}
	return row, refs, in.Violations
}

func toProto(r *record.Record[Row]) *crmv1.Consent {
	return &crmv1.Consent{
		ConsentId:        r.ID,
		Key:              r.Key(),
		CustomerId:       record.Value(r.Row.CustomerID),
		Purpose:          r.Row.Purpose,
		Channel:          record.EnumValue[crmv1.ConsentChannel](r.Row.Channel),
		GrantedTime:      record.TimeProto(r.Row.GrantedAt),
		ExpiresTime:      record.TimeProto(r.Row.ExpiresAt),
		TextVersion:      r.Row.TextVersion,
		Proof:            r.Row.Proof,
		GrantedHow:       record.EnumValue[crmv1.ConsentMethod](r.Row.GrantedHow),
		WithdrawnTime:    record.TimeProto(r.Row.WithdrawnAt),
		WithdrawnHow:     record.EnumValue[crmv1.ConsentMethod](r.Row.WithdrawnHow),
		WithdrawalReason: r.Row.WithdrawalReason,
		WithdrawalProof:  r.Row.WithdrawalProof,
		Etag:             r.Etag(),
		CreateTime:       timestamppb.New(r.CreatedAt),
		UpdateTime:       timestamppb.New(r.UpdatedAt),
	}
}

// event leaves proofs and the customer's words in Postgres.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Consent{Consent: &eventsv1.ConsentState{
		CustomerId:    record.Value(r.Row.CustomerID),
		Purpose:       r.Row.Purpose,
		Channel:       r.Row.Channel,
		GrantedTime:   record.TimeProto(r.Row.GrantedAt),
		ExpiresTime:   record.TimeProto(r.Row.ExpiresAt),
		TextVersion:   r.Row.TextVersion,
		GrantedHow:    r.Row.GrantedHow,
		WithdrawnTime: record.TimeProto(r.Row.WithdrawnAt),
		WithdrawnHow:  r.Row.WithdrawnHow,
	}}
}
