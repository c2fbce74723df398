-- How far the stream of changes has been followed.
--
-- One row per stream, replaced with each batch, written after the rows of the batch and before its acknowledgement. It
-- is the proof that this database holds what the durable consumer in NATS believes was delivered: when it is missing or
-- behind the consumer, the database was emptied or restored from a copy, and the stream is replayed.

-- +goose Up
CREATE TABLE IF NOT EXISTS ingest_position
(
    stream             String,
    -- Identity of the stream: a stream that was made anew counts its sequences from 1 again.
    stream_created     DateTime64(9, 'UTC'),
    -- Highest sequence of any batch that is in the tables; later ones are not.
    stream_sequence    UInt64,
    -- Change time of the newest change among them; 1970-01-01 before the first.
    newest_change_time DateTime64(6, 'UTC'),
    updated_time       DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_time)
ORDER BY stream
COMMENT 'Position of ingestion in each stream';
