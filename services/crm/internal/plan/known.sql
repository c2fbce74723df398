-- The newest version of each figure that some rows name, by the place of the row.
SELECT s.place, v.plan_version, v.amount, v.volume, v.price, v.withdrawn
FROM ROWS FROM (jsonb_to_recordset($2) AS (
    indicator text, unit_kind text, unit_id bigint, unit_name text, period text, period_start date, currency text
)) WITH ORDINALITY AS s(indicator, unit_kind, unit_id, unit_name, period, period_start, currency, place)
CROSS JOIN LATERAL (
    SELECT * FROM plan_value v
    WHERE v.plan_id = $1 AND v.indicator = s.indicator AND v.unit_kind = s.unit_kind AND v.unit_id = s.unit_id
        AND v.unit_name = s.unit_name AND v.period = s.period AND v.period_start = s.period_start AND v.currency = s.currency
    ORDER BY v.plan_version DESC
    LIMIT 1
) v
