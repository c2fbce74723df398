-- +goose Up

-- Every result that ever stood in customer_rfm, so that the screen of a past day shows what it showed then, and the trend
-- is seen. One narrow row for each customer and run, and no index but the one that every question goes by.
CREATE TABLE customer_rfm_history (
    customer_id   bigint      NOT NULL,
    applied_at    timestamptz NOT NULL, -- when it came to stand
    as_of         date        NOT NULL,
    run_id        uuid        NOT NULL,
    cell          text        NOT NULL,
    recency_days  integer     NOT NULL,
    frequency     bigint      NOT NULL,
    monetary      numeric     NOT NULL,
    base_currency text        NOT NULL,
    computed_at   timestamptz NOT NULL,
    PRIMARY KEY (customer_id, applied_at)
);

COMMENT ON TABLE customer_rfm_history IS 'Insert-only: results of customer_rfm by the moment from which they stood';

INSERT INTO customer_rfm_history (customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at)
SELECT customer_id, applied_at, as_of, run_id, cell, recency_days, frequency, monetary, base_currency, computed_at FROM customer_rfm;
