-- When a former customer left. See 00023_lookup.sql for the rules of dictionaries, 00024_bi_dimension.sql for those of views.
--
-- Where the core system doesn't state the day, it is the one on which the last account was closed: of few customers, and so in a
-- dictionary. Every reader of the view used to join all accounts for it.

-- +goose Up
CREATE OR REPLACE VIEW {warehouse}.customer_left_lookup_source AS
SELECT owner.customer_id AS customer_id, max(a.closed) AS closed
FROM (SELECT account_id, closed FROM {warehouse}.account FINAL WHERE closed IS NOT NULL) AS a
INNER JOIN
(
    SELECT account_id, argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
    FROM {warehouse}.account_holder FINAL
    WHERE role = 'owner' AND (valid_from IS NULL OR valid_from <= today())
    GROUP BY account_id
) AS owner ON owner.account_id = a.account_id
WHERE owner.customer_id IN (SELECT customer_id FROM {warehouse}.customer FINAL WHERE state = 'former' AND state_since IS NULL)
GROUP BY customer_id;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.customer_left_lookup
(
    customer_id UInt64,
    closed      Nullable(Date32) DEFAULT NULL
)
PRIMARY KEY customer_id
SOURCE(CLICKHOUSE(
    TABLE 'customer_left_lookup_source'
    INVALIDATE_QUERY 'SELECT (SELECT (max(change_time), count()) FROM {warehouse}.account), (SELECT (max(change_time), count()) FROM {warehouse}.account_holder), (SELECT (max(change_time), count()) FROM {warehouse}.customer), today()'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 30 MAX 60)
COMMENT 'Last account closed of each former customer of whom the day of leaving is not known';

CREATE OR REPLACE VIEW {bi}.dim_customer
(
    customer_id        UInt64 COMMENT 'Customer number',
    kind               LowCardinality(String) COMMENT 'individual or organisation',
    state              LowCardinality(String) COMMENT 'prospect, active or former',
    state_reason       LowCardinality(String) COMMENT 'Why the customer is in this state, in the codes of the bank',
    state_since        Nullable(Date) COMMENT 'First day in this state',
    sex                LowCardinality(String) COMMENT 'female, male or empty; empty for organisations',
    age_band           LowCardinality(String) COMMENT 'Age in years today: under 18, 18-24, 25-34, 35-44, 45-54, 55-64, 65 and over; empty when unknown and for organisations',
    income_band        LowCardinality(String) COMMENT 'Net monthly income in base currency, in steps of 1, 2 and 5, for example "20000-49999"; empty when unknown',
    income_band_from   Nullable(UInt64) COMMENT 'Lower edge of income_band in base currency, to sort by',
    marital_status     LowCardinality(String) COMMENT 'Marital status of an individual; may be empty',
    education_level    LowCardinality(String) COMMENT 'Highest education of an individual; may be empty',
    dependants_band    LowCardinality(String) COMMENT 'Dependants: 0, 1, 2, 3 and more; empty when unknown',
    occupation         LowCardinality(String) COMMENT 'Occupation of an individual, in the codes of the bank',
    industry_nace      LowCardinality(String) COMMENT 'NACE code of the industry of an organisation',
    legal_form         LowCardinality(String) COMMENT 'Legal form of an organisation',
    employees_band     LowCardinality(String) COMMENT 'Employees of an organisation by the classes of the EU: 1-9, 10-49, 50-249, 250 and more; empty when unknown',
    preferred_channel  LowCardinality(String) COMMENT 'Channel that the customer prefers; may be empty',
    preferred_language LowCardinality(String) COMMENT 'Language that the customer prefers; may be empty',
    customer_since     Nullable(Date) COMMENT 'First day as a customer',
    left_on            Nullable(Date) COMMENT 'First day as a former customer; where that is not known, the day the last account was closed; NULL for others',
    branch_id          UInt64 COMMENT 'Branch that looks after the customer, see dim_branch; 0: none',
    manager_id         UInt64 COMMENT 'Manager who looks after the customer, see dim_manager; 0: none',
    region_id          UInt64 COMMENT 'Region where the customer lives or sits, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Customers as they are now, in bands and codes, without anything that names them.

Question: How many active customers has each branch, by kind?
SELECT b.name AS branch, c.kind, count() AS customers
FROM {bi}.dim_customer AS c
LEFT JOIN {bi}.dim_branch AS b USING (branch_id)
WHERE c.state = ''active''
GROUP BY branch, c.kind
ORDER BY branch, c.kind

Question: How do income and age of customers go together?
SELECT age_band, income_band, count() AS customers
FROM {bi}.dim_customer
WHERE kind = ''individual'' AND state = ''active''
GROUP BY age_band, income_band, income_band_from
ORDER BY age_band, income_band_from

Question: How many customers left in each month of the last year?
SELECT toStartOfMonth(left_on) AS month, count() AS customers
FROM {bi}.dim_customer
WHERE left_on >= toStartOfMonth(today()) - INTERVAL 1 YEAR
GROUP BY month
ORDER BY month'
AS
WITH
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day,
    [0, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000] AS steps,
    age('year', birth_date, toDate32(today())) AS years,
    monthly_income * dictGetOrNull('{warehouse}.currency_lookup', 'rate', tuple(toString(monthly_income_currency)), today()) AS income,
    toUInt64(roundDown(toFloat64(greatest(income, 0)), steps)) AS income_from
SELECT
    customer_id,
    kind,
    state,
    state_reason,
    as_day(state_since) AS state_since,
    sex,
    multiIf(birth_date IS NULL OR kind != 'individual', '', years < 18, 'under 18', years < 25, '18-24', years < 35, '25-34',
        years < 45, '35-44', years < 55, '45-54', years < 65, '55-64', '65 and over') AS age_band,
    multiIf(income IS NULL, '', income_from = 1000000, '1000000 and over',
        concat(toString(income_from), '-', toString(steps[indexOf(steps, income_from) + 1] - 1))) AS income_band,
    income_from AS income_band_from,
    marital_status,
    education_level,
    multiIf(dependants IS NULL, '', dependants < 3, toString(dependants), '3 and more') AS dependants_band,
    occupation,
    industry_nace,
    legal_form,
    multiIf(employees = 0, '', employees < 10, '1-9', employees < 50, '10-49', employees < 250, '50-249', '250 and more') AS employees_band,
    preferred_channel,
    preferred_language,
    as_day(customer_since) AS customer_since,
    if(state = 'former', as_day(coalesce(customer.state_since, dictGet('{warehouse}.customer_left_lookup', 'closed', customer_id))), NULL) AS left_on,
    branch_id,
    manager_id,
    region_id
FROM {warehouse}.customer FINAL;
