package customer360

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/apperr"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/relation"
	"tandem.bank/services/crm/internal/transaction"
)

const (
	interactionsDefault = 10
	// partRowsMax bounds accounts, cards, contracts, consents and relations: a screen shows no more, lists do.
	partRowsMax = 200
	sourceCRM   = "crm"
)

// screen is an answer in the making.
type screen struct {
	answer          *crmv1.GetCustomer360Response
	customerID      int64
	interactionsMax int
	// tell says who holds an account today.
	tell func(accountID int64, customerIDs []int64)
	// at is the moment to show; nil is now.
	at *time.Time
	// What the parts tell besides what they show.
	profileChanged, consentsChanged *time.Time
}

// part is a field of the answer and how it is read.
type part struct {
	name string
	read record.Part
	// tables are those of records that the read names, in an order in which each may speak of those before it.
	tables []record.Former
	// past reads the part of a moment in another way than from tables of records.
	past func(at time.Time) record.Part
	// unknown are its columns that have no history.
	unknown []string
}

func (p part) asOf(at time.Time, customerID int64) record.Part {
	if p.past != nil {
		return p.past(at)
	}
	return p.read.AsOf(at, customerID, p.tables...)
}

const (
	// about are the ids of tables that name the customer themselves.
	about = "SELECT {about}"
	// held are the accounts of the customer's holdings.
	held = "SELECT account_id FROM account_holder"
	// agreed are the contracts of accounts that the customer held then, now or before the contract moved, and those to which
	// the customer was a party.
	agreed = `SELECT contract_id FROM contract WHERE account_id IN (` + held + `)
            UNION SELECT contract_id FROM contract_party
            UNION SELECT entity_id FROM audit_entry WHERE entity = 'contract' AND action = 'update' AND at > {at}
                AND before->>'account_id' IN (SELECT account_id::text FROM account_holder)`
	// contacts are the interactions of the customer, which never go to another one, and those in which the customer takes or
	// took part.
	contacts = `SELECT interaction_id FROM interaction WHERE customer_id = {about}
            UNION ` + interaction.TookPart
	// related are the customers on both sides of the customer's relations.
	related = "SELECT customer_id FROM relation UNION SELECT other_customer_id FROM relation"
)

var (
	itself       = customer.Table.Former(about, "customer_id")
	holdings     = account.HolderTable.Former(about, "customer_id")
	heldAccounts = account.Table.Former(held, "account_id").
			Derived("ledger_balance", transaction.ClosingBalance("past.account_id", "({at})::date")).
			Derived("balance_date", transaction.ClosingDate("past.account_id", "({at})::date"))
	relations = relation.Table.Former(about, "customer_id", "other_customer_id")
	// parties are the customers whose names stand in the relations.
	parties      = customer.Table.Former(related, "customer_id")
	interactions = interaction.Table.Former(contacts, "interaction_id")

	contractParties = contract.PartyTable.Former(about, "customer_id")
	contracts       = contract.Table.Former(agreed, "contract_id")
	instalments     = contract.InstalmentTable.Former("SELECT contract_id FROM contract", "contract_id").
			Derived("outstanding", contract.OutstandingSQL)
)

// parts are what a screen can show.
func (s *screen) parts() []part {
	a, id := s.answer, s.customerID
	if s.interactionsMax == 0 {
		s.interactionsMax = interactionsDefault
	}
	return []part{
		{name: "customer", read: s.profile(), tables: []record.Former{itself}, unknown: customer.Table.Unknown()},
		{
			name: "accounts", read: account.ForCustomer(&a.Accounts, s.heldBy, id, partRowsMax),
			tables: []record.Former{holdings, heldAccounts}, unknown: heldAccounts.Unknown(account.Table.Unknown()),
		},
		{
			name: "cards", read: card.ForCustomer(&a.Cards, id, partRowsMax),
			tables: []record.Former{card.Table.Former(about, "customer_id")}, unknown: card.Table.Unknown(),
		},
		{
			name: "contracts", read: contract.ForOwner(&a.Contracts, id, partRowsMax),
			tables:  []record.Former{holdings, contractParties, contracts, instalments},
			unknown: contract.Table.Unknown(),
		},
		{name: "consents", read: s.consents(), tables: []record.Former{consent.Table.Former(about, "customer_id")}},
		{name: "relations", read: relation.ForCustomer(&a.Relations, id, partRowsMax), tables: []record.Former{relations, parties}},
		{
			name: "rfm", read: insight.ForCustomer(&a.Rfm, id),
			past: func(at time.Time) record.Part { return insight.StoodAt(&a.Rfm, id, at) },
		},
		{
			name: "clv", read: insight.ClvForCustomer(&a.Clv, id),
			past: func(at time.Time) record.Part { return insight.ClvStoodAt(&a.Clv, id, at) },
		},
		{
			name: "segments", read: insight.SegmentsForCustomer(&a.Segments, id, partRowsMax),
			past: func(at time.Time) record.Part { return insight.SegmentsStoodAt(&a.Segments, id, partRowsMax, at) },
		},
		{
			name: "scores", read: insight.ScoresForCustomer(&a.Scores, id, partRowsMax),
			past: func(at time.Time) record.Part { return insight.ScoresStoodAt(&a.Scores, id, partRowsMax, at) },
		},
		{
			name: "interactions", read: interaction.LastForCustomer(&a.Interactions, id, s.interactionsMax),
			tables: []record.Former{interactions, interaction.ParticipantsThen}, unknown: interaction.Table.Unknown(),
		},
		{name: "open_complaints", read: interaction.OpenComplaints(&a.OpenComplaints, id), tables: []record.Former{interactions}},
	}
}

