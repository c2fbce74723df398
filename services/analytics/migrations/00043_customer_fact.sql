-- Facts of customers as they are today, kept: one row for each customer, one column for each fact of
-- services/analytics/internal/customerfact/facts.yaml that is not read from the table of a run, and the maps of the bank's own
-- attributes. A test holds the columns against the catalogue: who adds a fact adds its column by the next file.
--
-- Wide and not a row for each fact: segments and scores ask for some facts of all customers, which is reading some columns, and a
-- customer's facts come and go together. Levels are not here, they follow from their facts.
--
-- Key: customer_id. Joins come by it, a few changed customers are a few granules, and a cluster keeps a customer's row where the
-- customer is. ReplacingMergeTree: a refresh writes a row anew, and the one that was read last stands, whoever wrote it. version is
-- the moment, in microseconds, before the refresh began to read. No partitions, as for all that is replaced.
--
-- Nothing here is truth: TRUNCATE it and customer_fact_refresh, and it is told anew.

-- +goose Up
CREATE TABLE IF NOT EXISTS customer_fact
(
    customer_id UInt64 COMMENT 'Customer' CODEC(Delta, ZSTD(1)),
    day Date COMMENT 'Day of the bank that windows and ages are counted to' CODEC(ZSTD(1)),
    refreshed_time DateTime64(6, 'UTC') COMMENT 'When the facts were told' CODEC(Delta, ZSTD(1)),
    -- customer
    kind                          LowCardinality(String) CODEC(ZSTD(1)),
    state                         LowCardinality(String) CODEC(ZSTD(1)),
    state_reason                  LowCardinality(String) CODEC(ZSTD(1)),
    state_days                    Nullable(Int64) CODEC(ZSTD(1)),
    customer_since                Nullable(Date32) CODEC(ZSTD(1)),
    tenure_months                 Nullable(Int64) CODEC(ZSTD(1)),
    sex                           LowCardinality(String) CODEC(ZSTD(1)),
    age                           Nullable(Int64) CODEC(ZSTD(1)),
    age_band                      LowCardinality(String) CODEC(ZSTD(1)),
    marital_status                LowCardinality(String) CODEC(ZSTD(1)),
    education                     LowCardinality(String) CODEC(ZSTD(1)),
    dependants                    Nullable(Int64) CODEC(ZSTD(1)),
    citizenships                  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    interests                     Array(LowCardinality(String)) CODEC(ZSTD(1)),
    preferred_channel             LowCardinality(String) CODEC(ZSTD(1)),
    preferred_language            LowCardinality(String) CODEC(ZSTD(1)),
    other_banks                   Array(LowCardinality(String)) CODEC(ZSTD(1)),
    other_bank_products           Array(LowCardinality(String)) CODEC(ZSTD(1)),
    occupation                    LowCardinality(String) CODEC(ZSTD(1)),
    employed_months               Nullable(Int64) CODEC(ZSTD(1)),
    employer_is_customer          Bool CODEC(ZSTD(1)),
    income_source                 LowCardinality(String) CODEC(ZSTD(1)),
    income_verified               Bool CODEC(ZSTD(1)),
    monthly_income                Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    income_band                   LowCardinality(String) CODEC(ZSTD(1)),
    legal_form                    LowCardinality(String) CODEC(ZSTD(1)),
    industry                      LowCardinality(String) CODEC(ZSTD(1)),
    industry_division             LowCardinality(String) CODEC(ZSTD(1)),
    employees                     Nullable(Int64) CODEC(ZSTD(1)),
    annual_turnover               Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    company_age                   Nullable(Int64) CODEC(ZSTD(1)),
    region_id                     Int64 CODEC(ZSTD(1)),
    branch_id                     Int64 CODEC(ZSTD(1)),
    manager_id                    Int64 CODEC(ZSTD(1)),
    -- place
    region                        LowCardinality(String) CODEC(ZSTD(1)),
    region_parent                 LowCardinality(String) CODEC(ZSTD(1)),
    region_population             Nullable(Int64) CODEC(ZSTD(1)),
    region_salary                 Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    branch                        LowCardinality(String) CODEC(ZSTD(1)),
    -- relation
    relations                     Int64 CODEC(ZSTD(1)),
    relation_types                Array(LowCardinality(String)) CODEC(ZSTD(1)),
    has_spouse                    Bool CODEC(ZSTD(1)),
    children                      Int64 CODEC(ZSTD(1)),
    family_customers              Int64 CODEC(ZSTD(1)),
    companies                     Int64 CODEC(ZSTD(1)),
    -- account
    accounts_open                 Int64 CODEC(ZSTD(1)),
    accounts_closed               Int64 CODEC(ZSTD(1)),
    account_opened_days_ago       Nullable(Int64) CODEC(ZSTD(1)),
    account_closed_days_ago       Nullable(Int64) CODEC(ZSTD(1)),
    currencies                    Array(LowCardinality(String)) CODEC(ZSTD(1)),
    has_overdraft                 Bool CODEC(ZSTD(1)),
    -- holding
    products_held                 Int64 CODEC(ZSTD(1)),
    products                      Array(LowCardinality(String)) CODEC(ZSTD(1)),
    product_families              Array(LowCardinality(String)) CODEC(ZSTD(1)),
    has_loan                      Bool CODEC(ZSTD(1)),
    has_deposit                   Bool CODEC(ZSTD(1)),
    has_card                      Bool CODEC(ZSTD(1)),
    has_insurance                 Bool CODEC(ZSTD(1)),
    has_investment                Bool CODEC(ZSTD(1)),
    -- card
    cards_active                  Int64 CODEC(ZSTD(1)),
    cards_blocked                 Int64 CODEC(ZSTD(1)),
    card_schemes                  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    card_expiry_days              Nullable(Int64) CODEC(ZSTD(1)),
    -- contract
    contracts_running             Int64 CODEC(ZSTD(1)),
    contracts_finished            Int64 CODEC(ZSTD(1)),
    contracts_signed_365d         Int64 CODEC(ZSTD(1)),
    contract_kinds                Array(LowCardinality(String)) CODEC(ZSTD(1)),
    loans_running                 Int64 CODEC(ZSTD(1)),
    loan_amount                   Decimal(38, 4) CODEC(ZSTD(1)),
    deposit_amount                Decimal(38, 4) CODEC(ZSTD(1)),
    instalments_month             Decimal(38, 4) CODEC(ZSTD(1)),
    standing_orders               Int64 CODEC(ZSTD(1)),
    contracts_defaulted           Int64 CODEC(ZSTD(1)),
    next_maturity_days            Nullable(Int64) CODEC(ZSTD(1)),
    -- arrears
    days_past_due                 Int64 CODEC(ZSTD(1)),
    overdue                       Decimal(38, 4) CODEC(ZSTD(1)),
    instalments_late_365d         Int64 CODEC(ZSTD(1)),
    -- balance
    balance                       Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    balance_30d                   Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    balance_90d                   Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    balance_365d                  Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    balance_change_90d            Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    balance_trend_30d             Nullable(Float64) CODEC(ZSTD(1)),
    balance_trend_90d             Nullable(Float64) CODEC(ZSTD(1)),
    balance_trend_365d            Nullable(Float64) CODEC(ZSTD(1)),
    accounts_overdrawn            Nullable(Int64) CODEC(ZSTD(1)),
    -- transaction
    transactions_30d              Int64 CODEC(ZSTD(1)),
    turnover_in_30d               Decimal(38, 4) CODEC(ZSTD(1)),
    turnover_out_30d              Decimal(38, 4) CODEC(ZSTD(1)),
    transactions_90d              Int64 CODEC(ZSTD(1)),
    turnover_in_90d               Decimal(38, 4) CODEC(ZSTD(1)),
    turnover_out_90d              Decimal(38, 4) CODEC(ZSTD(1)),
    transactions_365d             Int64 CODEC(ZSTD(1)),
    turnover_in_365d              Decimal(38, 4) CODEC(ZSTD(1)),
    turnover_out_365d             Decimal(38, 4) CODEC(ZSTD(1)),
    card_payments_30d             Int64 CODEC(ZSTD(1)),
    card_payments_amount_30d      Decimal(38, 4) CODEC(ZSTD(1)),
    card_payments_90d             Int64 CODEC(ZSTD(1)),
    card_payments_amount_90d      Decimal(38, 4) CODEC(ZSTD(1)),
    card_payments_365d            Int64 CODEC(ZSTD(1)),
    card_payments_amount_365d     Decimal(38, 4) CODEC(ZSTD(1)),
    card_withdrawals_90d          Int64 CODEC(ZSTD(1)),
    card_withdrawals_amount_90d   Decimal(38, 4) CODEC(ZSTD(1)),
    card_withdrawals_365d         Int64 CODEC(ZSTD(1)),
    card_withdrawals_amount_365d  Decimal(38, 4) CODEC(ZSTD(1)),
    cash_deposits_90d             Int64 CODEC(ZSTD(1)),
    cash_deposits_amount_90d      Decimal(38, 4) CODEC(ZSTD(1)),
    cash_deposits_365d            Int64 CODEC(ZSTD(1)),
    cash_deposits_amount_365d     Decimal(38, 4) CODEC(ZSTD(1)),
    cash_withdrawals_90d          Int64 CODEC(ZSTD(1)),
    cash_withdrawals_amount_90d   Decimal(38, 4) CODEC(ZSTD(1)),
    cash_withdrawals_365d         Int64 CODEC(ZSTD(1)),
    cash_withdrawals_amount_365d  Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_in_30d              Int64 CODEC(ZSTD(1)),
    transfers_in_amount_30d       Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_in_90d              Int64 CODEC(ZSTD(1)),
    transfers_in_amount_90d       Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_in_365d             Int64 CODEC(ZSTD(1)),
    transfers_in_amount_365d      Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_out_30d             Int64 CODEC(ZSTD(1)),
    transfers_out_amount_30d      Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_out_90d             Int64 CODEC(ZSTD(1)),
    transfers_out_amount_90d      Decimal(38, 4) CODEC(ZSTD(1)),
    transfers_out_365d            Int64 CODEC(ZSTD(1)),
    transfers_out_amount_365d     Decimal(38, 4) CODEC(ZSTD(1)),
    loan_repayments_90d           Int64 CODEC(ZSTD(1)),
    loan_repayments_amount_90d    Decimal(38, 4) CODEC(ZSTD(1)),
    loan_repayments_365d          Int64 CODEC(ZSTD(1)),
    loan_repayments_amount_365d   Decimal(38, 4) CODEC(ZSTD(1)),
    fees_90d                      Int64 CODEC(ZSTD(1)),
    fees_amount_90d               Decimal(38, 4) CODEC(ZSTD(1)),
    fees_365d                     Int64 CODEC(ZSTD(1)),
    fees_amount_365d              Decimal(38, 4) CODEC(ZSTD(1)),
    interest_credited_90d         Int64 CODEC(ZSTD(1)),
    interest_credited_amount_90d  Decimal(38, 4) CODEC(ZSTD(1)),
    interest_credited_365d        Int64 CODEC(ZSTD(1)),
    interest_credited_amount_365d Decimal(38, 4) CODEC(ZSTD(1)),
    interest_charged_90d          Int64 CODEC(ZSTD(1)),
    interest_charged_amount_90d   Decimal(38, 4) CODEC(ZSTD(1)),
    interest_charged_365d         Int64 CODEC(ZSTD(1)),
    interest_charged_amount_365d  Decimal(38, 4) CODEC(ZSTD(1)),
    transaction_days_ago          Nullable(Int64) CODEC(ZSTD(1)),
    incoming_days_ago             Nullable(Int64) CODEC(ZSTD(1)),
    active_months_365d            Int64 CODEC(ZSTD(1)),
    income_months_365d            Int64 CODEC(ZSTD(1)),
    largest_in_90d                Decimal(38, 4) CODEC(ZSTD(1)),
    average_amount_90d            Nullable(Decimal(38, 4)) CODEC(ZSTD(1)),
    turnover_in_trend_90d         Nullable(Float64) CODEC(ZSTD(1)),
    turnover_out_trend_90d        Nullable(Float64) CODEC(ZSTD(1)),
    -- interaction
    interactions_30d              Int64 CODEC(ZSTD(1)),
    interactions_90d              Int64 CODEC(ZSTD(1)),
    interactions_365d             Int64 CODEC(ZSTD(1)),
    complaints_90d                Int64 CODEC(ZSTD(1)),
    complaints_365d               Int64 CODEC(ZSTD(1)),
    requests_90d                  Int64 CODEC(ZSTD(1)),
    requests_365d                 Int64 CODEC(ZSTD(1)),
    meetings_90d                  Int64 CODEC(ZSTD(1)),
    meetings_365d                 Int64 CODEC(ZSTD(1)),
    calls_90d                     Int64 CODEC(ZSTD(1)),
    calls_365d                    Int64 CODEC(ZSTD(1)),
    branch_visits_90d             Int64 CODEC(ZSTD(1)),
    branch_visits_365d            Int64 CODEC(ZSTD(1)),
    applications_90d              Int64 CODEC(ZSTD(1)),
    applications_365d             Int64 CODEC(ZSTD(1)),
    campaign_contacts_90d         Int64 CODEC(ZSTD(1)),
    campaign_contacts_365d        Int64 CODEC(ZSTD(1)),
    complaints_open               Int64 CODEC(ZSTD(1)),
    cases_breached_365d           Int64 CODEC(ZSTD(1)),
    cases_reopened_365d           Int64 CODEC(ZSTD(1)),
    satisfaction_365d             Nullable(Float64) CODEC(ZSTD(1)),
    interaction_days_ago          Nullable(Int64) CODEC(ZSTD(1)),
    channels_365d                 Array(LowCardinality(String)) CODEC(ZSTD(1)),
    last_channel                  LowCardinality(String) CODEC(ZSTD(1)),
    campaigns_365d                Array(LowCardinality(String)) CODEC(ZSTD(1)),
    -- behaviour
    site_visits_7d                Int64 CODEC(ZSTD(1)),
    site_visits_30d               Int64 CODEC(ZSTD(1)),
    site_visits_90d               Int64 CODEC(ZSTD(1)),
    page_views_7d                 Int64 CODEC(ZSTD(1)),
    page_views_30d                Int64 CODEC(ZSTD(1)),
    page_views_90d                Int64 CODEC(ZSTD(1)),
    link_clicks_30d               Int64 CODEC(ZSTD(1)),
    link_clicks_90d               Int64 CODEC(ZSTD(1)),
    tariff_downloads_30d          Int64 CODEC(ZSTD(1)),
    tariff_downloads_90d          Int64 CODEC(ZSTD(1)),
    downloads_30d                 Int64 CODEC(ZSTD(1)),
    downloads_90d                 Int64 CODEC(ZSTD(1)),
    calculators_used_30d          Int64 CODEC(ZSTD(1)),
    calculators_used_90d          Int64 CODEC(ZSTD(1)),
    forms_opened_30d              Int64 CODEC(ZSTD(1)),
    forms_opened_90d              Int64 CODEC(ZSTD(1)),
    applications_started_30d      Int64 CODEC(ZSTD(1)),
    applications_started_90d      Int64 CODEC(ZSTD(1)),
    applications_abandoned_30d    Int64 CODEC(ZSTD(1)),
    applications_abandoned_90d    Int64 CODEC(ZSTD(1)),
    applications_submitted_30d    Int64 CODEC(ZSTD(1)),
    applications_submitted_90d    Int64 CODEC(ZSTD(1)),
    app_logins_7d                 Int64 CODEC(ZSTD(1)),
    app_logins_30d                Int64 CODEC(ZSTD(1)),
    app_logins_90d                Int64 CODEC(ZSTD(1)),
    messages_opened_30d           Int64 CODEC(ZSTD(1)),
    messages_opened_90d           Int64 CODEC(ZSTD(1)),
    site_searches_30d             Int64 CODEC(ZSTD(1)),
    site_searches_90d             Int64 CODEC(ZSTD(1)),
    behaviour_days_30d            Int64 CODEC(ZSTD(1)),
    behaviour_days_ago            Nullable(Int64) CODEC(ZSTD(1)),
    abandoned_days_ago            Nullable(Int64) CODEC(ZSTD(1)),
    online_minutes_30d            Int64 CODEC(ZSTD(1)),
    app_installed                 Bool CODEC(ZSTD(1)),
    devices_90d                   Array(LowCardinality(String)) CODEC(ZSTD(1)),
    online_channels_90d           Array(LowCardinality(String)) CODEC(ZSTD(1)),
    -- consent
    consents                      Array(LowCardinality(String)) CODEC(ZSTD(1)),
    consent_channels              Array(LowCardinality(String)) CODEC(ZSTD(1)),
    marketing_consent             Bool CODEC(ZSTD(1)),
    attribute_values              Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attribute_numbers             Map(LowCardinality(String), Decimal(38, 8)) CODEC(ZSTD(1)),
    attribute_options             Map(LowCardinality(String), Array(LowCardinality(String))) CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1)),
    deleted UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY customer_id
