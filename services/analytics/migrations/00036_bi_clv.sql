-- The database for analysts: what customers are worth. See 00024_bi_dimension.sql for what holds for every view.
--
-- Branch, manager, region and sector are those of the moment of the run, not of now: sums of the past stay what they were.

-- +goose Up
CREATE OR REPLACE VIEW {bi}.fact_clv
(
    run_id                   UUID COMMENT 'Run that computed it',
    as_of                    Date COMMENT 'Day that the run looks from, see dim_date',
    settings_key             FixedString(64) COMMENT 'Names the settings: only runs with equal ones can be compared',
    is_newest                UInt8 COMMENT '1 in the newest run with these settings for this as_of: name it unless runs are compared',
    computed_time            DateTime('UTC') COMMENT 'When the run ended',
    customer_id              UInt64 COMMENT 'Customer, see dim_customer',
    kind                     LowCardinality(String) COMMENT 'individual or organisation',
    sector                   LowCardinality(String) COMMENT 'Division of NACE Rev. 2, two digits; empty for individuals',
    branch_id                UInt64 COMMENT 'Branch that looked after the customer then, see dim_branch; 0: none',
    manager_id               UInt64 COMMENT 'Manager who looked after the customer then, see dim_manager; 0: none',
    region_id                UInt64 COMMENT 'Region of the customer then, see dim_region; 0: unknown',
    repeats                  UInt32 COMMENT 'Days with a purchase after the first one',
    last_days                UInt32 COMMENT 'Days from the first purchase to the last',
    age_days                 UInt32 COMMENT 'Days from the first purchase to as_of',
    base_mean_amount         Float64 COMMENT 'Mean amount of a repeat purchase, in base currency; 0 without one',
    margin_share             Float64 COMMENT 'Part of the amounts that is margin',
    base_historic            Decimal(38, 4) COMMENT 'Margin earned until as_of, halved for every half-life of age, in base currency',
    p_alive                  Nullable(Float64) COMMENT 'Probability that the customer has not left; NULL: no model could be fitted',
    expected_purchases       Nullable(Float64) COMMENT 'Purchases expected within the horizon, discounted; NULL: no model',
    base_expected_amount     Nullable(Float64) COMMENT 'Amount expected of a purchase, in base currency; NULL: no model',
    base_predictive          Nullable(Decimal(38, 4)) COMMENT 'Margin expected within the horizon, discounted, in base currency; NULL: no model',
    base_predictive_low      Nullable(Decimal(38, 4)) COMMENT 'Lower bound of it; NULL: not known',
    base_predictive_high     Nullable(Decimal(38, 4)) COMMENT 'Upper bound of it; NULL: not known',
    base_previous_predictive Nullable(Decimal(38, 4)) COMMENT 'base_predictive in the run of the day before with the same settings; NULL: there was none',
    base_currency            LowCardinality(String) COMMENT 'ISO 4217 code of the base currency',
    place                    UInt64 COMMENT 'Place by base_predictive, 1 is best',
    historic_place           UInt64 COMMENT 'Place by base_historic, 1 is best',
    customers                UInt64 COMMENT 'Customers of the run'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Lifetime value of customers, what they brought and what is expected of them: every run that was finished, one row for each customer in it.

Question: Which branches look after the most valuable customers?
SELECT branch_id, count() AS customers, sum(base_historic) AS historic, sum(base_predictive) AS predictive
FROM {bi}.fact_clv
WHERE is_newest AND as_of = (SELECT max(as_of) FROM {bi}.fact_clv)
GROUP BY branch_id
ORDER BY predictive DESC
LIMIT 10

Question: How much value is likely to be lost: customers of the best tenth who are probably gone?
SELECT customer_id, place, p_alive, base_historic, base_predictive
FROM {bi}.fact_clv
WHERE is_newest AND as_of = (SELECT max(as_of) FROM {bi}.fact_clv) AND historic_place <= customers / 10 AND p_alive < 0.5
ORDER BY base_historic DESC
LIMIT 100'
AS
SELECT
    v.run_id AS run_id,
    v.as_of AS as_of,
    r.settings_key AS settings_key,
    r.run_id = r.newest_run_id AS is_newest,
    r.computed_time AS computed_time,
    v.customer_id AS customer_id,
    v.kind AS kind,
    v.sector AS sector,
    v.branch_id AS branch_id,
    v.manager_id AS manager_id,
    v.region_id AS region_id,
    v.repeats AS repeats,
    v.last_days AS last_days,
    v.age_days AS age_days,
    v.mean_amount AS base_mean_amount,
    v.margin_share AS margin_share,
    v.historic AS base_historic,
    v.p_alive AS p_alive,
    v.expected AS expected_purchases,
    v.expected_amount AS base_expected_amount,
    v.predictive AS base_predictive,
    v.predictive_low AS base_predictive_low,
    v.predictive_high AS base_predictive_high,
    v.previous_predictive AS base_previous_predictive,
    r.base_currency AS base_currency,
    v.place AS place,
    v.historic_place AS historic_place,
    r.customers AS customers
FROM {warehouse}.clv_value AS v
INNER JOIN
(
    SELECT
        run_id, settings_key, computed_time, base_currency, customers,
        argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY settings_key, as_of) AS newest_run_id
    FROM {warehouse}.clv_run FINAL
) AS r ON r.run_id = v.run_id;
