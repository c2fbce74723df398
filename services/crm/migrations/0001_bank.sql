-- +goose Up

-- The bank itself: what can't change once there is data. One row; crm refuses to start with another configuration.
CREATE TABLE bank (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    base_currency text NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    time_zone     text NOT NULL
);

-- Answers of calls with a request id, kept for a week: a repeated call gets the first answer again.
CREATE TABLE request (
    request_id uuid PRIMARY KEY,
    input_hash bytea NOT NULL,
    answer     bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX request_created_at ON request (created_at);
