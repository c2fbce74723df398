package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem.bank/pkg/page"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// StoodAt reads the result that stood beside a customer at a moment; nil when there was none.
func StoodAt(into **crmv1.RfmInsight, customerID int64, at time.Time) record.Part {
	part := ForCustomer(into, customerID)
	part.SQL = "SELECT " + columns + ` FROM customer_rfm_history
WHERE customer_id = $1 AND applied_at <= $2 ORDER BY applied_at DESC LIMIT 1`
	part.Args = append(part.Args, at)
	return part
}

// position is where a page ended.
type position struct {
	AppliedAt time.Time `json:"t"`
}

// List returns a page of the results that stood beside a customer, the last first.
func List(ctx context.Context, q record.Querier, req *crmv1.ListRfmHistoryRequest) (*crmv1.ListRfmHistoryResponse, error) {
	parameters := []string{"customer_rfm_history", fmt.Sprint(req.GetCustomerId())}
	after, err := page.Decode[position](req.GetPageToken(), parameters...)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize())
	condition, args := "true", []any{req.GetCustomerId(), size + 1}
	if after != nil {
		condition, args = "applied_at < $3", append(args, after.AppliedAt)
	}
	rows, err := q.Query(ctx, "SELECT "+columns+" FROM customer_rfm_history WHERE customer_id = $1 AND "+condition+
		" ORDER BY applied_at DESC LIMIT $2", args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the rfm history of customer %d: %w", req.GetCustomerId(), err)
	}
	answer := &crmv1.ListRfmHistoryResponse{Insights: found}
	if len(found) > size {
		answer.Insights = found[:size]
		answer.NextPageToken, err = page.Encode(position{found[size-1].GetAppliedTime().AsTime()}, parameters...)
	}
	return answer, err
}
