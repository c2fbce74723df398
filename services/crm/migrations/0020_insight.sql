-- +goose Up

-- The customer's place in the newest RFM run. It is computed by the analytical half and can be made again there, so it
-- holds no foreign key: a result for an unknown customer is skipped by the room, not by a constraint.
CREATE TABLE customer_rfm (
    customer_id   bigint      PRIMARY KEY,
    as_of         date        NOT NULL,
    run_id        uuid        NOT NULL,
    cell          text        NOT NULL CHECK (cell ~ '^[0-9]{3}$'),
    recency_days  integer     NOT NULL CHECK (recency_days >= 0),
    frequency     bigint      NOT NULL CHECK (frequency >= 0),
    monetary      numeric     NOT NULL,
    base_currency text        NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    computed_at   timestamptz NOT NULL,
    applied_at    timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE customer_rfm IS 'RFM results by customer; the later (as_of, computed_at) stands';
