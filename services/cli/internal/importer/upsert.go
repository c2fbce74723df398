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

func (u upserter) call(ctx context.Context, entity mapping.Entity, rows []proto.Message) ([]*crmv1.UpsertResult, error) {
	upsert := upserts[entity]
	if upsert == nil {
		return nil, fmt.Errorf("no service keeps the entity %q", entity)
	}
	done, err := upsert(ctx, u, rows)
	return done.GetResults(), err
}

// upsertAnswer is what every batch upsert answers with.
type upsertAnswer interface{ GetResults() []*crmv1.UpsertResult }

// upserts has the call for each entity.
var upserts = map[mapping.Entity]func(context.Context, upserter, []proto.Message) (upsertAnswer, error){
	mapping.Region: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewBranchServiceClient(u.conn).BatchUpsertRegions(ctx,
			&crmv1.BatchUpsertRegionsRequest{Regions: as[*crmv1.Region](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Branch: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewBranchServiceClient(u.conn).BatchUpsertBranches(ctx,
			&crmv1.BatchUpsertBranchesRequest{Branches: as[*crmv1.Branch](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Manager: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewBranchServiceClient(u.conn).BatchUpsertManagers(ctx,
			&crmv1.BatchUpsertManagersRequest{Managers: as[*crmv1.Manager](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Product: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewProductServiceClient(u.conn).BatchUpsertProducts(ctx,
			&crmv1.BatchUpsertProductsRequest{Products: as[*crmv1.Product](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.ServiceLevel: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewServiceLevelServiceClient(u.conn).BatchUpsertServiceLevels(ctx,
			&crmv1.BatchUpsertServiceLevelsRequest{ServiceLevels: as[*crmv1.ServiceLevel](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.AttributeDefinition: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewAttributeServiceClient(u.conn).BatchUpsertAttributeDefinitions(ctx, &crmv1.BatchUpsertAttributeDefinitionsRequest{
			AttributeDefinitions: as[*crmv1.AttributeDefinition](rows), ImportId: u.importID, ValidateOnly: u.validateOnly,
		})
	},
	mapping.Customer: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewCustomerServiceClient(u.conn).BatchUpsertCustomers(ctx,
			&crmv1.BatchUpsertCustomersRequest{Customers: as[*crmv1.Customer](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Consent: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewConsentServiceClient(u.conn).BatchUpsertConsents(ctx,
			&crmv1.BatchUpsertConsentsRequest{Consents: as[*crmv1.Consent](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Relation: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewRelationServiceClient(u.conn).BatchUpsertRelations(ctx,
			&crmv1.BatchUpsertRelationsRequest{Relations: as[*crmv1.Relation](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Account: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewAccountServiceClient(u.conn).BatchUpsertAccounts(ctx,
			&crmv1.BatchUpsertAccountsRequest{Accounts: as[*crmv1.Account](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.AccountHolder: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewAccountServiceClient(u.conn).BatchUpsertAccountHolders(ctx,
			&crmv1.BatchUpsertAccountHoldersRequest{AccountHolders: as[*crmv1.AccountHolder](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Card: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewCardServiceClient(u.conn).BatchUpsertCards(ctx,
			&crmv1.BatchUpsertCardsRequest{Cards: as[*crmv1.Card](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Contract: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewContractServiceClient(u.conn).BatchUpsertContracts(ctx,
			&crmv1.BatchUpsertContractsRequest{Contracts: as[*crmv1.Contract](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.ContractParty: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewContractServiceClient(u.conn).BatchUpsertContractParties(ctx,
			&crmv1.BatchUpsertContractPartiesRequest{ContractParties: as[*crmv1.ContractParty](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Instalment: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewInstalmentServiceClient(u.conn).BatchUpsertInstalments(ctx,
			&crmv1.BatchUpsertInstalmentsRequest{Instalments: as[*crmv1.Instalment](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Interaction: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewInteractionServiceClient(u.conn).BatchUpsertInteractions(ctx,
			&crmv1.BatchUpsertInteractionsRequest{Interactions: as[*crmv1.Interaction](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.Document: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewDocumentServiceClient(u.conn).BatchUpsertDocuments(ctx,
			&crmv1.BatchUpsertDocumentsRequest{Documents: as[*crmv1.Document](rows), ImportId: u.importID, ValidateOnly: u.validateOnly})
	},
	mapping.AccountBalance: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		// An older statement changes nothing, so that the service needs no import to tell a repeated row from a changed one.
		return crmv1.NewBalanceServiceClient(u.conn).BatchUpsertBalances(ctx,
			&crmv1.BatchUpsertBalancesRequest{Balances: as[*crmv1.AccountBalance](rows), ValidateOnly: u.validateOnly})
	},
	mapping.Transaction: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		return crmv1.NewTransactionServiceClient(u.conn).BatchUpsertTransactions(ctx, u.transactions(rows))
	},
	mapping.BehaviourEvent: func(ctx context.Context, u upserter, rows []proto.Message) (upsertAnswer, error) {
		// An event never changes, so that the service needs no import to tell a repeated row from a changed one.
		return crmv1.NewBehaviourServiceClient(u.conn).BatchRecordBehaviourEvents(ctx,
			&crmv1.BatchRecordBehaviourEventsRequest{Events: as[*crmv1.BehaviourEvent](rows), ValidateOnly: u.validateOnly})
	},
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
