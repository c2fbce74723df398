-- Terms of products, contracts, accounts and cards, and since when they are in their state. Columns are added where their
-- neighbours stand; rows from before hold the defaults until their next change or a replay. Numbers, collateral, reasons and
-- other texts stay in Postgres. See 00001_place.sql for the rules of all tables of records.

-- +goose Up
ALTER TABLE product
    ADD COLUMN IF NOT EXISTS annual_rate     Nullable(Decimal(18, 8)) CODEC(ZSTD(1)) AFTER valid_to,
    ADD COLUMN IF NOT EXISTS amount_min      Nullable(Decimal(38, 4)) CODEC(ZSTD(1)) AFTER annual_rate,
    ADD COLUMN IF NOT EXISTS amount_max      Nullable(Decimal(38, 4)) CODEC(ZSTD(1)) AFTER amount_min,
    ADD COLUMN IF NOT EXISTS amount_currency LowCardinality(String) CODEC(ZSTD(1)) AFTER amount_max,
    ADD COLUMN IF NOT EXISTS months_min      UInt32 CODEC(T64, ZSTD(1)) AFTER amount_currency,
    ADD COLUMN IF NOT EXISTS months_max      UInt32 CODEC(T64, ZSTD(1)) AFTER months_min,
    ADD COLUMN IF NOT EXISTS channels        Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER months_max;

ALTER TABLE contract
    ADD COLUMN IF NOT EXISTS currency       LowCardinality(String) CODEC(ZSTD(1)) AFTER purpose,
    ADD COLUMN IF NOT EXISTS annual_rate    Nullable(Decimal(18, 8)) CODEC(ZSTD(1)) AFTER currency,
    ADD COLUMN IF NOT EXISTS rate_kind      LowCardinality(String) CODEC(ZSTD(1)) AFTER annual_rate,
    ADD COLUMN IF NOT EXISTS reference_rate LowCardinality(String) CODEC(ZSTD(1)) AFTER rate_kind,
    ADD COLUMN IF NOT EXISTS rate_margin    Nullable(Decimal(18, 8)) CODEC(ZSTD(1)) AFTER reference_rate,
    ADD COLUMN IF NOT EXISTS day_count      LowCardinality(String) CODEC(ZSTD(1)) AFTER rate_margin,
    ADD COLUMN IF NOT EXISTS credit_limit   Nullable(Decimal(38, 4)) CODEC(ZSTD(1)) AFTER day_count,
    ADD COLUMN IF NOT EXISTS secured        UInt8 CODEC(ZSTD(1)) AFTER credit_limit,
    ADD COLUMN IF NOT EXISTS signed         Nullable(Date32) CODEC(ZSTD(1)) AFTER secured,
    ADD COLUMN IF NOT EXISTS maturity       Nullable(Date32) CODEC(ZSTD(1)) AFTER signed,
    ADD COLUMN IF NOT EXISTS state_since    Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER maturity;

ALTER TABLE account
    ADD COLUMN IF NOT EXISTS contract_id     UInt64 CODEC(T64, ZSTD(1)) AFTER closed,
    ADD COLUMN IF NOT EXISTS overdraft_limit Nullable(Decimal(38, 4)) CODEC(ZSTD(1)) AFTER contract_id,
    ADD COLUMN IF NOT EXISTS state_since     Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER overdraft_limit;

ALTER TABLE card
    ADD COLUMN IF NOT EXISTS linked_account_ids  Array(UInt64) CODEC(ZSTD(1)) AFTER expiry,
    ADD COLUMN IF NOT EXISTS replaced_by_card_id UInt64 CODEC(T64, ZSTD(1)) AFTER linked_account_ids,
    ADD COLUMN IF NOT EXISTS state_since         Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER replaced_by_card_id;

-- A party may be corrected to another contract or customer, so neither is a part of the key.
CREATE TABLE IF NOT EXISTS contract_party
(
    contract_party_id UInt64 CODEC(Delta, ZSTD(1)),
    contract_id       UInt64 CODEC(T64, ZSTD(1)),
    customer_id       UInt64 CODEC(T64, ZSTD(1)),
    role              LowCardinality(String) CODEC(ZSTD(1)),
    share             Nullable(Decimal(9, 8)) CODEC(ZSTD(1)),
    valid_from        Nullable(Date32) CODEC(ZSTD(1)),
    valid_to          Nullable(Date32) CODEC(ZSTD(1)),
    version           UInt64 CODEC(T64, ZSTD(1)),
    deleted           UInt8 CODEC(ZSTD(1)),
    change_time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY contract_party_id
COMMENT 'Who is a party to which contract, in which role, from when to when';

-- Key: instalment_id; position is the number in the schedule. An instalment of one contract could be corrected to another one. Days past due and overdue amounts are
-- worked out for the day that a question names: the oldest row with outstanding > 0 that was due before it.
CREATE TABLE IF NOT EXISTS instalment
(
    instalment_id UInt64 CODEC(Delta, ZSTD(1)),
    contract_id   UInt64 CODEC(Delta, ZSTD(1)),
    position      UInt32 CODEC(T64, ZSTD(1)),
    due           Date32 CODEC(Delta, ZSTD(1)),
    currency      LowCardinality(String) CODEC(ZSTD(1)),
    principal     Decimal(38, 4) CODEC(ZSTD(1)),
    interest      Decimal(38, 4) CODEC(ZSTD(1)),
    fee           Decimal(38, 4) CODEC(ZSTD(1)),
    paid          Decimal(38, 4) CODEC(ZSTD(1)),
    paid_on       Nullable(Date32) CODEC(ZSTD(1)),
    state         LowCardinality(String) CODEC(ZSTD(1)),
    outstanding   Decimal(38, 4) ALIAS if(state = 'waived', toDecimal128(0, 4), principal + interest + fee - paid),
    version       UInt64 CODEC(T64, ZSTD(1)),
    deleted       UInt8 CODEC(ZSTD(1)),
    change_time   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY instalment_id
COMMENT 'Payment schedules of contracts';
