package app

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// pinBank keeps the bank's settings in the database. It fixes base currency and time zone at the first start, and refuses
// others later: stored amounts and business dates would silently change their meaning.
func pinBank(ctx context.Context, pool *pgxpool.Pool, config *Config) error {
	var currency, zone string
	err := pool.QueryRow(ctx, `WITH pinned AS (
    INSERT INTO bank (base_currency, time_zone) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING base_currency, time_zone
)
SELECT base_currency, time_zone FROM pinned UNION ALL SELECT base_currency, time_zone FROM bank LIMIT 1`,
		config.BaseCurrency, config.TimeZone).Scan(&currency, &zone)
	if err != nil {
		return fmt.Errorf("read the bank's settings: %w", err)
	}
	if currency != config.BaseCurrency {
		return fmt.Errorf("CRM_BASE_CURRENCY is %s, but this database keeps its books in %s", config.BaseCurrency, currency)
	}
	if zone != config.TimeZone {
		return fmt.Errorf("CRM_TIME_ZONE is %s, but this database keeps its business dates in %s", config.TimeZone, zone)
	}
	return markBalances(ctx, pool, config)
}

// markBalances keeps the marks where the trigger that compares balances with them reads them.
func markBalances(ctx context.Context, pool *pgxpool.Pool, config *Config) error {
	marks, err := config.marks()
	if err != nil {
		return fmt.Errorf("CRM_BALANCE_MARKS: %w", err)
	}
	texts := make([]string, len(marks))
	for i, mark := range marks {
		texts[i] = mark.String()
	}
	_, err = pool.Exec(ctx, "UPDATE bank SET balance_marks = $1::text[]::numeric[] WHERE balance_marks <> $1::text[]::numeric[]", texts)
	if err != nil {
		return fmt.Errorf("keep the balance marks: %w", err)
	}
	return nil
}
