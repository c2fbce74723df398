package fact

import (
	"time"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

type document struct {
	record
	customerID, accountID, contractID, interactionID uint64
	kind, language, mediaType                        string
	writtenTime                                      *time.Time
	sizeBytes                                        uint32
}

var documentTable = warehouse.NewTable("document",
	with("document_id", func(r *document) *record { return &r.record },
		warehouse.Col("customer_id", func(r *document) uint64 { return r.customerID }),
		warehouse.Col("kind", func(r *document) string { return r.kind }),
		warehouse.Col("account_id", func(r *document) uint64 { return r.accountID }),
		warehouse.Col("contract_id", func(r *document) uint64 { return r.contractID }),
		warehouse.Col("interaction_id", func(r *document) uint64 { return r.interactionID }),
		warehouse.Col("written_time", func(r *document) *time.Time { return r.writtenTime }),
		warehouse.Col("language", func(r *document) string { return r.language }),
		warehouse.Col("size_bytes", func(r *document) uint32 { return r.sizeBytes }),
		warehouse.Col("media_type", func(r *document) string { return r.mediaType }),
	)...)

func documentOf(rec record, s *eventsv1.DocumentState) (document, error) {
	f := fields{prefix: "document"}
	return document{
		record:        rec,
		customerID:    f.need("customer_id", s.GetCustomerId()),
		kind:          s.GetKind(),
		accountID:     f.ref("account_id", s.GetAccountId()),
		contractID:    f.ref("contract_id", s.GetContractId()),
		interactionID: f.ref("interaction_id", s.GetInteractionId()),
		writtenTime:   f.time("document_time", s.GetDocumentTime()),
		language:      s.GetLanguage(),
		sizeBytes:     f.count("text_bytes", s.GetTextBytes()),
		mediaType:     s.GetMediaType(),
	}, f.fault()
}
