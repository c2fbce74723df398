-- What was stated goes into the history of its day; the newest statement of each account also onto the account, unless a
-- newer one is there, or a transaction of a later day. The accounts are locked.
WITH told AS (
    SELECT * FROM jsonb_to_recordset($1) AS t (account_id bigint, business_date date, stated numeric, available numeric, held numeric,
        stated_at timestamptz, closing boolean)
), days AS (
    INSERT INTO account_balance_day (account_id, business_date, stated, available, stated_at, closing)
    SELECT account_id, business_date, stated, available, stated_at, closing FROM told ORDER BY account_id, business_date
    ON CONFLICT (account_id, business_date) DO UPDATE
    SET stated = excluded.stated, available = excluded.available, stated_at = excluded.stated_at, closing = excluded.closing
), newest AS (
    SELECT DISTINCT ON (account_id) * FROM told ORDER BY account_id, stated_at DESC, business_date DESC
)
UPDATE account a
SET ledger_balance = CASE WHEN a.balance_date > n.business_date THEN a.ledger_balance ELSE n.stated END,
    balance_date   = greatest(a.balance_date, n.business_date),
    available_part = n.available - n.stated,
    held_amount    = n.held,
    balance_time   = n.stated_at
FROM newest n
WHERE a.account_id = n.account_id AND (a.balance_time IS NULL OR a.balance_time < n.stated_at)
