package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/behaviour"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
)

// crm is the source of what nobody sent.
const crm = "crm"

// words makes a line for people of a short name: "site_visit" is "site visit".
func words(parts ...string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.Join(parts, " "), "_", " "))
}

// beginning is when a day begins at the bank.
func beginning(day pgtype.Date, location *time.Location) time.Time {
	year, month, d := day.Time.Date()
	return time.Date(year, month, d, 0, 0, 0, 0, location)
}

func scanInteraction(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
	r, err := interaction.Table.Scan(row)
	if err != nil {
		return nil, err
	}
	e := &crmv1.TimelineEntry{
		Title: cmp.Or(r.Row.Subject, words(r.Row.Kind)), Entity: "interaction", EntityId: r.ID, Source: cmp.Or(record.Value(r.Source), crm),
		AccountId: record.Value(r.Row.AccountID), ContractId: record.Value(r.Row.ContractID), CardId: record.Value(r.Row.CardID),
		Channel: r.Row.Channel, Detail: &crmv1.TimelineEntry_Interaction{Interaction: interaction.ToProto(r)},
	}
	if id := record.Value(r.Row.ManagerID); id != 0 {
		e.Actor = fmt.Sprintf("manager %d", id)
	}
	return &entry{at: *r.Row.OpenedAt, id: r.ID, proto: e}, nil
}

func scanBehaviour(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
	r, err := behaviour.Scan(row)
	if err != nil {
		return nil, err
	}
	return &entry{at: *r.OccurredAt, id: r.ID, proto: &crmv1.TimelineEntry{
		Title: strings.TrimSpace(words(r.Kind) + " " + r.Page), Entity: "behaviour_event", EntityId: r.ID, Source: r.Source, Channel: r.Channel,
		Detail: &crmv1.TimelineEntry_BehaviourEvent{BehaviourEvent: r.Proto()},
	}}, nil
}

func scanTransaction(row pgx.CollectableRow, location *time.Location) (*entry, error) {
	var t crmv1.Transaction
	var source, externalID, direction, kind, currency, state string
	var day pgtype.Date
	var amount decimal.NullDecimal
	err := row.Scan(&t.TransactionId, &source, &externalID, &t.AccountId, &day, &direction, &kind, &amount, &currency,
		&t.Purpose, &t.Description, &state)
	if err != nil {
		return nil, err
	}
	t.Key = &crmv1.ExternalKey{Source: source, ExternalId: externalID}
	t.BusinessDate, t.Amount = record.DateProto(day), record.MoneyProto(amount, currency)
	t.Direction, t.Kind = record.EnumValue[crmv1.Direction](direction), record.EnumValue[crmv1.TransactionKind](kind)
	t.State = record.EnumValue[crmv1.TransactionState](state)
	return &entry{at: beginning(day, location), id: t.GetTransactionId(), proto: &crmv1.TimelineEntry{
		Title:  words(transactionTitle(&t), amount.Decimal.String(), currency),
		Entity: "transaction", EntityId: t.GetTransactionId(), Source: source, AccountId: t.GetAccountId(),
		Detail: &crmv1.TimelineEntry_Transaction{Transaction: &t},
	}}, nil
}

// transactionTitle is the title of a movement without its amount.
func transactionTitle(t *crmv1.Transaction) string {
	return words(cmp.Or(record.EnumText(t.GetKind()), "transaction"), record.EnumText(t.GetDirection()))
}

func scanStateChange(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
	e := &entry{proto: &crmv1.TimelineEntry{Source: crm}}
	var before *string
	var after string
	var account, contract, card *int64
	err := row.Scan(&e.at, &e.id, &e.proto.Entity, &e.proto.EntityId, &e.proto.Actor, &before, &after, &account, &contract, &card)
	if err != nil {
		return nil, err
	}
	e.proto.AccountId, e.proto.ContractId, e.proto.CardId = record.Value(account), record.Value(contract), record.Value(card)
	e.proto.Title = words(e.proto.GetEntity(), "is", after)
	e.proto.Detail = &crmv1.TimelineEntry_StateChange{StateChange: &crmv1.StateChange{From: record.Value(before), To: after}}
	return e, nil
}

const consentColumns = "consent_id, source, customer_id, purpose, channel, granted_at, expires_at, withdrawn_at"

