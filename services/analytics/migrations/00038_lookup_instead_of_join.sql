-- More that is looked up and less that is joined. See 00023_lookup.sql for the rules of dictionaries, 00024_bi_dimension.sql for
-- those of views.
--
-- What contracts look up: their main party, and how late they are. fact_contract joined the parties and the schedules for this, and so every report on sales read all instalments of the bank,
-- though few ask for arrears.
--
-- Arrears are loaded at most once a minute: they are found in all instalments, and only contracts that are late are in them.

-- +goose Up
CREATE OR REPLACE VIEW {warehouse}.contract_lookup_source AS
-- Of several main parties the one with the largest share, then the first recorded.
SELECT
    contract_id,
    argMaxIf(customer_id, (ifNull(share, 0), -toInt64(contract_party_id)), role IN ('borrower', 'depositor', 'policy_holder', 'holder')) AS customer_id,
    count() AS parties
FROM {warehouse}.contract_party FINAL
WHERE (valid_from IS NULL OR valid_from <= today()) AND (valid_to IS NULL OR valid_to >= today())
GROUP BY contract_id;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.contract_lookup
(
    contract_id UInt64,
    customer_id UInt64 DEFAULT 0,
    parties     UInt64 DEFAULT 0
)
PRIMARY KEY contract_id
SOURCE(CLICKHOUSE(
    TABLE 'contract_lookup_source'
    INVALIDATE_QUERY 'SELECT max(change_time), count(), today() FROM {warehouse}.contract_party'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 30 MAX 60)
COMMENT 'Main party of each contract';

CREATE OR REPLACE VIEW {warehouse}.arrears_lookup_source AS
SELECT contract_id, sum(outstanding) AS overdue, min(due) AS oldest_due
FROM {warehouse}.instalment FINAL
WHERE due < today() AND outstanding > 0
GROUP BY contract_id;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.arrears_lookup
(
    contract_id UInt64,
    overdue     Decimal(38, 4) DEFAULT 0,
    oldest_due  Nullable(Date32) DEFAULT NULL
)
PRIMARY KEY contract_id
SOURCE(CLICKHOUSE(
    TABLE 'arrears_lookup_source'
    INVALIDATE_QUERY 'SELECT max(change_time), count(), today() FROM {warehouse}.instalment'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 60 MAX 120)
COMMENT 'What is overdue of each contract that is late';

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
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day,
    moment -> toDateTime(toUInt32(clamp(toUnixTimestamp64Second(moment), 0, 4294967295)), 'UTC') AS as_time,
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
    as_day(begun) AS business_date,
    kind,
    state,
    as_time(contract.state_since) AS state_since,
    as_day(contract.signed) AS signed,
    as_day(contract.opened) AS opened,
    as_day(contract.closed) AS closed,
    as_day(contract.maturity) AS maturity,
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
FROM {warehouse}.contract FINAL;

-- Where the owner belongs, and nothing else, without a join to the owner.
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
    dictGetOrDefault('{warehouse}.account_lookup', 'region_id', account_id, account.region_id) AS region_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', customer_id) AS owner_branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', customer_id) AS owner_manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', customer_id) AS owner_region_id
FROM {warehouse}.account FINAL;

-- Where the customer belongs now, beside where it was then; and which run counts, whatever its settings.
CREATE OR REPLACE VIEW {bi}.fact_clv
(
    run_id                   UUID COMMENT 'Run that computed it',
    as_of                    Date COMMENT 'Day that the run looks from, see dim_date',
    settings_key             FixedString(64) COMMENT 'Names the settings: only runs with equal ones can be compared',
    is_newest                UInt8 COMMENT '1 in the newest run with these settings for this as_of: name it unless runs are compared',
    is_newest_of_day         UInt8 COMMENT '1 in the newest run for this as_of, whatever its settings',
    computed_time            DateTime('UTC') COMMENT 'When the run ended',
    customer_id              UInt64 COMMENT 'Customer, see dim_customer',
    kind                     LowCardinality(String) COMMENT 'individual or organisation',
    sector                   LowCardinality(String) COMMENT 'Division of NACE Rev. 2, two digits; empty for individuals',
    branch_id                UInt64 COMMENT 'Branch that looked after the customer then, see dim_branch; 0: none',
    manager_id               UInt64 COMMENT 'Manager who looked after the customer then, see dim_manager; 0: none',
    region_id                UInt64 COMMENT 'Region of the customer then, see dim_region; 0: unknown',
    branch_id_now            UInt64 COMMENT 'Branch that looks after the customer now, see dim_branch; 0: none',
    manager_id_now           UInt64 COMMENT 'Manager who looks after the customer now, see dim_manager; 0: none',
    region_id_now            UInt64 COMMENT 'Region of the customer now, see dim_region; 0: unknown',
    repeats                  UInt32 COMMENT 'Days with a purchase after the first one',
    last_days                UInt32 COMMENT 'Days from the first purchase to the last',
    age_days                 UInt32 COMMENT 'Days from the first purchase to as_of',
    base_mean_amount         Float64 COMMENT 'Mean amount of a repeat purchase, in base currency; 0 without one',
    margin_share             Float64 COMMENT 'Margin earned, of amounts and of balances, over the amounts',
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
    r.run_id = r.newest_of_day AS is_newest_of_day,
    r.computed_time AS computed_time,
    v.customer_id AS customer_id,
    v.kind AS kind,
    v.sector AS sector,
    v.branch_id AS branch_id,
    v.manager_id AS manager_id,
    v.region_id AS region_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', v.customer_id) AS branch_id_now,
    dictGet('{warehouse}.customer_lookup', 'manager_id', v.customer_id) AS manager_id_now,
    dictGet('{warehouse}.customer_lookup', 'region_id', v.customer_id) AS region_id_now,
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
        argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY settings_key, as_of) AS newest_run_id,
        argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY as_of) AS newest_of_day
    FROM {warehouse}.clv_run FINAL
) AS r ON r.run_id = v.run_id;

