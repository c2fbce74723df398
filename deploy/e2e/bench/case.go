package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Goals: what may be lost to everything that crm does beside the SQL.
const (
	readGoal  = 0.6
	writeGoal = 0.5
)

// measured is a call and the bare SQL of it: everything that a read sends, and the change of a row alone for a write.
type measured struct {
	name       string
	goal       float64
	call, bare func(*bench) work
	// beside is another baseline, for comparison.
	beside func(*bench) work
	// apart says what it is.
	apart string
}

var cases = []measured{
	measuredRead("GetCustomer360", screenCall, screenRead, crmv1.Customer360Service_GetCustomer360_FullMethodName),
	measuredRead("ListCustomers with a filter", listCall, listRead, crmv1.CustomerService_ListCustomers_FullMethodName),
	measuredRead("ListCustomers with a filter on insights", insightCall, insightRead, crmv1.CustomerService_ListCustomers_FullMethodName),
	measuredRead("SearchCustomers", searchCall, searchRead, crmv1.SearchService_SearchCustomers_FullMethodName),
	measuredWrite("RecordInteraction (CreateInteraction)", createCall, createBare, createAll),
	measuredWrite("UpdateCustomer", updateCall, updateBare, updateAll),
}

func measuredRead(name string, call func(*bench) work, read func(*bench) reading, method string) measured {
	return measured{name, readGoal, call, audited(read, method), alone(read), "the reading alone"}
}

func measuredWrite(name string, call, bare, all func(*bench) work) measured {
	return measured{name, writeGoal, call, bare, all, "all SQL of the call"}
}

//go:embed screen.sql
var screenSQL string

//go:embed list.sql
var listSQL string

//go:embed insight.sql
var insightSQL string

func (b *bench) customer(random *rand.Rand) int64 {
	return random.Int64N(int64(b.config.Customers)) + 1
}

func (b *bench) manager(random *rand.Rand) int64 {
	return random.Int64N(int64(max(1, b.config.Customers/customersPerManager))) + 1
}

func screenCall(b *bench) work {
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		req := &crmv1.GetCustomer360Request{CustomerId: b.customer(random)}
		answer, err := crmv1.NewCustomer360ServiceClient(b.conns[worker%connections]).GetCustomer360(ctx, req)
		if err == nil && len(answer.GetInteractions()) == 0 {
			return fmt.Errorf("customer %d has no interactions", req.GetCustomerId())
		}
		return err
	}
}

// screenArgs are the arguments of the statements of screen.sql, in their order.
func screenArgs(customer int64) [][]any {
	const rowsMax, interactions = 200, 10
	from := []int64{customer}
	return [][]any{
		{}, // the beginning
		{customer},
		{customer, rowsMax},
		{customer, rowsMax},
		{customer, rowsMax},
		{customer, nil, "", nil},
		{from, from, relationTypes, nil, rowsMax},
		{customer},
		{customer},
		{customer, rowsMax},
		{customer, rowsMax},
		{customer, interactions},
		{customer},
		{}, // the end
	}
}

// relationTypes are the types as the table of relations keeps them.
var relationTypes = sync.OnceValue(func() (types []string) {
	values := crmv1.RelationType(0).Descriptor().Values()
	for i := 1; i < values.Len(); i++ {
		types = append(types, strings.ToLower(strings.TrimPrefix(string(values.Get(i).Name()), "RELATION_TYPE_")))
	}
	return types
})()

// screenRead sends the same statements in one round trip, in one snapshot: that is the best that bare SQL can do.
func screenRead(b *bench) reading {
	statements := statementsOf(screenSQL)
	return func(ctx context.Context, random *rand.Rand) ([]int64, error) {
		customer := b.customer(random)
		_, err := sendAll(ctx, b.pool, statements, screenArgs(customer))
		return []int64{customer}, err
	}
}

func listCall(b *bench) work {
	return b.listed(func(random *rand.Rand) string {
		return fmt.Sprintf(`manager_id = %d AND state = "active"`, b.manager(random))
	})
}

func listRead(b *bench) reading {
	return b.queried(listSQL, func(random *rand.Rand) []any { return []any{b.manager(random), "active", 51} })
}

// listed asks for the first page of the customers that a filter admits.
func (b *bench) listed(filter func(*rand.Rand) string) work {
	return func(ctx context.Context, worker int, random *rand.Rand) error {
		req := &crmv1.ListCustomersRequest{Filter: filter(random)}
		answer, err := crmv1.NewCustomerServiceClient(b.conns[worker%connections]).ListCustomers(ctx, req)
		if err == nil && len(answer.GetCustomers()) == 0 {
			return fmt.Errorf("no customers for %s", req.GetFilter())
		}
		return err
	}
}

// scoresSQL gives everybody a score, evenly from 0 to 1, where a bank of before has none.
const scoresSQL = `INSERT INTO customer_score
    (customer_id, score, value, grade, as_of, run_id, definition_version, model_version, computed_at, applied_at)
SELECT customer_id, 'fit', customer_id * 7919 % 10007 / 10007.0, 'A', '2026-01-01', gen_random_uuid(), 1, 0, now(), now() FROM customer
ON CONFLICT DO NOTHING`

// highest draws the least score of the list: a few in a hundred customers have it.
func highest(random *rand.Rand) string { return fmt.Sprintf("%.4f", 0.95+0.04*random.Float64()) }

func insightCall(b *bench) work {
	return b.listed(func(random *rand.Rand) string {
		return fmt.Sprintf(`scores:(name = "fit" AND value >= %s)`, highest(random))
	})
}

func insightRead(b *bench) reading {
	return b.queried(insightSQL, func(random *rand.Rand) []any { return []any{"fit", highest(random), 51} })
}