COMMENT 'Facts of customers as they are today';

-- Which records changed and whose customers have to be told anew. Written before a batch of ingestion is acknowledged; read only by a
-- start, for what the process before it did not come to. Key: time, for a start reads what was written after a moment.
CREATE TABLE IF NOT EXISTS customer_change
(
    stored_time DateTime64(6, 'UTC') COMMENT 'When it was written' CODEC(Delta, ZSTD(1)),
    cause       LowCardinality(String) COMMENT 'Table that changed; rebuild: all customers' CODEC(ZSTD(1)),
    entity      LowCardinality(String) COMMENT 'Kind of the record, as in record_link' CODEC(ZSTD(1)),
    entity_id   UInt64 COMMENT 'Its number' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(stored_time)
ORDER BY (stored_time, cause, entity_id)
TTL toDateTime(stored_time) + INTERVAL 3 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Changed records whose customers are told anew';

-- How far the facts are: of which day, by which catalogue. Key: what was refreshed; two rows.
CREATE TABLE IF NOT EXISTS customer_fact_refresh
(
    kind       String COMMENT 'all: every customer was told anew; changes: what changed until began_time was',
    catalogue  String COMMENT 'Digest of the catalogue that they were told by',
    day        Date COMMENT 'Day of the bank that they are told of',
    began_time DateTime64(6, 'UTC') COMMENT 'Before the first read',
    ended_time DateTime64(6, 'UTC') COMMENT 'After the last write'
)
ENGINE = ReplacingMergeTree(ended_time)
ORDER BY kind
COMMENT 'How far customer_fact is';
