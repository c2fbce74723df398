package conformance

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"tandem.bank/pkg/auth"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/access"
)

// places gives the crowd to a hundred managers of twenty branches; manager 7 has ten others below.
const places = `
INSERT INTO branch (source, external_id, name) SELECT 'crowd', n::text, 'B' || n FROM generate_series(1, 20) n;
INSERT INTO manager (source, external_id, name, login, branch_id)
SELECT 'crowd', n::text, 'M' || n, 'm' || n, branch_id FROM generate_series(1, 100) n
JOIN branch b ON b.source = 'crowd' AND b.external_id = (1 + n % 20)::text;
UPDATE manager SET supervisor_id = (SELECT manager_id FROM manager WHERE login = 'm7') WHERE source = 'crowd' AND external_id::int BETWEEN 50 AND 59;
UPDATE customer c SET manager_id = m.manager_id, branch_id = m.branch_id
FROM manager m WHERE c.source = 'crowd' AND m.source = 'crowd' AND m.external_id = (1 + c.customer_id % 100)::text;
ANALYZE`

// What people see who see only some of the customers is read by indexes, too: no big table from end to end.
func TestScopedStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	policy, err := access.Load("")
	if err != nil {
		t.Fatal(err)
	}
	rules, _, _ := strings.Cut(policy.Text, "\nroles:\n")
	b := newBankHeldTo(t, rules+keepers)
	for _, sql := range []string{crowd, places} {
		if _, err := b.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	config, seen := b.pool.Config(), &recorder{statements: map[string][]any{}}
	config.ConnConfig.Tracer = seen
	traced, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	watched := &bank{pool: traced, policy: b.policy}
	watched.serve(t, traced)
	watched.seesOwnDocuments(t, watched.callers.As(t, t.Context(), "m7", auth.RoleMarketer))
	for _, role := range []string{auth.RoleMarketer, auth.RoleManager, auth.RoleFrontOffice, auth.RoleAdministrator} {
		watched.lookAround(t, watched.callers.As(t, t.Context(), "m7", role))
	}
	b.readNothingWhole(t, seen, 60)
}

// seesOwnDocuments checks that manager m7, who sees the own customers only, sees no document of others.
func (b *bank) seesOwnDocuments(t *testing.T, ctx context.Context) { //nolint:revive // a test comes first
	t.Helper()
	found, _, err := b.list(ctx, documents, 50, "", "")
	if err != nil || len(found) != 50 {
		t.Fatalf("%d documents, %v", len(found), err)
	}
	ids := make([]int64, len(found))
	for i, m := range found {
		ids[i] = get(m, "customer_id").Int()
	}
	var strangers int
	err = b.pool.QueryRow(t.Context(), `SELECT count(*) FROM customer JOIN manager USING (manager_id)
WHERE customer_id = ANY($1) AND login <> 'm7'`, ids).Scan(&strangers)
	if err != nil || strangers > 0 {
		t.Errorf("documents of %d customers of others are seen (%v)", strangers, err)
	}
}

// lookAround reads everything that a caller may list, and all of one customer.
func (b *bank) lookAround(t *testing.T, ctx context.Context) { //nolint:revive // a test comes first
	t.Helper()
	for _, k := range []kind{customers, accounts, holders, cards, contracts, contractParties, instalments, interactions, consents, relations, documents} {
		found, next, err := b.list(ctx, k, 2, "", "")
		if err == nil && next != "" {
			_, _, err = b.list(ctx, k, 2, next, "")
		}
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d found, %v", k.many, len(found), err)
		}
	}
	listed, _, err := b.list(ctx, customers, 1, "", "")
	if err != nil {
		t.Fatal(err)
	}
	one, ok := listed[0].(*crmv1.Customer)
	if !ok {
		t.Fatalf("a list of customers holds %T", listed[0])
	}
	id := one.GetCustomerId()
	for _, try := range []func() error{
		func() error {
			_, err := crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(ctx, &crmv1.GetCustomer360Request{CustomerId: id})
			return err
		},
		func() error {
			_, err := crmv1.NewTimelineServiceClient(b.conn).ListTimeline(ctx, &crmv1.ListTimelineRequest{CustomerId: id})
			return err
		},
		func() error {
			_, err := crmv1.NewTransactionServiceClient(b.conn).ListTransactions(ctx, &crmv1.ListTransactionsRequest{CustomerId: id})
			return err
		},
		func() error { return b.movements(ctx, id) },
	} {
		if err := try(); err != nil {
			t.Fatal(err)
		}
	}
}

// movements reads the transactions and balances of a customer's account.
func (b *bank) movements(ctx context.Context, customerID int64) error {
	screen, err := crmv1.NewCustomer360ServiceClient(b.conn).GetCustomer360(ctx, &crmv1.GetCustomer360Request{CustomerId: customerID})
	if err != nil || len(screen.GetAccounts()) == 0 {
		return err
	}
	account := screen.GetAccounts()[0].GetAccount().GetAccountId()
	if _, err := crmv1.NewTransactionServiceClient(b.conn).ListTransactions(ctx, &crmv1.ListTransactionsRequest{AccountId: account}); err != nil {
		return err
	}
	_, err = crmv1.NewBalanceServiceClient(b.conn).ListBalances(ctx, &crmv1.ListBalancesRequest{AccountId: account})
	return err
}
