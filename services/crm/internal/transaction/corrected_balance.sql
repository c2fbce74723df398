-- After corrections the newest statement among the rows counts, unless the core system stated a later balance by itself. An
-- account whose transactions state nothing any more keeps what it has.
WITH locked AS (
    SELECT a.account_id FROM account a WHERE a.account_id = ANY ($1::bigint[]) ORDER BY a.account_id FOR NO KEY UPDATE
)
UPDATE account a
SET ledger_balance = newest.balance_after, balance_date = newest.business_date
FROM locked CROSS JOIN LATERAL (
    SELECT t.balance_after, t.business_date FROM transaction t
    WHERE t.account_id = locked.account_id AND t.balance_after IS NOT NULL AND t.state = 'posted'
    ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT 1
) newest
WHERE a.account_id = locked.account_id
  AND NOT EXISTS (
    SELECT FROM account_balance_day d
    WHERE d.account_id = a.account_id AND d.stated IS NOT NULL
      AND (d.business_date > newest.business_date OR d.business_date = newest.business_date AND d.closing))