func scanConsent(withdrawn bool) func(pgx.CollectableRow, *time.Location) (*entry, error) {
	return func(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
		var c crmv1.Consent
		var source *string
		var channel string
		var grantedAt, expiresAt, withdrawnAt *time.Time
		if err := row.Scan(&c.ConsentId, &source, &c.CustomerId, &c.Purpose, &channel, &grantedAt, &expiresAt, &withdrawnAt); err != nil {
			return nil, err
		}
		c.Channel = record.EnumValue[crmv1.ConsentChannel](channel)
		c.GrantedTime, c.ExpiresTime, c.WithdrawnTime = record.TimeProto(grantedAt), record.TimeProto(expiresAt), record.TimeProto(withdrawnAt)
		at, what := grantedAt, "granted"
		if withdrawn {
			at, what = withdrawnAt, "withdrawn"
		}
		return &entry{at: *at, id: c.GetConsentId(), proto: &crmv1.TimelineEntry{
			Title: words("consent", what+":", c.GetPurpose(), "by", channel), Entity: "consent", EntityId: c.GetConsentId(),
			Source: cmp.Or(record.Value(source), crm), Channel: channel, Detail: &crmv1.TimelineEntry_Consent{Consent: &c},
		}}, nil
	}
}

const relationColumns = "relation_id, source, customer_id, type, other_customer_id, other_name, valid_from, valid_to"

func scanRelation(ended bool) func(pgx.CollectableRow, *time.Location) (*entry, error) {
	return func(row pgx.CollectableRow, location *time.Location) (*entry, error) {
		var r crmv1.Relation
		var source *string
		var other *int64
		var kind string
		var from, to pgtype.Date
		if err := row.Scan(&r.RelationId, &source, &r.CustomerId, &kind, &other, &r.OtherName, &from, &to); err != nil {
			return nil, err
		}
		r.Type, r.OtherCustomerId = record.EnumValue[crmv1.RelationType](kind), record.Value(other)
		r.ValidFrom, r.ValidTo = record.DateProto(from), record.DateProto(to)
		day, what := from, "begun"
		if ended {
			day, what = to, "ended"
		}
		return &entry{at: beginning(day, location), id: r.GetRelationId(), proto: &crmv1.TimelineEntry{
			Title: words("relation", what+":", kind), Entity: "relation", EntityId: r.GetRelationId(), Source: cmp.Or(record.Value(source), crm),
			Detail: &crmv1.TimelineEntry_Relation{Relation: &r},
		}}, nil
	}
}

func scanBalanceMark(row pgx.CollectableRow, location *time.Location) (*entry, error) {
	var m crmv1.BalanceMark
	var id, account int64
	var day pgtype.Date
	var mark, balance decimal.Decimal
	if err := row.Scan(&id, &account, &day, &mark, &m.Above, &balance, &m.Currency); err != nil {
		return nil, err
	}
	m.Mark, m.Balance = mark.String(), balance.String()
	way := "fell below"
	if m.GetAbove() {
		way = "rose to"
	}
	return &entry{at: beginning(day, location), id: id, proto: &crmv1.TimelineEntry{
		Title: fmt.Sprintf("balance %s %s %s", way, m.GetMark(), m.GetCurrency()), Entity: "account", EntityId: account, Source: crm, AccountId: account,
		Detail: &crmv1.TimelineEntry_BalanceMark{BalanceMark: &m},
	}}, nil
}

func scanDocument(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
	var d crmv1.Document
	var at time.Time
	var source *string
	var kind string
	var documentAt *time.Time
	var account, contract, contact *int64
	err := row.Scan(&d.DocumentId, &source, &at, &kind, &d.Title, &d.Language, &d.TextBytes, &d.MediaType, &d.OriginalUri, &documentAt,
		&account, &contract, &contact)
	if err != nil {
		return nil, err
	}
	d.Kind, d.DocumentTime = record.EnumValue[crmv1.DocumentKind](kind), record.TimeProto(documentAt)
	d.AccountId, d.ContractId, d.InteractionId = record.Value(account), record.Value(contract), record.Value(contact)
	return &entry{at: at, id: d.GetDocumentId(), proto: &crmv1.TimelineEntry{
		Title: cmp.Or(d.GetTitle(), words(kind)), Entity: "document", EntityId: d.GetDocumentId(), Source: cmp.Or(record.Value(source), crm),
		AccountId: d.GetAccountId(), ContractId: d.GetContractId(), Detail: &crmv1.TimelineEntry_Document{Document: &d},
	}}, nil
}

func scanRfmChange(row pgx.CollectableRow, _ *time.Location) (*entry, error) {
	var e entry
	var change crmv1.RfmChange
	var before *string
	var day pgtype.Date
	if err := row.Scan(&e.id, &e.at, &before, &change.To, &day); err != nil {
		return nil, err
	}
	change.From, change.AsOf = record.Value(before), record.DateProto(day)
	title := "RFM cell " + change.GetTo()
	if before != nil {
		title += ", before " + *before
	}
	e.proto = &crmv1.TimelineEntry{
		Title: title, Entity: "customer_rfm", EntityId: e.id, Source: "analytics", Detail: &crmv1.TimelineEntry_RfmChange{RfmChange: &change},
	}
	return &e, nil
}
