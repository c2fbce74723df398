-- +goose Up

-- Which behaviour events are known, for ever: idempotency does not end with the window of rows kept below. Keys are kept as
-- 16 bytes of a hash, because there are many and nobody reads them.
CREATE TABLE behaviour_event_key (
    key_hash           uuid PRIMARY KEY,       -- of source and external id
    content_hash       bigint NOT NULL,
    behaviour_event_id bigint GENERATED ALWAYS AS IDENTITY
);

-- Who anonymous visitors turned out to be. The row is made with a visitor's first event: whoever records locks it against
-- whoever links, so that no event slips between.
CREATE TABLE visitor (
    visitor_id  text PRIMARY KEY,
    customer_id bigint REFERENCES customer, -- null: not known
    linked_at   timestamptz,
    CHECK (num_nulls(customer_id, linked_at) IN (0, 2))
);

-- The events, by month, so that old months leave by dropping a partition. crm makes the partitions. No foreign keys: crm
-- looks customers and products up before, and neither is ever deleted.
CREATE TABLE behaviour_event (
    behaviour_event_id bigint NOT NULL,
    occurred_at        timestamptz NOT NULL,
    source             text NOT NULL,
    external_id        text NOT NULL,
    customer_id        bigint,          -- null: a visitor who is not known
    visitor_id         text NOT NULL,
    kind               text NOT NULL,
    channel            text NOT NULL,
    device             text NOT NULL,
    page               text NOT NULL,
    campaign           text NOT NULL,
    product_id         bigint,
    duration_seconds   integer NOT NULL CHECK (duration_seconds >= 0),
    properties         jsonb NOT NULL,
    version            integer NOT NULL, -- 2: its visitor was linked
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (behaviour_event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- Lists are one customer's or one visitor's, newest first.
CREATE INDEX behaviour_event_customer ON behaviour_event (customer_id, occurred_at DESC, behaviour_event_id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX behaviour_event_visitor ON behaviour_event (visitor_id, occurred_at DESC, behaviour_event_id DESC) WHERE visitor_id <> '';
