package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"tandem.bank/pkg/auth"
	"tandem.bank/pkg/testkit"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// statementsWaiting counts the statements about customers that wait for a lock; the relay may wait for one, too, when it starts.
const statementsWaiting = `SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock' AND query LIKE '%FROM customer %'`

// TestEndedCallsEndTheirStatements checks that a call whose deadline passes, or whose caller goes away, leaves nothing running
// in the database. The statement waits for a lock that somebody else holds.
func TestEndedCallsEndTheirStatements(t *testing.T) {
	t.Parallel()
	a, pool := serveAPIOn(t, "")
	founder := a.as(t, "founder", auth.RoleAdministrator)
	customers := crmv1.NewCustomerServiceClient(a.conn)
	created, err := customers.CreateCustomer(founder, &crmv1.CreateCustomerRequest{Customer: &crmv1.Customer{
		Party: &crmv1.Customer_Individual{Individual: &crmv1.Individual{GivenName: "Eva"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	customer := created.GetCustomer()
	holder, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := holder.Exec(t.Context(), "SELECT FROM customer WHERE customer_id = $1 FOR UPDATE", customer.GetCustomerId()); err != nil {
		t.Fatal(err)
	}
	update := func(ctx context.Context) codes.Code {
		customer.Phone = "+420600000001"
		_, err := customers.UpdateCustomer(ctx, &crmv1.UpdateCustomerRequest{
			Customer: customer, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"phone"}},
		})
		return status.Code(err)
	}
	for name, end := range map[string]struct {
		context func() (context.Context, context.CancelFunc)
		want    codes.Code
	}{
		"deadline":  {func() (context.Context, context.CancelFunc) { return context.WithTimeout(founder, 2*time.Second) }, codes.DeadlineExceeded},
		"cancelled": {func() (context.Context, context.CancelFunc) { return context.WithCancel(founder) }, codes.Canceled},
	} {
		ctx, cancel := end.context()
		got := make(chan codes.Code, 1)
		go func() { got <- update(ctx) }()
		untilWaiting(t, pool, 1)
		if end.want == codes.Canceled {
			cancel()
		}
		if code := <-got; code != end.want {
			t.Errorf("%s: %s, want %s", name, code, end.want)
		}
		cancel()
		untilWaiting(t, pool, 0)
	}
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := update(founder); code != codes.OK {
		t.Errorf("afterwards: %s", code)
	}
}

// untilWaiting returns when so many statements wait for a lock.
func untilWaiting(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, func() error {
		var waiting int
		if err := pool.QueryRow(t.Context(), statementsWaiting).Scan(&waiting); err != nil {
			return err
		}
		if waiting != want {
			return fmt.Errorf("%d statements wait for a lock, not %d", waiting, want)
		}
		return nil
	})
}
