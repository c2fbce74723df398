-- +goose Up

-- Every change of the operational half leaves one row here, in the transaction that makes it. The relay reads the
-- inserts from the write-ahead log in commit order; the table itself is read only when the replication slot was lost.
CREATE TABLE outbox (
    outbox_id  bigint      GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The writing transaction. outbox_id is no commit order and neither is created_at; but when every transaction below
    -- some number has ended, no row below it can appear any more. That is the watermark of outbox_relay.
    xact_id    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    event_id   uuid        NOT NULL,
    entity     text        NOT NULL CHECK (entity ~ '^[a-z][a-z0-9_]*$'), -- becomes a part of a NATS subject
    entity_id  bigint      NOT NULL,
    version    bigint      NOT NULL CHECK (version > 0),
    deleted    boolean     NOT NULL,
    payload    bytea       NOT NULL CHECK (octet_length(payload) > 0), -- tandem.events.v1.Change
    PRIMARY KEY (created_at, outbox_id)
) PARTITION BY RANGE (created_at);

COMMENT ON TABLE outbox IS 'Changes for the event stream: insert-only, one partition per day (UTC), dropped by partition';

-- Payloads are read once, from the log: compressing them would cost the writer more than it saves.
ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTERNAL;

-- A row whose day has no partition must not break a customer's transaction. It lands here, and the maintenance of the
-- service turns this partition into an ordinary one as soon as it runs again.
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;

-- +goose StatementBegin
CREATE FUNCTION outbox_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'outbox is insert-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER outbox_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuse();

-- Only what a message needs travels to the relay.
CREATE PUBLICATION tandem_outbox FOR TABLE outbox (event_id, entity, deleted, payload)
    WITH (publish = 'insert', publish_via_partition_root = true);

-- How far a relay's slot has come, kept outside the slot so that it survives the slot's loss.
CREATE TABLE outbox_relay (
    slot_name         text        PRIMARY KEY,
    -- The cluster whose transaction numbers published_before counts; another one means: restored, replay everything.
    system_identifier bigint      NOT NULL,
    -- Every outbox row of a transaction below this one is published; null when nothing is known.
    published_before  xid8,
    -- Set before a slot is made, cleared when the rows that the new slot will not see have been published.
    needs_replay      boolean     NOT NULL DEFAULT true,
    updated_at        timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE outbox_relay IS 'Position of the relay by replication slot; written by the process that holds the slot';
