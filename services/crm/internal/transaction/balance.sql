-- Locking in the order of account ids keeps two bundles over the same accounts from a deadlock. A balance of an earlier
-- day never replaces a later one, so bundles may arrive in any order.
WITH stated AS (
    SELECT * FROM unnest($1::bigint[], $2::date[], $3::numeric[]) AS s (account_id, balance_date, ledger_balance)
), locked AS (
    SELECT a.account_id FROM account a WHERE a.account_id = ANY ($1) ORDER BY a.account_id FOR NO KEY UPDATE
)
UPDATE account a
SET ledger_balance = s.ledger_balance, balance_date = s.balance_date
FROM stated s JOIN locked USING (account_id)
WHERE a.account_id = s.account_id AND (a.balance_date IS NULL OR a.balance_date <= s.balance_date)
