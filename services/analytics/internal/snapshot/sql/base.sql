-- Base currencies that rates are in, which transactions bring: a few rows. Where there is one, there is no other to be looked for
-- among the transactions themselves.
SELECT DISTINCT base_currency
FROM currency_rate
ORDER BY base_currency
LIMIT 2
