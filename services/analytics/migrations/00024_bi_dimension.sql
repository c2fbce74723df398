-- The database for analysts: who, where, what and when. Facts are in 00025_bi_fact.sql.
--
-- What holds for every view of it:
--   * Versions and deletions are resolved: a row is a record as it is now. FINAL and not argMax: with the ids as sort keys a merged
--     part is read as it lies, only parts that overlap are merged, and conditions on the key still choose granules. Measured: see
--     deploy/e2e/olap.
--   * It is read with the rights of its maker (DEFINER), so its readers need no rights on the warehouse and get none.
--   * It has the column branch_id wherever its rows belong to a branch, and deploy/clickhouse/users.d has a row policy on it.
--   * 0 in a reference and '' in a word mean "none" or "unknown"; so a join to a dimension may leave rows out: use LEFT JOIN.
--   * Amounts are Decimal, in their currency and, as base_…, in the base currency of the bank; NULL when no rate is known.
--   * Types are those that every client knows, however old: Date and DateTime, no Date32, DateTime64 and Map. Days and times outside
--     1970 to 2149 and 2106 are shown as the nearest that fits.
--   * Every view and column has a comment. A view's comment may go on with questions and their SQL, which the tests run and from
--     which the page for analysts is made.
--   * No personal data: bands and no birth dates and exact incomes, no employer, no job title, no words of customers or about them
--     (the topic of a complaint is typed in by people, its class is chosen). Names are of places and products only. Managers
--     are numbers here as they are in the warehouse: whoever needs their names asks crm, which knows who may.

-- +goose Up
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
ORDER BY age_band, income_band_from'
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
    branch_id,
    manager_id,
    region_id
FROM {warehouse}.customer FINAL;

