package fact

// Touched are the records whose change may mean something for customers, by the table that changed.
type Touched struct {
	// Records by table.
	Records map[string]TouchedRecords
	// Places says that regions, branches or products changed, which all customers may belong to.
	Places bool
	// Rates says that transactions in another than the base currency came, which tell rates.
	Rates bool
}

// TouchedRecords are records of one kind, by their numbers, some maybe twice.
type TouchedRecords struct {
	// Entity is the kind as record_link names it: an account for a transaction, a contract for an instalment, and the record itself where
	// it may have changed its customer.
	Entity string
	IDs    []uint64
}

// Kinds of records that lead to customers.
const (
	entityCustomer = "customer"
	entityAccount  = "account"
	entityContract = "contract"
)

// Touched tells what the batch is about.
func (b *Batch) Touched() Touched {
	t := Touched{Records: map[string]TouchedRecords{}}
	touch(&t, &b.customers, entityCustomer, func(r *customer) uint64 { return r.id })
	touch(&t, &b.behaviour, entityCustomer, func(r *behaviourEvent) uint64 { return r.customerID })
	touch(&t, &b.accounts, entityAccount, func(r *account) uint64 { return r.id })
	touch(&t, &b.accountHolders, entityAccount, func(r *accountHolder) uint64 { return r.accountID })
	touch(&t, &b.balances, entityAccount, func(r *balance) uint64 { return r.id })
	touch(&t, &b.transactions, entityAccount, func(r *transaction) uint64 { return r.accountID })
	touch(&t, &b.contracts, entityContract, func(r *contract) uint64 { return r.id })
	touch(&t, &b.contractParties, entityContract, func(r *contractParty) uint64 { return r.contractID })
	touch(&t, &b.instalments, entityContract, func(r *instalment) uint64 { return r.contractID })
	touch(&t, &b.cards, cardTable.Name(), func(r *card) uint64 { return r.id })
	touch(&t, &b.consents, consentTable.Name(), func(r *consent) uint64 { return r.id })
	touch(&t, &b.interactions, interactionTable.Name(), func(r *interaction) uint64 { return r.id })
	touch(&t, &b.relations, relationTable.Name(), func(r *relation) uint64 { return r.id })
	t.Places = len(b.regions.rows)+len(b.branches.rows)+len(b.products.rows) > 0
	for i := range b.transactions.rows {
		r := &b.transactions.rows[i]
		t.Rates = t.Rates || r.currency != r.baseCurrency
	}
	return t
}

// touch notes the records of a buffer; 0 is none.
func touch[R any](t *Touched, b *buffer[R], entity string, id func(*R) uint64) {
	if len(b.rows) == 0 {
		return
	}
	ids := make([]uint64, 0, len(b.rows))
	for i := range b.rows {
		if n := id(&b.rows[i]); n != 0 {
			ids = append(ids, n)
		}
	}
	t.Records[b.name()] = TouchedRecords{Entity: entity, IDs: ids}
}
