package transaction

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/apperr"
	"tandem.bank/pkg/filter"
	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/listing"
	"tandem.bank/services/crm/internal/record"
	"tandem.bank/services/crm/internal/sight"
)

// newestFirst is the order of a list unless the caller wants another; it is that of the index of each account.
const newestFirst = "business_date desc"

// list is a page in the making.
type list struct {
	size  int
	order filter.Order
	after *filter.Position
	// scope selects the accounts, where their transactions.
	scope, where string
	args         []any
}

// List returns a page of the accounts' transactions, newest first unless the caller wants another order. Newest first, each
// account contributes at most a page by its own index order, so the cost does not grow with the history; any other order
// sorts what the accounts have.
func (l *Ledger) List(ctx context.Context, req *crmv1.ListTransactionsRequest) (*record.Page[*crmv1.Transaction], error) {
	parameters := []string{"transaction", fmt.Sprint(req.GetAccountId()), fmt.Sprint(req.GetCustomerId()), req.GetFilter(), req.GetOrderBy()}
	q, err := newList(ctx, req, parameters)
	if err != nil {
		return nil, err
	}
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	out := &record.Page[*crmv1.Transaction]{}
	if out.Items, out.Next, err = l.readPage(ctx, conn, q, parameters); err != nil {
		return nil, err
	}
	from := fmt.Sprintf("transaction t WHERE t.account_id IN (%s) AND %s", q.scope, q.where)
	out.Count, err = listing.Count(ctx, conn, req.GetCount(), from, q.args)
	return out, err
}

func newList(ctx context.Context, req *crmv1.ListTransactionsRequest, parameters []string) (*list, error) {
	q := &list{size: page.Size(req.GetPageSize()), scope: "SELECT $1::bigint AS account_id", args: []any{req.GetAccountId()}}
	if req.GetCustomerId() != 0 {
		q.scope = "SELECT DISTINCT account_id FROM account_holder WHERE customer_id = $1 AND role = 'owner'"
		q.args = []any{req.GetCustomerId()}
	}
	if seen, bound := sight.Condition(ctx, sight.ByAccount("asked.account_id"), q.args); seen != "" {
		q.scope, q.args = "SELECT account_id FROM ("+q.scope+") asked WHERE "+seen, bound
	}
	var err error
	if q.after, err = page.Decode[filter.Position](req.GetPageToken(), parameters...); err != nil {
		return nil, err
	}
	if q.order, err = filter.ParseOrder(cmp.Or(req.GetOrderBy(), newestFirst), schema, "transaction_id"); err != nil {
		return nil, err
	}
	q.where, q.args, err = filter.Postgres(req.GetFilter(), schema, q.args)
	return q, err
}

// readPage takes one row more than the page holds: it tells whether there is a next one.
func (l *Ledger) readPage(
	ctx context.Context, conn listing.Querier, q *list, parameters []string,
) (found []*crmv1.Transaction, next string, err error) {
	steps, err := q.order.Steps(q.after, q.args)
	if err != nil {
		return nil, "", err
	}
	var keys [][]*string
	for _, step := range steps {
		missing := q.size + 1 - len(found)
		if missing == 0 {
			break
		}
		err := listing.Within(ctx, listing.TimeMax, advice, func(ctx context.Context) error {
			args := append(step.Args, missing)
			rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT %[1]s%[2]s FROM (%[3]s) a CROSS JOIN LATERAL (
    SELECT * FROM transaction t WHERE t.account_id = a.account_id AND %[4]s AND %[5]s ORDER BY %[6]s LIMIT $%[7]d
) t ORDER BY %[6]s LIMIT $%[7]d`, selectList, q.order.Columns(), q.scope, q.where, step.Where, step.By, len(args)), args...)
			if err != nil {
				return err
			}
			found, keys, err = l.collect(rows, q.order.Len(), found, keys)
			return err
		})
		switch {
		case q.after != nil && listing.OutOfRange(err):
			return nil, "", apperr.InvalidField("page_token", "is not a token that this list returned")
		case err != nil:
			return nil, "", err
		}
	}
	if len(found) <= q.size {
		return found, "", nil
	}
	end := filter.Position{Keys: keys[q.size-1], ID: found[q.size-1].GetTransactionId()}
	next, err = page.Encode(end, parameters...)
	return found[:q.size], next, err
}

func advice() string { return "narrow the filter, or leave the order newest first" }

// collect reads rows, each followed by its place in the order.
func (l *Ledger) collect(
	rows pgx.Rows, keysLen int, found []*crmv1.Transaction, keys [][]*string,
) ([]*crmv1.Transaction, [][]*string, error) {
	defer rows.Close()
	for rows.Next() {
		var r Row
		var createdAt time.Time
		place := make([]*string, keysLen)
		targets := append(r.targets(), &createdAt)
		for i := range place {
			targets = append(targets, &place[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, nil, err
		}
		found, keys = append(found, toProto(&r, createdAt, l.baseCurrency)), append(keys, place)
	}
	return found, keys, rows.Err()
}