-- Which of several runs of a day counts is told by the runs and not by a search in their rows; so reports need only this to know
-- the days of pictures.
CREATE OR REPLACE VIEW {bi}.dim_run
(
    run_id             UUID COMMENT 'Run, as in the facts of its kind',
    kind               LowCardinality(String) COMMENT 'rfm, clv, segment or score: where its rows are, fact_rfm, fact_clv, fact_segment_member or fact_score',
    name               LowCardinality(String) COMMENT 'Segment or score that was run; empty for rfm and clv',
    definition_version UInt32 COMMENT 'Version of the definition of the segment or score; 0 for rfm and clv',
    settings_key       String COMMENT 'Names the settings of rfm and clv: only runs with equal ones can be compared; empty for others',
    as_of              Date COMMENT 'Day that the run looks from, see dim_date',
    is_newest          UInt8 COMMENT '1 in the newest run of its kind and name for this as_of, whatever its settings',
    computed_time      DateTime('UTC') COMMENT 'When the run ended',
    customers          UInt64 COMMENT 'Customers in it'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Runs that valued, placed or found customers and were finished.

Question: Of which days are there lifetime values, and how many customers had one?
SELECT as_of, customers, computed_time
FROM {bi}.dim_run
WHERE kind = ''clv'' AND is_newest
ORDER BY as_of'
AS
SELECT run_id, kind, name, definition_version, settings_key, as_of,
    run_id = argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY kind, name, as_of) AS is_newest, computed_time, customers
FROM
(
    SELECT run_id, 'rfm' AS kind, '' AS name, toUInt32(0) AS definition_version, settings_key, as_of, computed_time, customers
    FROM {warehouse}.rfm_run FINAL
    UNION ALL
    SELECT run_id, 'clv', '', toUInt32(0), toString(settings_key), as_of, computed_time, customers FROM {warehouse}.clv_run FINAL
    UNION ALL
    SELECT run_id, 'segment', toString(segment), definition_version, '', as_of, computed_time, customers FROM {warehouse}.segment_run FINAL
    UNION ALL
    SELECT run_id, 'score', toString(score), definition_version, '', as_of, computed_time, customers FROM {warehouse}.score_run FINAL
);

