-- Planned figures as they stood at a moment. A file of its own: it reads plan_value by the name of the database.
--
-- The figures as they were planned at a moment, without those withdrawn by then:
-- SELECT … FROM plan_value_at(at = '2026-03-01 00:00:00'); at = '2299-01-01 00:00:00' are those in force.

-- +goose Up
CREATE OR REPLACE VIEW {warehouse}.plan_value_at AS
SELECT * EXCEPT withdrawn FROM
(
    SELECT
        plan_id, name, indicator, unit_kind, unit_id, unit_name, period, period_start, currency,
        amount, volume, price, withdrawn, plan_version, plan_time
    FROM {warehouse}.plan_value FINAL
    WHERE plan_time <= {at:DateTime64(6)}
    ORDER BY plan_version DESC
    LIMIT 1 BY plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency
)
WHERE withdrawn = 0
COMMENT 'Planned figures as they stood at a moment';
