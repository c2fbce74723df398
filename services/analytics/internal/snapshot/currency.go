package snapshot

import (
	"context"
	_ "embed" // the SQL files
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/grpc/codes"

	"tandem.bank/pkg/apperr"
	"tandem.bank/services/analytics/internal/warehouse"
)

var (
	//go:embed sql/base.sql
	baseSQL string
	//go:embed sql/currency.sql
	currencySQL string
)

// Reasons of FAILED_PRECONDITION.
const (
	// ReasonNoTransactions says that nothing counts in the time looked at.
	ReasonNoTransactions = "NO_TRANSACTIONS"
	// ReasonMixedCurrency says that amounts can't be added up.
	ReasonMixedCurrency = "MIXED_CURRENCY"
)

// Currency is the base currency of all transactions from one day to another. Errors: FAILED_PRECONDITION when there are none,
// or amounts that can't be added up. It may return a currency although none of those days has a transaction.
func Currency(ctx context.Context, conn driver.Conn, first, last time.Time) (string, error) {
	found, err := currencies(ctx, conn, warehouse.Query{SQL: baseSQL})
	if err == nil && len(found) != 1 {
		found, err = currencies(ctx, conn, warehouse.Query{SQL: currencySQL, Args: []any{
			warehouse.Named("first_date", warehouse.Day(first)), warehouse.Named("as_of", warehouse.Day(last)),
		}})
	}
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", NoTransactions(first, last)
	case len(found) > 1:
		return "", apperr.New(codes.FailedPrecondition, ReasonMixedCurrency,
			"transactions have different base currencies: %s", strings.Join(found, ", "))
	}
	return found[0], nil
}

func currencies(ctx context.Context, conn driver.Conn, q warehouse.Query) ([]string, error) {
	var found []string
	err := warehouse.Each(ctx, conn, "find the base currency", q, func(rows driver.Rows) error {
		var currency string
		err := rows.Scan(&currency)
		found = append(found, currency)
		return err
	})
	return found, err
}

// NoTransactions is the error of a run over days on which nothing counts.
func NoTransactions(first, last time.Time) error {
	return apperr.New(codes.FailedPrecondition, ReasonNoTransactions,
		"no transactions count from %s to %s", warehouse.Day(first), warehouse.Day(last))
}
