-- The views of 00024_bi_dimension.sql and later that turn days and times of any year into those that every client knows, by
-- toDate and toDateTime themselves: that they take the nearest that fits is a setting of the view. To clamp and convert in four
-- steps took a third of the time of questions over cards. Columns, rows and values are as they were: ClickHouse can't alter the
-- query of a view, so all of each view stands here again. dim_product, with few rows, and dim_customer_fact, with one such time,
-- stay as they are.

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
    [0, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000] AS steps,
    age('year', birth_date, toDate32(today())) AS years,
    monthly_income * dictGetOrNull('{warehouse}.currency_lookup', 'rate', tuple(toString(monthly_income_currency)), today()) AS income,
    toUInt64(roundDown(toFloat64(greatest(income, 0)), steps)) AS income_from
SELECT
    customer_id,
    kind,
    state,
    state_reason,
    toDate(state_since) AS state_since,
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
    toDate(customer_since) AS customer_since,
    if(state = 'former', toDate(coalesce(customer.state_since, dictGet('{warehouse}.customer_left_lookup', 'closed', customer_id))), NULL) AS left_on,
    branch_id,
    manager_id,
    region_id
FROM {warehouse}.customer FINAL
SETTINGS date_time_overflow_behavior = 'saturate';

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
    region_id           UInt64 COMMENT 'Region of the owner, else of the account, see dim_region; 0: unknown',
    owner_branch_id     UInt64 COMMENT 'Branch that looks after the owner, see dim_branch; 0: none',
    owner_manager_id    UInt64 COMMENT 'Manager who looks after the owner, see dim_manager; 0: none',
    owner_region_id     UInt64 COMMENT 'Region of the owner, see dim_region; 0: unknown'
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
SELECT
    account_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    contract_id,
    product_id,
    currency,
    state,
    toDateTime(state_since, 'UTC') AS state_since,
    statement_frequency,
    overdraft_limit,
    toDate(opened) AS opened,
    toDate(closed) AS closed,
    account.branch_id AS account_branch_id,
    dictGetOrDefault('{warehouse}.account_lookup', 'branch_id', account_id, account.branch_id) AS branch_id,
    dictGet('{warehouse}.account_lookup', 'manager_id', account_id) AS manager_id,
    dictGetOrDefault('{warehouse}.account_lookup', 'region_id', account_id, account.region_id) AS region_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', customer_id) AS owner_branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', customer_id) AS owner_manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', customer_id) AS owner_region_id
FROM {warehouse}.account FINAL
SETTINGS date_time_overflow_behavior = 'saturate';

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
SELECT
    card_id,
    customer_id,
    account_id,
    product_id,
    scheme,
    state,
    toDateTime(state_since, 'UTC') AS state_since,
    toDate(issued) AS issued,
    toDate(expiry) AS expiry,
    replaced_by_card_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', customer_id) AS region_id
FROM {warehouse}.card FINAL
SETTINGS date_time_overflow_behavior = 'saturate';

