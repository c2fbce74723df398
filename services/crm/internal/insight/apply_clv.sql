-- As apply_rfm.sql.
WITH standing AS (
INSERT INTO customer_clv AS stored
       (customer_id, as_of, run_id, historic, predictive, predictive_low, predictive_high, previous, p_alive, expected, rank,
        customers, horizon_days, base_currency, computed_at, applied_at)
SELECT r.customer_id, $1, $2, r.historic::numeric, r.predictive::numeric, r.low::numeric, r.high::numeric, r.previous::numeric,
       r.p_alive, r.expected, r.rank, $13, $14, $3, $4, clock_timestamp()
FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[], $12::float8[], $15::bigint[])
       AS r (customer_id, historic, predictive, low, high, previous, p_alive, expected, rank)
WHERE r.customer_id = ANY ($16::bigint[])
ORDER BY r.customer_id
ON CONFLICT (customer_id) DO UPDATE SET
       as_of = excluded.as_of, run_id = excluded.run_id, historic = excluded.historic, predictive = excluded.predictive,
       predictive_low = excluded.predictive_low, predictive_high = excluded.predictive_high, previous = excluded.previous,
       p_alive = excluded.p_alive, expected = excluded.expected, rank = excluded.rank, customers = excluded.customers,
       horizon_days = excluded.horizon_days, base_currency = excluded.base_currency, computed_at = excluded.computed_at,
       applied_at = clock_timestamp()
WHERE (excluded.as_of, excluded.computed_at) > (stored.as_of, stored.computed_at)
RETURNING *
)
INSERT INTO customer_clv_history (customer_id, as_of, run_id, historic, predictive, predictive_low, predictive_high, previous, p_alive,
       expected, rank, customers, horizon_days, base_currency, computed_at, applied_at)
SELECT customer_id, as_of, run_id, historic, predictive, predictive_low, predictive_high, previous, p_alive,
       expected, rank, customers, horizon_days, base_currency, computed_at, applied_at FROM standing;
