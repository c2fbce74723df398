package importer

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/cli/internal/mapping"
)

// upserter sends batches of records to the service that keeps their entity.
type upserter struct {
	conn         grpc.ClientConnInterface
	importID     string
	validateOnly bool
}

// send returns one result for each record.
func (u upserter) send(ctx context.Context, entity mapping.Entity, records []proto.Message) ([]*crmv1.UpsertResult, error) {
	results, err := u.call(ctx, entity, records)
	if err != nil {
		return nil, err
	}
	if len(results) != len(records) {
		return nil, fmt.Errorf("the service answered %d rows of a batch of %d", len(results), len(records))
	}
	return results, nil
}

//nolint:funlen // one case for each entity
func (u upserter) call(ctx context.Context, entity mapping.Entity, rows []proto.Message) ([]*crmv1.UpsertResult, error) {
	id, check := u.importID, u.validateOnly
	switch entity {
	case mapping.Region:
		r, err := crmv1.NewBranchServiceClient(u.conn).BatchUpsertRegions(ctx,
			&crmv1.BatchUpsertRegionsRequest{Regions: as[*crmv1.Region](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Branch:
		r, err := crmv1.NewBranchServiceClient(u.conn).BatchUpsertBranches(ctx,
			&crmv1.BatchUpsertBranchesRequest{Branches: as[*crmv1.Branch](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Manager:
		r, err := crmv1.NewBranchServiceClient(u.conn).BatchUpsertManagers(ctx,
			&crmv1.BatchUpsertManagersRequest{Managers: as[*crmv1.Manager](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Product:
		r, err := crmv1.NewProductServiceClient(u.conn).BatchUpsertProducts(ctx,
			&crmv1.BatchUpsertProductsRequest{Products: as[*crmv1.Product](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Customer:
		r, err := crmv1.NewCustomerServiceClient(u.conn).BatchUpsertCustomers(ctx,
			&crmv1.BatchUpsertCustomersRequest{Customers: as[*crmv1.Customer](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Consent:
		r, err := crmv1.NewConsentServiceClient(u.conn).BatchUpsertConsents(ctx,
			&crmv1.BatchUpsertConsentsRequest{Consents: as[*crmv1.Consent](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Relation:
		r, err := crmv1.NewRelationServiceClient(u.conn).BatchUpsertRelations(ctx,
			&crmv1.BatchUpsertRelationsRequest{Relations: as[*crmv1.Relation](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Account:
		r, err := crmv1.NewAccountServiceClient(u.conn).BatchUpsertAccounts(ctx,
			&crmv1.BatchUpsertAccountsRequest{Accounts: as[*crmv1.Account](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.AccountHolder:
		r, err := crmv1.NewAccountServiceClient(u.conn).BatchUpsertAccountHolders(ctx,
			&crmv1.BatchUpsertAccountHoldersRequest{AccountHolders: as[*crmv1.AccountHolder](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Card:
		r, err := crmv1.NewCardServiceClient(u.conn).BatchUpsertCards(ctx,
			&crmv1.BatchUpsertCardsRequest{Cards: as[*crmv1.Card](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Contract:
		r, err := crmv1.NewContractServiceClient(u.conn).BatchUpsertContracts(ctx,
			&crmv1.BatchUpsertContractsRequest{Contracts: as[*crmv1.Contract](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Interaction:
		r, err := crmv1.NewInteractionServiceClient(u.conn).BatchUpsertInteractions(ctx,
			&crmv1.BatchUpsertInteractionsRequest{Interactions: as[*crmv1.Interaction](rows), ImportId: id, ValidateOnly: check})
		return r.GetResults(), err
	case mapping.Transaction:
		r, err := crmv1.NewTransactionServiceClient(u.conn).BatchUpsertTransactions(ctx, u.transactions(rows))
		return r.GetResults(), err
	default:
		return nil, fmt.Errorf("no service keeps the entity %q", entity)
	}
}

// transactions makes a bundle for the batch call or the stream.
func (u upserter) transactions(rows []proto.Message) *crmv1.BatchUpsertTransactionsRequest {
	return &crmv1.BatchUpsertTransactionsRequest{
		Transactions: as[*crmv1.Transaction](rows), ImportId: u.importID, ValidateOnly: u.validateOnly,
	}
}

// as gives records their type back; the mapping has made them of it.
func as[T proto.Message](records []proto.Message) []T {
	out := make([]T, len(records))
	for i, record := range records {
		out[i] = record.(T) //nolint:forcetypeassert // the entity decides both types
	}
	return out
}
