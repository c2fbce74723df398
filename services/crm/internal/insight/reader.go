package insight

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
)

// Querier is a pool or a transaction: the customer's screen reads all its parts in one snapshot.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ForCustomer returns the customer's place in the newest RFM run, nil when no run has covered the customer yet.
func ForCustomer(ctx context.Context, q Querier, customerID int64) (*crmv1.RfmInsight, error) {
	var (
		asOf, computedAt   time.Time
		insight            crmv1.RfmInsight
		monetary, currency string
	)
	err := q.QueryRow(ctx, `
		SELECT as_of, cell, recency_days, frequency, monetary::text, base_currency, run_id::text, computed_at
		FROM customer_rfm WHERE customer_id = $1`, customerID).Scan(
		&asOf, &insight.Cell, &insight.RecencyDays, &insight.Frequency, &monetary, &currency, &insight.RunId, &computedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // no insight yet is an ordinary answer
	}
	if err != nil {
		return nil, fmt.Errorf("read the rfm of customer %d: %w", customerID, err)
	}
	value, err := decimal.NewFromString(monetary)
	if err != nil {
		return nil, fmt.Errorf("read the rfm of customer %d: monetary: %w", customerID, err)
	}
	insight.AsOf, insight.ComputedTime = date.Proto(asOf), timestamppb.New(computedAt)
	insight.Monetary = money.Proto(value, currency)
	return &insight, nil
}
