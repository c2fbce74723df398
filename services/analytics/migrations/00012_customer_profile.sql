-- What analysis knows of customers beyond 00002_customer.sql. Lists are arrays; the bank's own attributes are maps by name,
-- each value once by its type, so that a fact over an attribute needs no cast: values (texts, options, yes or no, days),
-- numbers (whole numbers, decimals, amounts) and options (several of the allowed values).

-- +goose Up
ALTER TABLE customer
    ADD COLUMN IF NOT EXISTS state_reason           LowCardinality(String) CODEC(ZSTD(1)) AFTER state,
    ADD COLUMN IF NOT EXISTS state_since            Nullable(Date32) CODEC(ZSTD(1)) AFTER state_reason,
    ADD COLUMN IF NOT EXISTS citizenships           Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER sex,
    ADD COLUMN IF NOT EXISTS marital_status         LowCardinality(String) CODEC(ZSTD(1)) AFTER citizenships,
    ADD COLUMN IF NOT EXISTS dependants             Nullable(UInt32) CODEC(ZSTD(1)) AFTER marital_status,
    ADD COLUMN IF NOT EXISTS education_level        LowCardinality(String) CODEC(ZSTD(1)) AFTER dependants,
    ADD COLUMN IF NOT EXISTS employer_id            UInt64 CODEC(T64, ZSTD(1)) AFTER occupation,
    ADD COLUMN IF NOT EXISTS job_title              LowCardinality(String) CODEC(ZSTD(1)) AFTER employer_id,
    ADD COLUMN IF NOT EXISTS employed_since         Nullable(Date32) CODEC(ZSTD(1)) AFTER job_title,
    ADD COLUMN IF NOT EXISTS income_source          LowCardinality(String) CODEC(ZSTD(1)) AFTER monthly_income_currency,
    ADD COLUMN IF NOT EXISTS income_verified_on     Nullable(Date32) CODEC(ZSTD(1)) AFTER income_source,
    ADD COLUMN IF NOT EXISTS income_proof           LowCardinality(String) CODEC(ZSTD(1)) AFTER income_verified_on,
    ADD COLUMN IF NOT EXISTS interests              Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER income_proof,
    ADD COLUMN IF NOT EXISTS legal_form             LowCardinality(String) CODEC(ZSTD(1)) AFTER interests,
    ADD COLUMN IF NOT EXISTS preferred_channel      LowCardinality(String) CODEC(ZSTD(1)) AFTER customer_since,
    ADD COLUMN IF NOT EXISTS preferred_language     LowCardinality(String) CODEC(ZSTD(1)) AFTER preferred_channel,
    ADD COLUMN IF NOT EXISTS other_banks            Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER preferred_language,
    ADD COLUMN IF NOT EXISTS other_bank_products    Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER other_banks,
    ADD COLUMN IF NOT EXISTS attribute_values        Map(LowCardinality(String), String) CODEC(ZSTD(1)) AFTER other_bank_products,
    ADD COLUMN IF NOT EXISTS attribute_numbers      Map(LowCardinality(String), Decimal(38, 8)) CODEC(ZSTD(1)) AFTER attribute_values,
    ADD COLUMN IF NOT EXISTS attribute_options      Map(LowCardinality(String), Array(LowCardinality(String))) CODEC(ZSTD(1)) AFTER attribute_numbers;
