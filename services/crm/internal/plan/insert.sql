-- Figures that are new, in a version that is being made.
INSERT INTO plan_value (plan_id, plan_version, indicator, unit_kind, unit_id, unit_name, period, period_start, currency,
    amount, volume, price, withdrawn)
SELECT $1, $2, indicator, unit_kind, unit_id, unit_name, period, period_start, currency, amount, volume, price, withdrawn
FROM jsonb_to_recordset($3) AS (indicator text, unit_kind text, unit_id bigint, unit_name text, period text, period_start date,
    currency text, amount numeric, volume numeric, price numeric, withdrawn boolean)