-- Dictionaries for analysts: of what all of them may see, and in no relation to customers. A dictionary knows no row policies, so
-- whoever sees some branches only may not call the one of managers (deploy/clickhouse/analyst.xml). Attributes can't have comments:
-- the comment of the dictionary tells what each is, one a line.
CREATE DICTIONARY IF NOT EXISTS {bi}.lookup_product
(
    product_id UInt64,
    code       String DEFAULT '',
    name       String DEFAULT '',
    family     String DEFAULT '',
    currency   String DEFAULT ''
)
PRIMARY KEY product_id
SOURCE(CLICKHOUSE(QUERY 'SELECT product_id, code, name, family, currency FROM {bi}.dim_product' INVALIDATE_QUERY 'SELECT max(change_time), count() FROM {warehouse}.product'))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 10 MAX 20)
COMMENT 'Products by number, for dictGet instead of a join. New within half a minute.
product_id: Product, see dim_product
code: Code of the product in the bank
name: Name of the product
family: Family that the product belongs to
currency: ISO 4217 currency; empty when sold in several

Question: What was turned over with each product family this year?
SELECT dictGet(''{bi}.lookup_product'', ''family'', product_id) AS family, sum(base_amount) AS turnover
FROM {bi}.fact_transaction
WHERE business_date >= toStartOfYear(today())
GROUP BY family
ORDER BY turnover DESC';

CREATE DICTIONARY IF NOT EXISTS {bi}.lookup_branch
(
    branch_id UInt64,
    name      String DEFAULT '',
    region_id UInt64 DEFAULT 0
)
PRIMARY KEY branch_id
SOURCE(CLICKHOUSE(QUERY 'SELECT branch_id, name, region_id FROM {bi}.dim_branch' INVALIDATE_QUERY 'SELECT max(change_time), count() FROM {warehouse}.branch'))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 10 MAX 20)
COMMENT 'Branches by number, for dictGet instead of a join. New within half a minute.
branch_id: Branch, see dim_branch
name: Name of the branch
region_id: Region where it stands, see dim_region; 0: unknown

Question: How many active customers has each branch?
SELECT dictGet(''{bi}.lookup_branch'', ''name'', branch_id) AS branch, count() AS customers
FROM {bi}.dim_customer
WHERE state = ''active''
GROUP BY branch
ORDER BY customers DESC';

CREATE DICTIONARY IF NOT EXISTS {bi}.lookup_region
(
    region_id  UInt64,
    name       String DEFAULT '',
    parent     String DEFAULT '',
    population UInt64 DEFAULT 0
)
PRIMARY KEY region_id
SOURCE(CLICKHOUSE(QUERY 'SELECT region_id, name, parent, population FROM {bi}.dim_region' INVALIDATE_QUERY 'SELECT max(change_time), count() FROM {warehouse}.region'))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 10 MAX 20)
COMMENT 'Regions by number, for dictGet instead of a join. New within half a minute.
region_id: Region, see dim_region
name: Name of the region
parent: Name of the larger unit that it belongs to; may be empty
population: Inhabitants; 0: unknown

Question: In which regions were most contacts made this year?
SELECT dictGet(''{bi}.lookup_region'', ''name'', region_id) AS region, count() AS contacts
FROM {bi}.fact_interaction
WHERE business_date >= toStartOfYear(today())
GROUP BY region
ORDER BY contacts DESC';

CREATE DICTIONARY IF NOT EXISTS {bi}.lookup_manager
(
    manager_id UInt64,
    branch_id  UInt64 DEFAULT 0,
    region_id  UInt64 DEFAULT 0
)
PRIMARY KEY manager_id
SOURCE(CLICKHOUSE(
    QUERY 'SELECT manager_id, branch_id, region_id FROM {bi}.dim_manager'
    INVALIDATE_QUERY 'SELECT (SELECT (max(change_time), count()) FROM {warehouse}.manager), (SELECT (max(change_time), count()) FROM {warehouse}.branch)'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 10 MAX 20)
COMMENT 'Managers by number, without their names, for dictGet instead of a join. New within half a minute. For analysts who see all branches.
manager_id: Manager, see dim_manager
branch_id: Branch where the manager works, see dim_branch; 0: unknown
region_id: Region of that branch, see dim_region; 0: unknown

Question: How many customers do the managers of each branch look after?
SELECT dictGet(''{bi}.lookup_manager'', ''branch_id'', manager_id) AS branch_of_manager, uniqExact(manager_id) AS managers, count() AS customers
FROM {bi}.dim_customer
WHERE manager_id != 0
GROUP BY branch_of_manager
ORDER BY customers DESC';
