-- Who else took part in an interaction, what it belongs to, and what the service level promised. See 00005_interaction.sql.
--
-- Participants are three arrays of one length, so that ARRAY JOIN gives a row for each: customer or manager is 0 in turn.
-- Columns are only added; rows written before have the defaults.

-- +goose Up
ALTER TABLE interaction
    ADD COLUMN IF NOT EXISTS participant_customer_ids Array(UInt64) CODEC(ZSTD(1)) AFTER satisfaction,
    ADD COLUMN IF NOT EXISTS participant_manager_ids Array(UInt64) CODEC(ZSTD(1)) AFTER participant_customer_ids,
    ADD COLUMN IF NOT EXISTS participant_roles Array(LowCardinality(String)) CODEC(ZSTD(1)) AFTER participant_manager_ids,
    ADD COLUMN IF NOT EXISTS contract_id UInt64 CODEC(T64, ZSTD(1)) AFTER participant_roles,
    ADD COLUMN IF NOT EXISTS card_id UInt64 CODEC(T64, ZSTD(1)) AFTER contract_id,
    ADD COLUMN IF NOT EXISTS campaign LowCardinality(String) CODEC(ZSTD(1)) AFTER card_id,
    ADD COLUMN IF NOT EXISTS class LowCardinality(String) CODEC(ZSTD(1)) AFTER campaign,
    ADD COLUMN IF NOT EXISTS first_answer_due_time Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER class,
    ADD COLUMN IF NOT EXISTS service_level_id UInt64 CODEC(T64, ZSTD(1)) AFTER first_answer_due_time,
    ADD COLUMN IF NOT EXISTS reopened_count UInt32 CODEC(T64, ZSTD(1)) AFTER service_level_id,
    ADD COLUMN IF NOT EXISTS reopened_time Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER reopened_count,
    ADD COLUMN IF NOT EXISTS rated_time Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD(1)) AFTER reopened_time,
    -- As it was at change_time. Whether a case is late now, the times tell.
    ADD COLUMN IF NOT EXISTS breached UInt8 CODEC(ZSTD(1)) AFTER rated_time;
