-- Figures as they stood with a version, or at a moment: of each the newest version by then, unless it was withdrawn. Behind a
-- place in the order of the key.
SELECT unit_kind, unit_id, unit_name, indicator, period, period_start, currency, amount, volume, price, withdrawn, plan_version
FROM (
    SELECT DISTINCT ON (indicator, unit_kind, unit_id, unit_name, period, period_start, currency) *
    FROM plan_value
    WHERE plan_id = $1 AND plan_version <= $2
        AND ($3::text IS NULL OR (indicator, unit_kind, unit_id, unit_name, period, period_start, currency)
            > ($3, $4, $5::bigint, $6, $7, $8::date, $9))
    ORDER BY indicator, unit_kind, unit_id, unit_name, period, period_start, currency, plan_version DESC
) plan_value
WHERE NOT withdrawn AND /*where*/
ORDER BY indicator, unit_kind, unit_id, unit_name, period, period_start, currency
LIMIT $10
