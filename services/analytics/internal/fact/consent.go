package fact

import (
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type consent struct {
	record
	customerID                              uint64
	purpose, channel                        string
	grantedTime, expiresTime, withdrawnTime *time.Time
	wordingVersion                          string
	grantedHow, withdrawnHow                string
}

var consentTable = warehouse.NewTable("consent",
	with("consent_id", func(r *consent) *record { return &r.record },
		warehouse.Col("customer_id", func(r *consent) uint64 { return r.customerID }),
		warehouse.Col("purpose", func(r *consent) string { return r.purpose }),
		warehouse.Col("channel", func(r *consent) string { return r.channel }),
		warehouse.Col("granted_time", func(r *consent) *time.Time { return r.grantedTime }),
		warehouse.Col("expires_time", func(r *consent) *time.Time { return r.expiresTime }),
		warehouse.Col("wording_version", func(r *consent) string { return r.wordingVersion }),
		warehouse.Col("granted_how", func(r *consent) string { return r.grantedHow }),
		warehouse.Col("withdrawn_time", func(r *consent) *time.Time { return r.withdrawnTime }),
		warehouse.Col("withdrawn_how", func(r *consent) string { return r.withdrawnHow }),
	)...)

func consentOf(rec record, s *eventsv1.ConsentState) (consent, error) {
	f := fields{prefix: "consent"}
	row := consent{
		record:         rec,
		customerID:     f.need("customer_id", s.GetCustomerId()),
		purpose:        s.GetPurpose(),
		channel:        s.GetChannel(),
		grantedTime:    f.time("granted_time", s.GetGrantedTime()),
		expiresTime:    f.time("expires_time", s.GetExpiresTime()),
		wordingVersion: s.GetTextVersion(),
		grantedHow:     s.GetGrantedHow(),
		withdrawnTime:  f.time("withdrawn_time", s.GetWithdrawnTime()),
		withdrawnHow:   s.GetWithdrawnHow(),
	}
	if row.grantedTime == nil && row.withdrawnTime == nil {
		f.fail("granted_time", "must be set, or withdrawn_time")
	}
	return row, f.fault()
}