CREATE OR REPLACE VIEW {bi}.fact_contract
(
    contract_id       UInt64 COMMENT 'Contract',
    customer_id       UInt64 COMMENT 'Main party: the borrower, depositor, policy holder or holder, else the owner of its account, see dim_customer; 0: unknown',
    account_id        UInt64 COMMENT 'Account that it is settled on, see dim_account; 0: none',
    product_id        UInt64 COMMENT 'Product, see dim_product; 0: unknown',
    business_date     Nullable(Date) COMMENT 'Day on which it was opened, else signed, see dim_date; NULL: unknown',
    kind              LowCardinality(String) COMMENT 'Kind, for example loan, deposit, standing_order',
    state             LowCardinality(String) COMMENT 'draft, signed, running, in_arrears, finished, defaulted or cancelled; may be empty',
    state_since       Nullable(DateTime('UTC')) COMMENT 'Since when it has been in this state',
    signed            Nullable(Date) COMMENT 'Day signed',
    opened            Nullable(Date) COMMENT 'Day opened',
    closed            Nullable(Date) COMMENT 'Day ended; NULL while it runs',
    maturity          Nullable(Date) COMMENT 'Day of the agreed end',
    duration_months   UInt32 COMMENT 'Term in months; 0: open-ended',
    amount            Nullable(Decimal(38, 4)) COMMENT 'Amount agreed, in currency',
    instalment        Nullable(Decimal(38, 4)) COMMENT 'Monthly instalment, in currency',
    credit_limit      Nullable(Decimal(38, 4)) COMMENT 'Limit or sum insured, in currency',
    currency          LowCardinality(String) COMMENT 'ISO 4217 currency of the amounts; may be empty when there is none',
    base_amount       Nullable(Decimal(38, 4)) COMMENT 'amount in base currency at the last rate known by business_date; NULL when none is known',
    annual_rate       Nullable(Decimal(18, 8)) COMMENT 'Yearly interest rate as a fraction',
    rate_kind         LowCardinality(String) COMMENT 'fixed, variable or empty',
    secured           UInt8 COMMENT '1 when anything secures it',
    purpose           LowCardinality(String) COMMENT 'What it is for, in the codes of its source; may be empty',
    parties           UInt64 COMMENT 'Parties at present',
    overdue           Decimal(38, 4) COMMENT 'Unpaid part of the instalments that were due before today, in currency',
    days_past_due     UInt32 COMMENT 'Days since the oldest of them was due; 0: none is late',
    branch_id         UInt64 COMMENT 'Branch that looks after the main party, see dim_branch; 0: unknown',
    manager_id        UInt64 COMMENT 'Manager who looks after the main party, see dim_manager; 0: none',
    region_id         UInt64 COMMENT 'Region of the main party, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Contracts as they are now: loans, deposits, standing orders and others, with their arrears.

Question: How many loans run at each branch, how much was lent, and how much is late?
SELECT b.name AS branch, count() AS loans, sum(f.base_amount) AS lent, countIf(f.days_past_due > 30) AS late_over_30_days
FROM {bi}.fact_contract AS f
LEFT JOIN {bi}.dim_branch AS b USING (branch_id)
WHERE f.kind = ''loan'' AND f.closed IS NULL
GROUP BY branch
ORDER BY lent DESC'
AS
WITH
    dictGet('{warehouse}.contract_lookup', 'customer_id', contract_id) AS party,
    if(party != 0, party, dictGet('{warehouse}.account_lookup', 'customer_id', account_id)) AS main_party,
    dictGet('{warehouse}.arrears_lookup', 'oldest_due', contract_id) AS oldest_due,
    coalesce(contract.opened, contract.signed) AS begun,
    multiIf(contract.amount_currency != '', contract.amount_currency, contract.instalment_currency != '', contract.instalment_currency, contract.currency) AS money
SELECT
    contract_id,
    main_party AS customer_id,
    account_id,
    product_id,
    toDate(begun) AS business_date,
    kind,
    state,
    toDateTime(contract.state_since, 'UTC') AS state_since,
    toDate(contract.signed) AS signed,
    toDate(contract.opened) AS opened,
    toDate(contract.closed) AS closed,
    toDate(contract.maturity) AS maturity,
    duration_months,
    amount,
    instalment,
    credit_limit,
    money AS currency,
    CAST(round(contract.amount * dictGetOrNull('{warehouse}.currency_lookup', 'rate', tuple(toString(money)), toDate(ifNull(begun, toDate32(today())))), 4), 'Nullable(Decimal(38, 4))') AS base_amount,
    annual_rate,
    rate_kind,
    secured,
    purpose,
    dictGet('{warehouse}.contract_lookup', 'parties', contract_id) AS parties,
    dictGet('{warehouse}.arrears_lookup', 'overdue', contract_id) AS overdue,
    toUInt32(ifNull(dateDiff('day', oldest_due, today()), 0)) AS days_past_due,
    dictGet('{warehouse}.customer_lookup', 'branch_id', main_party) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', main_party) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', main_party) AS region_id
FROM {warehouse}.contract FINAL
SETTINGS date_time_overflow_behavior = 'saturate';

