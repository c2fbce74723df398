-- +goose Up

-- Who did what to which record, when and from where: one row for each change and for each read of customers' sensitive
-- fields. Insert-only, by month. Nothing here is ever dropped by Tandem itself.
CREATE TABLE audit_entry (
    entry_id     bigint      GENERATED ALWAYS AS IDENTITY,
    at           timestamptz NOT NULL DEFAULT now(),
    -- The writing transaction. Neither entry_id nor at is the order of commits; but once every transaction below some
    -- number has ended, no row below it can appear any more. Up to there the entries can be sealed, in the order
    -- (xact_id, entry_id), which no later commit disturbs.
    xact_id      xid8        NOT NULL DEFAULT pg_current_xact_id(),
    actor        text        NOT NULL CHECK (actor <> ''),
    peer         text        NOT NULL,
    method       text        NOT NULL,
    request_id   text        NOT NULL,
    trace_id     text        NOT NULL,
    action       text        NOT NULL CHECK (action IN ('create', 'update', 'delete', 'read')),
    entity       text        NOT NULL,
    entity_id    bigint      NOT NULL,
    version      bigint      NOT NULL,
    customer_id  bigint,   -- whom the record is about
    customer_ids bigint[],  -- whom the answer to a list showed
    -- json and not jsonb: the hash is over the text as it was written.
    before       json,
    after        json,
    -- The order of sealing. Also the way to find entries again when a block is verified.
    PRIMARY KEY (xact_id, entry_id, at)
) PARTITION BY RANGE (at);

COMMENT ON TABLE audit_entry IS 'Changes and reads, insert-only, one partition per month (UTC), sealed in audit_block';

-- Lists are newest first: by time, by customer, by actor, by record. A customer's own record is found by customer_id.
CREATE INDEX audit_entry_at ON audit_entry (at, entry_id);
CREATE INDEX audit_entry_customer ON audit_entry (customer_id, at, entry_id) WHERE customer_id IS NOT NULL;
CREATE INDEX audit_entry_shown ON audit_entry USING gin (customer_ids) WHERE customer_ids IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (actor, at, entry_id);
CREATE INDEX audit_entry_record ON audit_entry (entity, entity_id, at, entry_id) WHERE entity <> 'customer';

-- A row whose month has no partition must not break a customer's transaction; it lands here, and is sealed like others.
CREATE TABLE audit_entry_default PARTITION OF audit_entry DEFAULT;

-- The chain. A block seals the entries after the block before, up to its last one. It keeps the hash of
-- each, so that verification names the entry and not only the block.
CREATE TABLE audit_block (
    number         bigint      PRIMARY KEY CHECK (number > 0),
    first_xact_id  xid8        NOT NULL,
    first_entry_id bigint      NOT NULL,
    last_xact_id   xid8        NOT NULL,
    last_entry_id  bigint      NOT NULL,
    entries        integer     NOT NULL CHECK (entries > 0),
    -- Place and hash of each entry, in the order of sealing.
    xact_ids       bigint[]    NOT NULL CHECK (cardinality(xact_ids) = entries),
    entry_ids      bigint[]    NOT NULL CHECK (cardinality(entry_ids) = entries),
    entry_hashes   bytea       NOT NULL CHECK (octet_length(entry_hashes) = 32 * entries),
    previous_hash  bytea       NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash           bytea       NOT NULL CHECK (octet_length(hash) = 32),
    sealed_at      timestamptz NOT NULL
);

COMMENT ON TABLE audit_block IS 'Hash chain over audit_entry, insert-only; every hash also travels to analytics as an event';

-- Hashes do not compress.
ALTER TABLE audit_block ALTER COLUMN entry_hashes SET STORAGE EXTERNAL;

-- +goose StatementBegin
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

-- For each row, because only such triggers come down to the partitions: a statement on a partition is refused too.
CREATE TRIGGER audit_entry_insert_only BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry_default FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_block_insert_only BEFORE UPDATE OR DELETE ON audit_block FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_block_no_truncate BEFORE TRUNCATE ON audit_block FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Makes the partition of the month that holds a moment, unless it is there. Attaching locks out nobody who writes to
-- other partitions, which CREATE TABLE … PARTITION OF would.
-- +goose StatementBegin
CREATE FUNCTION audit_month(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    name  text := 'audit_entry_' || to_char(first, 'YYYYMM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_month', 0));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE audit_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE)', name);
    EXECUTE format('ALTER TABLE audit_entry ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', name);
END
$$;
-- +goose StatementEnd

SELECT audit_month(now()), audit_month(now() + interval '1 month');
