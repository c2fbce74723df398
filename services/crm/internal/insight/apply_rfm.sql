-- One statement for each part of a bundle. Rows are written in one order, so that two processes with bundles over the same
-- customers can't deadlock. A result stands against every one that looked from an earlier day, or from the same and was computed
-- earlier; the same result again changes nothing. What comes to stand is also kept for ever; by the
-- clock under the row's lock, so that the later of two is the one that stood later.
WITH standing AS (
INSERT INTO customer_rfm AS stored
       (customer_id, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at, applied_at, segment)
SELECT r.customer_id, $1, $2, r.cell, r.recency_days, r.frequency, r.monetary::numeric, $3, $4, clock_timestamp(), r.segment
FROM unnest($5::bigint[], $6::text[], $7::integer[], $8::bigint[], $9::text[], $10::text[])
       AS r (customer_id, cell, recency_days, frequency, monetary, segment)
WHERE r.customer_id = ANY ($11::bigint[])
ORDER BY r.customer_id
ON CONFLICT (customer_id) DO UPDATE SET
       as_of = excluded.as_of, run_id = excluded.run_id, cell = excluded.cell, recency_days = excluded.recency_days,
       frequency = excluded.frequency, monetary = excluded.monetary, base_currency = excluded.base_currency,
       computed_at = excluded.computed_at, applied_at = clock_timestamp(), segment = excluded.segment
WHERE (excluded.as_of, excluded.computed_at) > (stored.as_of, stored.computed_at)
RETURNING *
)
INSERT INTO customer_rfm_history (customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency,
       computed_at, segment)
SELECT customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at, segment FROM standing;
