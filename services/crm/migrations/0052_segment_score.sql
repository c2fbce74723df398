-- +goose Up

-- What the runs of segments and scores say of a customer. As customer_rfm: computed by the analytical half, without a foreign
-- key, each with an insert-only history of what stood when. Only changes come, so a row tells of the run that last changed it.

-- Who left keeps the row: an earlier run that comes late must not bring them back.
CREATE TABLE customer_segment (
    customer_id        bigint      NOT NULL,
    segment            text        COLLATE "C" NOT NULL CHECK (segment ~ '^[a-z][a-z0-9_]{0,62}$'),
    member             boolean     NOT NULL,
    as_of              date        NOT NULL,
    run_id             uuid        NOT NULL,
    definition_version bigint      NOT NULL CHECK (definition_version >= 1),
    computed_at        timestamptz NOT NULL,
    applied_at         timestamptz NOT NULL,
    PRIMARY KEY (customer_id, segment)
);

-- Lists of a segment's members go by it; it is written only when somebody joins or leaves.
CREATE INDEX customer_segment_member ON customer_segment (segment, customer_id) WHERE member;

COMMENT ON TABLE customer_segment IS 'Membership by customer and segment; the later (as_of, computed_at) stands';

CREATE TABLE customer_segment_history (LIKE customer_segment, PRIMARY KEY (customer_id, segment, applied_at));

COMMENT ON TABLE customer_segment_history IS 'Insert-only: results of customer_segment by the moment from which they stood';

-- No value: the customer had one, and by a later run has none.
CREATE TABLE customer_score (
    customer_id        bigint           NOT NULL,
    score              text             COLLATE "C" NOT NULL CHECK (score ~ '^[a-z][a-z0-9_]{0,62}$'),
    value              double precision,
    grade              text             NOT NULL,
    as_of              date             NOT NULL,
    run_id             uuid             NOT NULL,
    definition_version bigint           NOT NULL CHECK (definition_version >= 1),
    model_version      bigint           NOT NULL CHECK (model_version >= 0),
    computed_at        timestamptz      NOT NULL,
    applied_at         timestamptz      NOT NULL,
    PRIMARY KEY (customer_id, score)
);

-- Lists ask for the few whose value is high, or low.
CREATE INDEX customer_score_value ON customer_score (score, value);

COMMENT ON TABLE customer_score IS 'Values by customer and score; the later (as_of, computed_at) stands';

CREATE TABLE customer_score_history (LIKE customer_score, PRIMARY KEY (customer_id, score, applied_at));

COMMENT ON TABLE customer_score_history IS 'Insert-only: results of customer_score by the moment from which they stood';