CREATE OR REPLACE VIEW {bi}.fact_service_quality
(
    interaction_id        UInt64 COMMENT 'Complaint or request, see fact_interaction',
    customer_id           UInt64 COMMENT 'Customer, see dim_customer',
    business_date         Date COMMENT 'Day on which it was opened, see dim_date',
    kind                  LowCardinality(String) COMMENT 'complaint or request',
    class                 LowCardinality(String) COMMENT 'Class that the bank put it in; may be empty',
    priority              LowCardinality(String) COMMENT 'Priority',
    channel               LowCardinality(String) COMMENT 'Channel that it came by; may be empty',
    outcome               LowCardinality(String) COMMENT 'What came of it, in the codes of the bank; may be empty',
    service_level_id      UInt64 COMMENT 'Service level that promised the due times; 0: none',
    service_level         String COMMENT 'Name of that service level; may be empty',
    opened_time           DateTime('UTC') COMMENT 'When it was opened',
    first_answer_time     Nullable(DateTime('UTC')) COMMENT 'When it was first answered; NULL: not yet',
    first_answer_due_time Nullable(DateTime('UTC')) COMMENT 'When the first answer was due; NULL: nothing was promised',
    resolved_time         Nullable(DateTime('UTC')) COMMENT 'When it was resolved; NULL: open',
    due_time              Nullable(DateTime('UTC')) COMMENT 'When the resolution was due; NULL: nothing was promised',
    is_open               UInt8 COMMENT '1 while it is not resolved',
    hours_to_answer       Nullable(Float64) COMMENT 'Hours from opening to the first answer; NULL: not answered',
    hours_to_resolve      Nullable(Float64) COMMENT 'Hours from opening to the resolution; NULL: open',
    answered_in_time      Nullable(UInt8) COMMENT '1: answered by the due time, 0: later or overdue now, NULL: nothing promised or still in time',
    resolved_in_time      Nullable(UInt8) COMMENT '1: resolved by the due time, 0: later or overdue now, NULL: nothing promised or still in time',
    within_service_level  Nullable(UInt8) COMMENT '0 when either was missed, 1 when all that was promised was kept, NULL while that is open',
    reopened_count        UInt32 COMMENT 'How often it was opened again',
    satisfaction          Nullable(UInt8) COMMENT 'Rating by the customer, 1 to 5; NULL: not rated',
    handled_by_id         UInt64 COMMENT 'Manager who handles it, see dim_manager; 0: none',
    branch_id             UInt64 COMMENT 'Branch that looks after the customer, see dim_branch; 0: none',
    manager_id            UInt64 COMMENT 'Manager who looks after the customer, see dim_manager; 0: none',
    region_id             UInt64 COMMENT 'Region of the customer, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Complaints and requests with how fast and how well they were dealt with. What is open and late is judged at the time of the query.

Question: What share of complaints is dealt with within the service level, by class?
SELECT class, count() AS complaints, round(avg(within_service_level), 3) AS share_within, round(avg(hours_to_resolve), 1) AS hours_to_resolve,
    round(avg(satisfaction), 2) AS satisfaction
FROM {bi}.fact_service_quality
WHERE kind = ''complaint''
GROUP BY class
ORDER BY complaints DESC'
AS
WITH
    -- A promise is kept or missed when the thing is done; before that it is missed once the time has passed.
    multiIf(i.first_answer_due_time IS NULL, NULL, ifNull(i.first_answer_time, now64(6, 'UTC')) > i.first_answer_due_time, 0, i.first_answer_time IS NULL, NULL, 1) AS answered,
    multiIf(i.due_time IS NULL, NULL, ifNull(i.resolved_time, now64(6, 'UTC')) > i.due_time, 0, i.resolved_time IS NULL, NULL, 1) AS resolved
SELECT
    i.interaction_id AS interaction_id,
    i.customer_id AS customer_id,
    i.business_date AS business_date,
    i.kind AS kind,
    i.class AS class,
    i.priority AS priority,
    i.channel AS channel,
    i.outcome AS outcome,
    i.service_level_id AS service_level_id,
    dictGet('{warehouse}.service_level_lookup', 'name', i.service_level_id) AS service_level,
    toDateTime(i.opened_time, 'UTC') AS opened_time,
    toDateTime(i.first_answer_time, 'UTC') AS first_answer_time,
    toDateTime(i.first_answer_due_time, 'UTC') AS first_answer_due_time,
    toDateTime(i.resolved_time, 'UTC') AS resolved_time,
    toDateTime(i.due_time, 'UTC') AS due_time,
    i.resolved_time IS NULL AS is_open,
    dateDiff('second', i.opened_time, i.first_answer_time) / 3600 AS hours_to_answer,
    dateDiff('second', i.opened_time, i.resolved_time) / 3600 AS hours_to_resolve,
    answered AS answered_in_time,
    resolved AS resolved_in_time,
    multiIf(answered = 0 OR resolved = 0, 0, (answered IS NULL AND i.first_answer_due_time IS NOT NULL) OR (resolved IS NULL AND i.due_time IS NOT NULL), NULL,
        answered IS NULL AND resolved IS NULL, NULL, 1) AS within_service_level,
    i.reopened_count AS reopened_count,
    nullIf(i.satisfaction, 0) AS satisfaction,
    i.manager_id AS handled_by_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', i.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', i.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', i.customer_id) AS region_id
FROM {warehouse}.interaction AS i FINAL
WHERE i.kind IN ('complaint', 'request')
SETTINGS date_time_overflow_behavior = 'saturate';
