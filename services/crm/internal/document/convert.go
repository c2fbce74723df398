package document

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
)

func toRow(d *crmv1.Document) (Row, []record.Reference, []apperr.Violation) {
	var in record.Reader
	row := Row{
		Kind:        record.EnumText(d.GetKind()),
		Title:       d.GetTitle(),
		Language:    customer.ReadLanguage(&in, "language", d.GetLanguage()),
		Text:        d.GetText(),
		TextBytes:   int32(len(d.GetText())), //nolint:gosec // at most 16 MiB fit into a request
		MediaType:   d.GetMediaType(),
		OriginalURI: d.GetOriginalUri(),
		DocumentAt:  in.Time("document_time", d.GetDocumentTime()),
	}
	in.Need("customer_id", d.GetCustomerId(), d.GetCustomerKey())
	refs := []record.Reference{
		record.Ref("customer_id", customer.Table, d.GetCustomerId(), d.GetCustomerKey(), &row.CustomerID),
		record.Ref("account_id", account.Table, d.GetAccountId(), d.GetAccountKey(), &row.AccountID),
		record.Ref("contract_id", contract.Table, d.GetContractId(), d.GetContractKey(), &row.ContractID),
		record.Ref("interaction_id", interaction.Table, d.GetInteractionId(), d.GetInteractionKey(), &row.InteractionID),
	}
	return row, refs, in.Violations
}

func toProto(r *record.Record[Row]) *crmv1.Document {
	return &crmv1.Document{
		DocumentId:    r.ID,
		Key:           r.Key(),
		CustomerId:    record.Value(r.Row.CustomerID),
		Kind:          record.EnumValue[crmv1.DocumentKind](r.Row.Kind),
		Title:         r.Row.Title,
		Language:      r.Row.Language,
		Text:          r.Row.Text,
		TextBytes:     r.Row.TextBytes,
		MediaType:     r.Row.MediaType,
		OriginalUri:   r.Row.OriginalURI,
		DocumentTime:  record.TimeProto(r.Row.DocumentAt),
		AccountId:     record.Value(r.Row.AccountID),
		ContractId:    record.Value(r.Row.ContractID),
		InteractionId: record.Value(r.Row.InteractionID),
		Etag:          r.Etag(),
		CreateTime:    timestamppb.New(r.CreatedAt),
		UpdateTime:    timestamppb.New(r.UpdatedAt),
	}
}

// event leaves title, text and the place of the original in Postgres.
func event(r *record.Record[Row], c *eventsv1.Change) {
	c.Payload = &eventsv1.Change_Document{Document: &eventsv1.DocumentState{
		CustomerId:    record.Value(r.Row.CustomerID),
		Kind:          r.Row.Kind,
		AccountId:     record.Value(r.Row.AccountID),
		ContractId:    record.Value(r.Row.ContractID),
		InteractionId: record.Value(r.Row.InteractionID),
		DocumentTime:  record.TimeProto(r.Row.DocumentAt),
		Language:      r.Row.Language,
		TextBytes:     r.Row.TextBytes,
		MediaType:     r.Row.MediaType,
	}}
}
