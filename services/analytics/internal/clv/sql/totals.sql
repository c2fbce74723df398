-- Customers and purchase days of a run, and the days between which they lie.
SELECT count(), sum(toUInt64(repeats) + 1), min(first_date), max(first_date + last_days)
FROM clv_customer
WHERE run_id = {run_id:UUID}
