-- Histories one by one, in the order of their key.
SELECT
    customer_id, fit_group, repeats, last_days, age_days, mean_amount, margin_share, historic
FROM clv_customer
WHERE run_id = {run_id:UUID}
ORDER BY customer_id
