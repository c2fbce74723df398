-- The copy of the hashes of crm's audit chain: outside the database whose owner could rewrite it there.
--
-- The one table of changes whose key is more than the record's identity: with (audit_block_id) alone, a block that was
-- sealed anew under the same number would take the place of the first copy, and with it the proof. Key: number, then
-- hash, so that both stay; the comparison reads in this order. A repeated message is equal in all columns and merges.

-- +goose Up
CREATE TABLE IF NOT EXISTS audit_block
(
    audit_block_id UInt64 CODEC(Delta, ZSTD(1)),
    -- SHA-256 as 64 hexadecimal digits: whoever compares by hand can read it.
    hash           String CODEC(ZSTD(1)),
    previous_hash  String CODEC(ZSTD(1)),
    entries        UInt64 CODEC(T64, ZSTD(1)),
    first_entry_id UInt64 CODEC(Delta, ZSTD(1)),
    last_entry_id  UInt64 CODEC(Delta, ZSTD(1)),
    sealed_time    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    version        UInt64 CODEC(T64, ZSTD(1)),
    deleted        UInt8 CODEC(ZSTD(1)),
    change_time    DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (audit_block_id, hash)
COMMENT 'Copies of the hashes of the audit chain';
