// Package customer360 shows a customer on one screen. It reads from the other rooms and writes nothing.
package customer360

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/protobuf/types/known/timestamppb"

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
	pool *pgxpool.Pool
}

// NewServer binds the room to its database.
func NewServer(pool *pgxpool.Pool) *Server {
	return &Server{pool: pool}
}

// GetCustomer360 reads every part in one snapshot, so that the parts fit each other, and in one round trip.
func (s *Server) GetCustomer360(ctx context.Context, req *crmv1.GetCustomer360Request) (*crmv1.GetCustomer360Response, error) {
	customerID, err := s.customerID(ctx, req)
	if err != nil {
		return nil, err
	}
	answer := &crmv1.GetCustomer360Response{Ages: map[string]*crmv1.PartAge{}}
	var profile *record.Record[customer.Row]
	var consentsChanged time.Time
	interactionsMax := int(req.GetInteractionsMax())
	if interactionsMax == 0 {
		interactionsMax = interactionsDefault
	}
	err = record.ReadSnapshot(ctx, s.pool,
		customer.Table.PartByID(&profile, customerID),
		account.ForCustomer(&answer.Accounts, customerID, partRowsMax),
		card.ForCustomer(&answer.Cards, customerID, partRowsMax),
		contract.ForOwner(&answer.Contracts, customerID, partRowsMax),
		consent.InForce(&answer.Consents, &consentsChanged, customerID, partRowsMax),
		relation.ForCustomer(&answer.Relations, customerID, partRowsMax),
		insight.ForCustomer(&answer.Rfm, customerID),
		interaction.LastForCustomer(&answer.Interactions, customerID, interactionsMax),
		interaction.OpenComplaints(&answer.OpenComplaints, customerID),
	)
	if err != nil {
		return nil, err
	}
	answer.Customer = customer.ToProto(profile)
	(&screen{answer: answer, now: time.Now()}).tellAges(profile.UpdatedAt, consentsChanged)
	return answer, nil
}

// customerID is the number of the customer that a request names: the parts read by it, and it never changes.
func (s *Server) customerID(ctx context.Context, req *crmv1.GetCustomer360Request) (int64, error) {
	if req.GetCustomerId() != 0 {
		return req.GetCustomerId(), nil
	}
	found, err := customer.Table.GetByKey(ctx, s.pool, req.GetKey())
	if err != nil {
		return 0, err
	}
	return found.ID, nil
}

// screen is an answer in the making.
type screen struct {
	answer *crmv1.GetCustomer360Response
	now    time.Time
}

// tellAges says of each part where it comes from and how old it is.
func (s *screen) tellAges(profileChanged, consentsChanged time.Time) {
	s.age("customer", sourceCRM, &profileChanged)
	for _, held := range s.answer.GetAccounts() {
		s.newest("accounts", held.GetAccount().GetUpdateTime())
	}
	for _, c := range s.answer.GetCards() {
		s.newest("cards", c.GetUpdateTime())
	}
	for _, c := range s.answer.GetContracts() {
		s.newest("contracts", c.GetUpdateTime())
	}
	if len(s.answer.GetConsents()) > 0 {
		s.age("consents", sourceCRM, &consentsChanged)
	}
	for _, c := range s.answer.GetRelations() {
		for _, seen := range c.GetRelations() {
			s.newest("relations", seen.GetRelation().GetUpdateTime())
		}
	}
	for _, i := range s.answer.GetInteractions() {
		s.newest("interactions", i.GetUpdateTime())
	}
	if rfm := s.answer.GetRfm(); rfm != nil {
		computed := rfm.GetComputedTime().AsTime()
		s.age("rfm", "rfm run "+rfm.GetRunId(), &computed)
	}
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