CREATE OR REPLACE VIEW {bi}.dim_account
(
    account_id          UInt64 COMMENT 'Account',
    customer_id         UInt64 COMMENT 'Owner of the account: the last one known, see dim_customer; 0: unknown',
    contract_id         UInt64 COMMENT 'Contract that the account belongs to, see fact_contract; 0: none',
    product_id          UInt64 COMMENT 'Product, see dim_product; 0: unknown',
    currency            LowCardinality(String) COMMENT 'ISO 4217 currency of the account',
    state               LowCardinality(String) COMMENT 'open, blocked or closed',
    state_since         Nullable(DateTime('UTC')) COMMENT 'Since when the account has been in this state',
    statement_frequency LowCardinality(String) COMMENT 'How often statements are made; may be empty',
    overdraft_limit     Nullable(Decimal(38, 4)) COMMENT 'Arranged overdraft in the currency of the account',
    opened              Nullable(Date) COMMENT 'Day opened',
    closed              Nullable(Date) COMMENT 'Day closed; NULL while open',
    account_branch_id   UInt64 COMMENT 'Branch that keeps the account, see dim_branch; 0: unknown',
    branch_id           UInt64 COMMENT 'Branch that looks after the owner, else the one that keeps the account, see dim_branch',
    manager_id          UInt64 COMMENT 'Manager who looks after the owner, see dim_manager; 0: none',
    region_id           UInt64 COMMENT 'Region of the owner, else of the account, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Accounts as they are now, without their numbers.

Question: How many accounts were opened in each year, by product family?
SELECT toYear(a.opened) AS year, p.family, count() AS accounts
FROM {bi}.dim_account AS a
LEFT JOIN {bi}.dim_product AS p USING (product_id)
WHERE a.opened IS NOT NULL
GROUP BY year, p.family
ORDER BY year, p.family'
AS
WITH
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day,
    moment -> toDateTime(toUInt32(clamp(toUnixTimestamp64Second(moment), 0, 4294967295)), 'UTC') AS as_time
SELECT
    account_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    contract_id,
    product_id,
    currency,
    state,
    as_time(state_since) AS state_since,
    statement_frequency,
    overdraft_limit,
    as_day(opened) AS opened,
    as_day(closed) AS closed,
    account.branch_id AS account_branch_id,
    dictGetOrDefault('{warehouse}.account_lookup', 'branch_id', account_id, account.branch_id) AS branch_id,
    dictGet('{warehouse}.account_lookup', 'manager_id', account_id) AS manager_id,
    dictGetOrDefault('{warehouse}.account_lookup', 'region_id', account_id, account.region_id) AS region_id
FROM {warehouse}.account FINAL;

CREATE OR REPLACE VIEW {bi}.dim_card
(
    card_id             UInt64 COMMENT 'Card',
    customer_id         UInt64 COMMENT 'Holder of the card, see dim_customer',
    account_id          UInt64 COMMENT 'Account that the card draws on, see dim_account',
    product_id          UInt64 COMMENT 'Product, see dim_product; 0: unknown',
    scheme              LowCardinality(String) COMMENT 'Scheme or type of the card, for example visa',
    state               LowCardinality(String) COMMENT 'issued, active, blocked, closed, expired or replaced',
    state_since         Nullable(DateTime('UTC')) COMMENT 'Since when the card has been in this state',
    issued              Nullable(Date) COMMENT 'Day issued',
    expiry              Nullable(Date) COMMENT 'First day of its last month',
    replaced_by_card_id UInt64 COMMENT 'Card that took its place; 0: none',
    branch_id           UInt64 COMMENT 'Branch that looks after the holder, see dim_branch; 0: none',
    manager_id          UInt64 COMMENT 'Manager who looks after the holder, see dim_manager; 0: none',
    region_id           UInt64 COMMENT 'Region of the holder, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Cards as they are now, without token and digits.

Question: How many active cards run out in the next three months, by scheme?
SELECT scheme, count() AS cards
FROM {bi}.dim_card
WHERE state = ''active'' AND expiry BETWEEN toStartOfMonth(today()) AND today() + INTERVAL 3 MONTH
GROUP BY scheme
ORDER BY cards DESC'
AS
WITH
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day,
    moment -> toDateTime(toUInt32(clamp(toUnixTimestamp64Second(moment), 0, 4294967295)), 'UTC') AS as_time
SELECT
    card_id,
    customer_id,
    account_id,
    product_id,
    scheme,
    state,
    as_time(state_since) AS state_since,
    as_day(issued) AS issued,
    as_day(expiry) AS expiry,
    replaced_by_card_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', customer_id) AS region_id
FROM {warehouse}.card FINAL;

CREATE OR REPLACE VIEW {bi}.dim_product
(
    product_id      UInt64 COMMENT 'Product',
    code            String COMMENT 'Code of the product in the bank',
    name            String COMMENT 'Name of the product',
    family          LowCardinality(String) COMMENT 'Family that the product belongs to',
    currency        LowCardinality(String) COMMENT 'ISO 4217 currency; empty when sold in several',
    margin          Nullable(Decimal(18, 8)) COMMENT 'What the bank earns on it in a year, as a fraction of the balance',
    annual_rate     Nullable(Decimal(18, 8)) COMMENT 'Usual yearly interest rate as a fraction',
    amount_min      Nullable(Decimal(38, 4)) COMMENT 'Smallest amount, in amount_currency',
    amount_max      Nullable(Decimal(38, 4)) COMMENT 'Largest amount, in amount_currency',
    amount_currency LowCardinality(String) COMMENT 'ISO 4217 currency of amount_min and amount_max',
    months_min      UInt32 COMMENT 'Shortest term in months; 0: none',
    months_max      UInt32 COMMENT 'Longest term in months; 0: none',
    channels        Array(LowCardinality(String)) COMMENT 'Channels that sell it; empty: all',
    valid_from      Nullable(Date) COMMENT 'First day it is sold',
    valid_to        Nullable(Date) COMMENT 'Last day it is sold; NULL: open'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Products that the bank sells.

Question: Which products are sold at present, and at what margin?
SELECT family, name, margin
FROM {bi}.dim_product
WHERE (valid_from IS NULL OR valid_from <= today()) AND (valid_to IS NULL OR valid_to >= today())
ORDER BY family, name'
AS
WITH
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day
SELECT product_id, code, name, family, currency, margin, annual_rate, amount_min, amount_max, amount_currency, months_min, months_max,
    channels, as_day(valid_from) AS valid_from, as_day(valid_to) AS valid_to
FROM {warehouse}.product FINAL;

CREATE OR REPLACE VIEW {bi}.dim_branch
(
    branch_id UInt64 COMMENT 'Branch',
    name      String COMMENT 'Name of the branch',
    region_id UInt64 COMMENT 'Region where it stands, see dim_region; 0: unknown',
    latitude  Nullable(Float64) COMMENT 'Degrees north',
    longitude Nullable(Float64) COMMENT 'Degrees east'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Branches of the bank.

Question: Which branches are in which region?
SELECT r.name AS region, b.name AS branch
FROM {bi}.dim_branch AS b
LEFT JOIN {bi}.dim_region AS r USING (region_id)
ORDER BY region, branch'
AS SELECT branch_id, name, region_id, latitude, longitude FROM {warehouse}.branch FINAL;

CREATE OR REPLACE VIEW {bi}.dim_manager
(
    manager_id UInt64 COMMENT 'Manager; the name is known to crm only',
    branch_id  UInt64 COMMENT 'Branch where the manager works, see dim_branch; 0: unknown',
    region_id  UInt64 COMMENT 'Region of that branch, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Managers who look after customers, without their names.

Question: How many customers does each manager look after?
SELECT m.branch_id, m.manager_id, count() AS customers
FROM {bi}.dim_manager AS m
INNER JOIN {bi}.dim_customer AS c ON c.manager_id = m.manager_id
GROUP BY m.branch_id, m.manager_id
ORDER BY customers DESC'
AS
SELECT m.manager_id AS manager_id, m.branch_id AS branch_id, b.region_id AS region_id
FROM (SELECT manager_id, branch_id FROM {warehouse}.manager FINAL) AS m
LEFT JOIN (SELECT branch_id, region_id FROM {warehouse}.branch FINAL) AS b ON b.branch_id = m.branch_id
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {bi}.dim_region
(
    region_id           UInt64 COMMENT 'Region',
    name                String COMMENT 'Name of the region',
    parent              LowCardinality(String) COMMENT 'Name of the larger unit that it belongs to; may be empty',
    latitude            Nullable(Float64) COMMENT 'Centre, degrees north',
    longitude           Nullable(Float64) COMMENT 'Centre, degrees east',
    population          UInt64 COMMENT 'Inhabitants; 0: unknown',
    average_salary_base Nullable(Decimal(38, 4)) COMMENT 'Mean monthly salary in base currency',
    indicator_names     Array(String) COMMENT 'Names of further published figures',
    indicator_values    Array(Float64) COMMENT 'Their values, in the same order'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Parts of the country with their published figures.

Question: How many customers for a thousand inhabitants does the bank have in each region?
SELECT r.name, round(1000 * count() / any(r.population), 2) AS customers_per_thousand
FROM {bi}.dim_region AS r
INNER JOIN {bi}.dim_customer AS c USING (region_id)
WHERE r.population > 0 AND c.state = ''active''
GROUP BY r.name
ORDER BY customers_per_thousand DESC'
AS
SELECT region_id, name, parent_name AS parent, latitude, longitude, population, average_salary_base,
    mapKeys(indicators) AS indicator_names, mapValues(indicators) AS indicator_values
FROM {warehouse}.region FINAL;

CREATE OR REPLACE VIEW {bi}.dim_date
(
    date          Date COMMENT 'Day of the calendar of the bank',
    year          UInt16 COMMENT 'Year',
    quarter       UInt8 COMMENT 'Quarter of the year, 1 to 4',
    month         UInt8 COMMENT 'Month of the year, 1 to 12',
    day           UInt8 COMMENT 'Day of the month, 1 to 31',
    year_quarter  String COMMENT 'Year and quarter, for example 2026-Q2',
    year_month    String COMMENT 'Year and month, for example 2026-06',
    iso_year      UInt16 COMMENT 'Year that the week belongs to by ISO 8601',
    week          UInt8 COMMENT 'Week by ISO 8601, 1 to 53',
    weekday       UInt8 COMMENT 'Day of the week, 1 Monday to 7 Sunday',
    weekday_name  String COMMENT 'Name of the day of the week',
    is_weekend    UInt8 COMMENT '1 on Saturday and Sunday',
    is_month_end  UInt8 COMMENT '1 on the last day of a month',
    month_start   Date COMMENT 'First day of the month',
    quarter_start Date COMMENT 'First day of the quarter',
    year_start    Date COMMENT 'First day of the year'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Days from 1990-01-01 to 2049-12-31. Public holidays are not marked: they differ from country to country.

Question: How much is turned over on each day of the week?
SELECT d.weekday_name, sum(t.base_amount) AS turnover
FROM {bi}.fact_transaction AS t
INNER JOIN {bi}.dim_date AS d ON d.date = t.business_date
GROUP BY d.weekday, d.weekday_name
ORDER BY d.weekday'
AS
SELECT
    toDate('1990-01-01') + number AS date,
    toYear(date) AS year,
    toQuarter(date) AS quarter,
    toMonth(date) AS month,
    toDayOfMonth(date) AS day,
    concat(toString(year), '-Q', toString(quarter)) AS year_quarter,
    formatDateTime(date, '%Y-%m') AS year_month,
    toISOYear(date) AS iso_year,
    toISOWeek(date) AS week,
    toDayOfWeek(date) AS weekday,
    dateName('weekday', date) AS weekday_name,
    weekday > 5 AS is_weekend,
    date = toLastDayOfMonth(date) AS is_month_end,
    toStartOfMonth(date) AS month_start,
    toStartOfQuarter(date) AS quarter_start,
    toStartOfYear(date) AS year_start
FROM numbers(toUInt64(toDate('2049-12-31') - toDate('1990-01-01') + 1));
