package fact

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/proto"

	eventsv1 "tandem.bank/proto/gen/go/tandem/events/v1"
	"tandem.bank/services/analytics/internal/warehouse"
)

// Batch collects rows of all tables until they are inserted together.
type Batch struct {
	regions         buffer[region]
	branches        buffer[branch]
	managers        buffer[manager]
	customers       buffer[customer]
	consents        buffer[consent]
	documents       buffer[document]
	relations       buffer[relation]
	products        buffer[product]
	contracts       buffer[contract]
	contractParties buffer[contractParty]
	instalments     buffer[instalment]
	accounts        buffer[account]
	balances        buffer[balance]
	accountHolders  buffer[accountHolder]
	cards           buffer[card]
	interactions    buffer[interaction]
	transactions    buffer[transaction]
	auditBlocks     buffer[auditBlock]
	serviceLevels   buffer[serviceLevel]
	behaviour       buffer[behaviourEvent]
	attributes      buffer[attributeDefinition]
	definitions     buffer[definition]
	plans           buffer[planValue]
	published       buffer[publishedChange]

	rows   int
	newest time.Time
}

// NewBatch returns an empty batch.
func NewBatch() *Batch {
	return &Batch{
		regions:         buffer[region]{table: regionTable},
		branches:        buffer[branch]{table: branchTable},
		managers:        buffer[manager]{table: managerTable},
		customers:       buffer[customer]{table: customerTable},
		consents:        buffer[consent]{table: consentTable},
		documents:       buffer[document]{table: documentTable},
		relations:       buffer[relation]{table: relationTable},
		products:        buffer[product]{table: productTable},
		contracts:       buffer[contract]{table: contractTable},
		contractParties: buffer[contractParty]{table: contractPartyTable},
		instalments:     buffer[instalment]{table: instalmentTable},
		accounts:        buffer[account]{table: accountTable},
		balances:        buffer[balance]{table: balanceTable},
		accountHolders:  buffer[accountHolder]{table: accountHolderTable},
		cards:           buffer[card]{table: cardTable},
		interactions:    buffer[interaction]{table: interactionTable},
		transactions:    buffer[transaction]{table: transactionTable},
		auditBlocks:     buffer[auditBlock]{table: auditBlockTable},
		serviceLevels:   buffer[serviceLevel]{table: serviceLevelTable},
		behaviour:       buffer[behaviourEvent]{table: behaviourEventTable},
		attributes:      buffer[attributeDefinition]{table: attributeDefinitionTable},
		definitions:     buffer[definition]{table: definitionTable},
		plans:           buffer[planValue]{table: planValueTable},
		published:       buffer[publishedChange]{table: publishedChangeTable},
	}
}

// Tables names every table that a batch may write, in the order of a bank's day: places, people, products,
// business, and what the audit is held against.
func Tables() []string {
	buffers := NewBatch().buffers()
	names := make([]string, len(buffers))
	for i, b := range buffers {
		names[i] = b.name()
	}
	return names
}

// Add reads one message and adds its rows: all of them or, with an InvalidError, none.
func (b *Batch) Add(message []byte) error {
	var change eventsv1.Change
	if err := proto.Unmarshal(message, &change); err != nil {
		return invalid("message", "is not a tandem.events.v1.Change (%v)", err)
	}
	rec, err := recordOf(&change)
	if err != nil {
		return err
	}
	if err := checkPayload(&change); err != nil {
		return err
	}
	rows, err := b.add(rec, &change)
	if err != nil {
		return err
	}
	b.rows += rows
	if change.GetEntity() != auditBlockTable.Name() { // the chain itself is no change that an entry tells of
		b.published.rows = append(b.published.rows, publishedChange{record: rec, entity: change.GetEntity(), actor: change.GetActor()})
	}
	if rec.changeTime.After(b.newest) {
		b.newest = rec.changeTime
	}
	return nil
}

// payloadOneof finds which payload a change has; its field is called like the entity.
var payloadOneof = (&eventsv1.Change{}).ProtoReflect().Descriptor().Oneofs().ByName("payload")

// checkPayload wants a payload, of the entity that the change names: a subject, a dead letter and a row then agree.
func checkPayload(c *eventsv1.Change) error {
	field := c.ProtoReflect().WhichOneof(payloadOneof)
	if field == nil {
		return invalid("entity", "%q has no payload that this version knows", clip(c.GetEntity()))
	}
	if string(field.Name()) != c.GetEntity() {
		return invalid("entity", "%q comes with the payload of a %s", clip(c.GetEntity()), field.Name())
	}
	return nil
}

// add dispatches by payload, which is checked.
func (b *Batch) add(rec record, c *eventsv1.Change) (int, error) {
	switch p := c.GetPayload().(type) {
	case *eventsv1.Change_Region:
		return put(&b.regions, rec, p.Region, regionOf)
	case *eventsv1.Change_Branch:
		return put(&b.branches, rec, p.Branch, branchOf)
	case *eventsv1.Change_Manager:
		return put(&b.managers, rec, p.Manager, managerOf)
	case *eventsv1.Change_Customer:
		return put(&b.customers, rec, p.Customer, customerOf)
	case *eventsv1.Change_Consent:
		return put(&b.consents, rec, p.Consent, consentOf)
	case *eventsv1.Change_Relation:
		return put(&b.relations, rec, p.Relation, relationOf)
	case *eventsv1.Change_Product:
		return put(&b.products, rec, p.Product, productOf)
	case *eventsv1.Change_Contract:
		return put(&b.contracts, rec, p.Contract, contractOf)
	case *eventsv1.Change_Account:
		return put(&b.accounts, rec, p.Account, accountOf)
	case *eventsv1.Change_AccountHolder:
		return put(&b.accountHolders, rec, p.AccountHolder, accountHolderOf)
	case *eventsv1.Change_Card:
		return put(&b.cards, rec, p.Card, cardOf)
	case *eventsv1.Change_Interaction:
		return put(&b.interactions, rec, p.Interaction, interactionOf)
	case *eventsv1.Change_TransactionBundle:
		return putAll(&b.transactions, rec, p.TransactionBundle, transactionsOf)
	default:
		return b.addTerms(rec, c)
	}
}

