-- +goose Up

CREATE TABLE interaction (
    interaction_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source           text,
    external_id      text,
    customer_id      bigint NOT NULL REFERENCES customer,
    kind             text NOT NULL CHECK (kind IN ('meeting', 'call', 'message', 'branch_visit', 'application', 'complaint', 'request', 'campaign_contact')),
    channel          text NOT NULL DEFAULT '' CHECK (channel IN ('', 'branch', 'phone', 'email', 'mobile_app', 'web', 'sms', 'field')),
    opened_at        timestamptz NOT NULL,
    manager_id       bigint REFERENCES manager,
    account_id       bigint REFERENCES account,
    subject          text NOT NULL DEFAULT '',
    text             text NOT NULL DEFAULT '',
    outcome          text NOT NULL DEFAULT '',
    duration_seconds integer NOT NULL DEFAULT 0 CHECK (duration_seconds >= 0),
    topic            text NOT NULL DEFAULT '',
    priority         text NOT NULL DEFAULT '' CHECK (priority IN ('', 'low', 'normal', 'high')),
    first_answer_at  timestamptz CHECK (first_answer_at >= opened_at),
    resolved_at      timestamptz CHECK (resolved_at >= opened_at),
    due_at           timestamptz CHECK (due_at >= opened_at),
    satisfaction     integer NOT NULL DEFAULT 0 CHECK (satisfaction BETWEEN 0 AND 5), -- 0: not rated
    version          bigint NOT NULL DEFAULT 1,
    content_hash     bytea,
    import_id        uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT interaction_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    -- Only a complaint or a request is a case with a priority, an answer, a resolution and a day it is due; each has a priority.
    CHECK (CASE WHEN kind IN ('complaint', 'request') THEN priority <> ''
                ELSE priority = '' AND num_nonnulls(first_answer_at, resolved_at, due_at) = 0 END)
);

-- Both lists are read newest first, page by page: the bank's and one customer's. The id breaks ties, so a page ends at
-- one row and the next one begins right behind it.
CREATE INDEX interaction_newest ON interaction (opened_at DESC, interaction_id DESC);
CREATE INDEX interaction_customer ON interaction (customer_id, opened_at DESC, interaction_id DESC);
-- Open complaints are few among many interactions, and counted on every customer's screen.
CREATE INDEX interaction_open_complaint ON interaction (customer_id) WHERE kind = 'complaint' AND resolved_at IS NULL;
