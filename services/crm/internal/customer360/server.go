// Package customer360 shows a customer on one screen. It reads from the other rooms and writes nothing.
package customer360

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/timestamppb"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/account"
	"tandem.bank/services/crm/internal/audit"
	"tandem.bank/services/crm/internal/card"
	"tandem.bank/services/crm/internal/consent"
	"tandem.bank/services/crm/internal/contract"
	"tandem.bank/services/crm/internal/customer"
	"tandem.bank/services/crm/internal/insight"
	"tandem.bank/services/crm/internal/interaction"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/relation"
)

const (
	interactionsDefault = 10
	// partRowsMax bounds accounts, cards, contracts, consents and relations: a screen shows no more, lists do.
	partRowsMax = 200
	sourceCRM   = "crm"
)

// Server answers tandem.crm.v1.Customer360Service.
type Server struct {
	crmv1.UnimplementedCustomer360ServiceServer
	pool  *pgxpool.Pool
	reads *audit.Recorder
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server {
	return &Server{pool: pool, reads: audit.NewRecorder(pool)}
}

// GetCustomer360 reads every part in one snapshot, so that the parts fit each other. It answers once the read is on record: one
// entry for the whole screen.
func (s *Server) GetCustomer360(ctx context.Context, req *crmv1.GetCustomer360Request) (*crmv1.GetCustomer360Response, error) {
	screen := &screen{answer: &crmv1.GetCustomer360Response{Ages: map[string]*crmv1.PartAge{}}, now: time.Now()}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error { return screen.read(ctx, tx, req) })
	if err == nil {
		err = s.reads.Customers(ctx, screen.answer.GetCustomer().GetCustomerId())
	}
	if err != nil {
		return nil, err
	}
	return screen.answer, nil
}

// screen is an answer in the making.
type screen struct {
	answer *crmv1.GetCustomer360Response
	now    time.Time
}

func (s *screen) read(ctx context.Context, tx pgx.Tx, req *crmv1.GetCustomer360Request) error {
	profile, err := find(ctx, tx, req)
	if err != nil {
		return err
	}
	s.answer.Customer = customer.ToProto(profile)
	s.age("customer", sourceCRM, &profile.UpdatedAt)
	for _, part := range []func(context.Context, pgx.Tx, int64) error{s.accounts, s.cards, s.contracts, s.consents, s.relations, s.rfm} {
		if err := part(ctx, tx, profile.ID); err != nil {
			return err
		}
	}
	return s.interactions(ctx, tx, profile.ID, int(req.GetInteractionsMax()))
}

func find(ctx context.Context, tx pgx.Tx, req *crmv1.GetCustomer360Request) (*record.Record[customer.Row], error) {
	if req.GetCustomerId() != 0 {
		return customer.Table.Get(ctx, tx, req.GetCustomerId())
	}
	return customer.Table.GetByKey(ctx, tx, req.GetKey())
}

func (s *screen) accounts(ctx context.Context, tx pgx.Tx, customerID int64) (err error) {
	s.answer.Accounts, err = account.ForCustomer(ctx, tx, customerID, partRowsMax)
	for _, held := range s.answer.Accounts {
		s.newest("accounts", held.GetAccount().GetUpdateTime())
	}
	return err
}

func (s *screen) cards(ctx context.Context, tx pgx.Tx, customerID int64) (err error) {
	s.answer.Cards, err = card.ForCustomer(ctx, tx, customerID, partRowsMax)
	for _, c := range s.answer.Cards {
		s.newest("cards", c.GetUpdateTime())
	}
	return err
}

func (s *screen) contracts(ctx context.Context, tx pgx.Tx, customerID int64) (err error) {
	s.answer.Contracts, err = contract.ForOwner(ctx, tx, customerID, partRowsMax)
	for _, c := range s.answer.Contracts {
		s.newest("contracts", c.GetUpdateTime())
	}
	return err
}

func (s *screen) consents(ctx context.Context, tx pgx.Tx, customerID int64) (err error) {
	var changed time.Time
	s.answer.Consents, changed, err = consent.InForce(ctx, tx, customerID, partRowsMax)
	if len(s.answer.Consents) > 0 {
		s.age("consents", sourceCRM, &changed)
	}
	return err
}

// relations shows who is related to the customer today, directly.
func (s *screen) relations(ctx context.Context, tx pgx.Tx, customerID int64) error {
	around, err := relation.Explore(ctx, tx, relation.Walk{CustomerID: customerID, Depth: 1, FanOutMax: partRowsMax, PartiesMax: partRowsMax})
	if err != nil {
		return err
	}
	s.answer.Relations = around.GetConnections()
	for _, c := range s.answer.Relations {
		for _, seen := range c.GetRelations() {
			s.newest("relations", seen.GetRelation().GetUpdateTime())
		}
	}
	return nil
}

func (s *screen) interactions(ctx context.Context, tx pgx.Tx, customerID int64, most int) (err error) {
	if most == 0 {
		most = interactionsDefault
	}
	if s.answer.Interactions, err = interaction.LastForCustomer(ctx, tx, customerID, most); err != nil {
		return err
	}
	for _, i := range s.answer.Interactions {
		s.newest("interactions", i.GetUpdateTime())
	}
	s.answer.OpenComplaints, err = interaction.OpenComplaints(ctx, tx, customerID)
	return err
}

func (s *screen) rfm(ctx context.Context, tx pgx.Tx, customerID int64) (err error) {
	s.answer.Rfm, err = insight.ForCustomer(ctx, tx, customerID)
	if rfm := s.answer.GetRfm(); rfm != nil {
		computed := rfm.GetComputedTime().AsTime()
		s.age("rfm", "rfm run "+rfm.GetRunId(), &computed)
	}
	return err
}

// newest moves the age of a part of crm to a newer change.
func (s *screen) newest(part string, changed *timestamppb.Timestamp) {
	t := changed.AsTime()
	if known := s.answer.Ages[part]; known == nil || known.GetNewestChangeTime().AsTime().Before(t) {
		s.age(part, sourceCRM, &t)
	}
}

func (s *screen) age(part, source string, changed *time.Time) {
	s.answer.Ages[part] = &crmv1.PartAge{
		Source:           source,
		NewestChangeTime: timestamppb.New(*changed),
		AgeSeconds:       max(0, int64(s.now.Sub(*changed).Seconds())),
	}
}