// addTerms takes what belongs to contracts, and balances.
func (b *Batch) addTerms(rec record, c *eventsv1.Change) (int, error) {
	switch p := c.GetPayload().(type) {
	case *eventsv1.Change_ContractParty:
		return put(&b.contractParties, rec, p.ContractParty, contractPartyOf)
	case *eventsv1.Change_BalanceBundle:
		return putAll(&b.balances, rec, p.BalanceBundle, balancesOf)
	case *eventsv1.Change_Instalment:
		return put(&b.instalments, rec, p.Instalment, instalmentOf)
	default:
		return b.addOther(rec, c)
	}
}

// addOther takes what is beside the bank's business: what it promises, how customers behave, and the audit.
func (b *Batch) addOther(rec record, c *eventsv1.Change) (int, error) {
	switch p := c.GetPayload().(type) {
	case *eventsv1.Change_AttributeDefinition:
		return put(&b.attributes, rec, p.AttributeDefinition, attributeDefinitionOf)
	case *eventsv1.Change_Definition:
		return put(&b.definitions, rec, p.Definition, definitionOf)
	case *eventsv1.Change_Plan:
		return putAll(&b.plans, rec, p.Plan, planValuesOf)
	case *eventsv1.Change_Document:
		return put(&b.documents, rec, p.Document, documentOf)
	case *eventsv1.Change_ServiceLevel:
		return put(&b.serviceLevels, rec, p.ServiceLevel, serviceLevelOf)
	case *eventsv1.Change_BehaviourEventBundle:
		return putAll(&b.behaviour, rec, p.BehaviourEventBundle, behaviourEventsOf)
	case *eventsv1.Change_AuditBlock:
		return put(&b.auditBlocks, rec, p.AuditBlock, auditBlockOf)
	case *eventsv1.Change_ServiceAccount:
		return 0, nil // who may call crm is nothing to analyse
	default:
		return 0, invalid("entity", "%q is not stored in the warehouse", clip(c.GetEntity()))
	}
}

// Rows counts the rows collected; what is kept of every change for the audit is not among them.
func (b *Batch) Rows() int { return b.rows }

// Newest is the change time of the newest change collected; zero when there is none.
func (b *Batch) Newest() time.Time { return b.newest }

// RowsByTable counts the rows of each table that has any.
func (b *Batch) RowsByTable() map[string]int {
	counts := make(map[string]int)
	for _, buffer := range b.buffers() {
		if n := buffer.len(); n > 0 {
			counts[buffer.name()] = n
		}
	}
	return counts
}

// Insert writes the rows, one insert a table. Doing it again after an error, or after success, changes nothing: rows
// replace their equals.
func (b *Batch) Insert(ctx context.Context, conn driver.Conn) error {
	for _, buffer := range b.buffers() {
		if err := buffer.insert(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// Reset empties the batch and keeps its memory for the next.
func (b *Batch) Reset() {
	for _, buffer := range b.buffers() {
		buffer.reset()
	}
	b.rows, b.newest = 0, time.Time{}
}

func (b *Batch) buffers() []anyBuffer {
	return []anyBuffer{
		&b.regions, &b.branches, &b.managers, &b.customers, &b.attributes, &b.consents, &b.relations, &b.products, &b.contracts,
		&b.contractParties, &b.instalments, &b.documents,
		&b.accounts, &b.balances, &b.accountHolders, &b.cards, &b.interactions, &b.serviceLevels, &b.behaviour, &b.transactions,
		&b.definitions, &b.plans, &b.auditBlocks, &b.published,
	}
}

// buffer holds rows of one table.
type buffer[R any] struct {
	table *warehouse.Table[R]
	rows  []R
}

type anyBuffer interface {
	name() string
	len() int
	insert(ctx context.Context, conn driver.Conn) error
	reset()
}

func (b *buffer[R]) name() string { return b.table.Name() }
func (b *buffer[R]) len() int     { return len(b.rows) }

func (b *buffer[R]) insert(ctx context.Context, conn driver.Conn) error {
	return b.table.Insert(ctx, conn, b.rows)
}

func (b *buffer[R]) reset() {
	clear(b.rows) // lets go of what the rows point to
	b.rows = b.rows[:0]
}

// put reads one row into its buffer.
func put[R, S any](b *buffer[R], rec record, state S, read func(record, S) (R, error)) (int, error) {
	row, err := read(rec, state)
	if err != nil {
		return 0, err
	}
	b.rows = append(b.rows, row)
	return 1, nil
}

// putAll reads the rows of a bundle into their buffer.
func putAll[R, S any](b *buffer[R], rec record, state S, read func(record, S) ([]R, error)) (int, error) {
	rows, err := read(rec, state)
	if err != nil {
		return 0, err
	}
	b.rows = append(b.rows, rows...)
	return len(rows), nil
}