func (s *screen) profile() record.Part {
	var found *record.Record[customer.Row]
	// Whether the caller sees the customer is known by now.
	read := customer.Table.PartByID(context.Background(), &found, s.customerID)
	take := read.Take
	read.Take = func(rows pgx.Rows) error {
		if err := take(rows); err != nil {
			return err
		}
		s.answer.Customer, s.profileChanged = customer.ToProto(found), &found.UpdatedAt
		return nil
	}
	return read
}

// heldBy passes on who holds an account today: of another day only the customer's own holdings are read.
func (s *screen) heldBy(accountID int64, customerIDs []int64) {
	if s.at == nil {
		s.tell(accountID, customerIDs)
	}
}

func (s *screen) consents() record.Part {
	var changed time.Time
	s.consentsChanged = &changed
	return consent.InForce(&s.answer.Consents, &changed, s.customerID, partRowsMax)
}

// known fails when there is no such customer, or when there was none at the moment.
func (s *screen) known() record.Part {
	return record.Part{
		SQL:  "SELECT customer_id FROM customer WHERE customer_id = $1 AND ($2::timestamptz IS NULL OR created_at <= $2)",
		Args: []any{s.customerID, s.at},
		Take: func(rows pgx.Rows) error {
			_, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
			switch {
			case !errors.Is(err, pgx.ErrNoRows):
				return err
			case s.at != nil:
				return apperr.NotFound("customer %d was not known at %s", s.customerID, s.at.Format(time.RFC3339Nano))
			default:
				return apperr.NotFound("customer %d does not exist", s.customerID)
			}
		},
	}
}

// start reads when the history begins.
func (s *screen) start() record.Part {
	return record.Part{SQL: "SELECT min(at) FROM audit_entry", Take: func(rows pgx.Rows) error {
		first, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*time.Time])
		s.answer.HistoryStartTime = record.TimeProto(first)
		return err
	}}
}

// tellAges says of each part where it comes from and how old it is.
func (s *screen) tellAges() {
	if s.profileChanged != nil {
		s.age("customer", sourceCRM, *s.profileChanged)
	}
	for _, held := range s.answer.GetAccounts() {
		s.newest("accounts", sourceCRM, held.GetAccount().GetUpdateTime())
	}
	for _, c := range s.answer.GetCards() {
		s.newest("cards", sourceCRM, c.GetUpdateTime())
	}
	for _, c := range s.answer.GetContracts() {
		s.newest("contracts", sourceCRM, c.GetUpdateTime())
	}
	if len(s.answer.GetConsents()) > 0 {
		s.age("consents", sourceCRM, *s.consentsChanged)
	}
	for _, c := range s.answer.GetRelations() {
		for _, seen := range c.GetRelations() {
			s.newest("relations", sourceCRM, seen.GetRelation().GetUpdateTime())
		}
	}
	for _, i := range s.answer.GetInteractions() {
		s.newest("interactions", sourceCRM, i.GetUpdateTime())
	}
	if rfm := s.answer.GetRfm(); rfm != nil {
		s.age("rfm", "rfm run "+rfm.GetRunId(), rfm.GetComputedTime().AsTime())
	}
	if clv := s.answer.GetClv(); clv != nil {
		s.age("clv", "clv run "+clv.GetRunId(), clv.GetComputedTime().AsTime())
	}
	for _, i := range s.answer.GetSegments() {
		s.newest("segments", "segment run "+i.GetRunId(), i.GetComputedTime())
	}
	for _, i := range s.answer.GetScores() {
		s.newest("scores", "score run "+i.GetRunId(), i.GetComputedTime())
	}
}

// newest moves the age of a part of many rows to a newer change.
func (s *screen) newest(part, source string, changed *timestamppb.Timestamp) {
	t := changed.AsTime()
	if known := s.answer.Ages[part]; known == nil || known.GetNewestChangeTime().AsTime().Before(t) {
		s.age(part, source, t)
	}
}

func (s *screen) age(part, source string, changed time.Time) {
	shown := time.Now()
	if s.at != nil {
		shown = *s.at
	}
	s.answer.Ages[part] = &crmv1.PartAge{
		Source: source, NewestChangeTime: timestamppb.New(changed), AgeSeconds: max(0, int64(shown.Sub(changed).Seconds())),
	}
}
