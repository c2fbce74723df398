package insight

import (
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tandem.bank/pkg/date"
	"tandem.bank/pkg/money"
	crmv1 "tandem.bank/proto/gen/go/tandem/crm/v1"
	"tandem.bank/services/crm/internal/record"
)

// columns are those that scan reads.
const columns = "as_of, cell, recency_days, frequency, monetary::text, base_currency, run_id::text, computed_at, applied_at, segment"

// ForCustomer reads the customer's place in the newest RFM run, nil when no run has covered the customer yet.
func ForCustomer(into **crmv1.RfmInsight, customerID int64) record.Part {
	sql := "SELECT " + columns + " FROM customer_rfm WHERE customer_id = $1"
	return record.Part{SQL: sql, Args: []any{customerID}, Take: func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectExactlyOneRow(rows, scan)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // no insight yet is an ordinary answer
		}
		if err != nil {
			return fmt.Errorf("read the rfm of customer %d: %w", customerID, err)
		}
		return nil
	}}
}

func scan(row pgx.CollectableRow) (*crmv1.RfmInsight, error) {
	var (
		asOf, computedAt   time.Time
		appliedAt          time.Time
		insight            crmv1.RfmInsight
		monetary, currency string
	)
	err := row.Scan(&asOf, &insight.Cell, &insight.RecencyDays, &insight.Frequency, &monetary, &currency, &insight.RunId, &computedAt,
		&appliedAt, &insight.Segment)
	if err != nil {
		return nil, err
	}
	value, err := decimal.NewFromString(monetary)
	if err != nil {
		return nil, fmt.Errorf("monetary: %w", err)
	}
	insight.AsOf, insight.ComputedTime, insight.AppliedTime = date.Proto(asOf), timestamppb.New(computedAt), timestamppb.New(appliedAt)
	insight.Monetary = money.Proto(value, currency)
	return &insight, nil
}
