-- +goose Up

-- What a customer is worth by the newest run of lifetime value. As customer_rfm: computed by the analytical half, without a
-- foreign key; the history is insert-only and shows what stood at a moment.
CREATE TABLE customer_clv (
    customer_id     bigint           PRIMARY KEY,
    as_of           date             NOT NULL,
    run_id          uuid             NOT NULL,
    historic        numeric          NOT NULL,
    predictive      numeric,
    predictive_low  numeric,
    predictive_high numeric,
    previous        numeric,
    p_alive         double precision CHECK (p_alive BETWEEN 0 AND 1),
    expected        double precision CHECK (expected >= 0),
    rank            bigint           NOT NULL CHECK (rank >= 1),
    customers       bigint           NOT NULL CHECK (customers >= rank),
    horizon_days    integer          NOT NULL,
    base_currency   text             NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    computed_at     timestamptz      NOT NULL,
    applied_at      timestamptz      NOT NULL DEFAULT now()
);

COMMENT ON TABLE customer_clv IS 'Lifetime value by customer; the later (as_of, computed_at) stands';

CREATE TABLE customer_clv_history (LIKE customer_clv, PRIMARY KEY (customer_id, applied_at));

COMMENT ON TABLE customer_clv_history IS 'Insert-only: results of customer_clv by the moment from which they stood';

-- Segments have names that analysts give; results from before they did have none.
ALTER TABLE customer_rfm ADD COLUMN segment text NOT NULL DEFAULT '';
ALTER TABLE customer_rfm_history ADD COLUMN segment text NOT NULL DEFAULT '';
