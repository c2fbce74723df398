-- The known balances of an account's days from $3 back to $2, and the last one before: it holds until the first of them. A
-- balance that was stated after its day counts for more than the running balance of the day's last transaction, and that for
-- more than one stated during the day.
WITH first AS (
    SELECT coalesce(greatest(
        (SELECT t.business_date FROM transaction t
         WHERE t.account_id = $1 AND t.business_date <= $2 AND t.balance_after IS NOT NULL AND t.state = 'posted'
         ORDER BY t.business_date DESC, t.transaction_id DESC LIMIT 1),
        (SELECT d.business_date FROM account_balance_day d WHERE d.account_id = $1 AND d.business_date <= $2
         ORDER BY d.business_date DESC LIMIT 1)), $2) AS day
), running AS (
    SELECT DISTINCT ON (t.business_date) t.business_date, t.balance_after FROM transaction t
    WHERE t.account_id = $1 AND t.business_date >= (SELECT day FROM first) AND t.business_date <= $3
      AND t.balance_after IS NOT NULL AND t.state = 'posted'
    ORDER BY t.business_date DESC, t.transaction_id DESC
), stated AS (
    SELECT * FROM account_balance_day d WHERE d.account_id = $1 AND d.business_date >= (SELECT day FROM first) AND d.business_date <= $3
)
SELECT business_date, CASE WHEN s.closing THEN s.stated ELSE coalesce(r.balance_after, s.settled, s.stated) END
FROM running r FULL JOIN stated s USING (business_date) ORDER BY business_date DESC
