-- +goose Up

-- What the bank promises for complaints and requests. An empty class, kind or priority stands for every one.
CREATE TABLE service_level (
    service_level_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source             text,
    external_id        text,
    name               text NOT NULL,
    class              text NOT NULL CHECK (class ~ '^([a-z][a-z0-9_]*)?$'),
    kind               text NOT NULL CHECK (kind IN ('', 'complaint', 'request')),
    priority           text NOT NULL CHECK (priority IN ('', 'low', 'normal', 'high')),
    first_answer_hours integer NOT NULL CHECK (first_answer_hours BETWEEN 0 AND 10000), -- 0: nothing is promised
    resolution_hours   integer NOT NULL CHECK (resolution_hours BETWEEN 0 AND 10000),
    calendar           text NOT NULL CHECK (calendar IN ('business_hours', 'around_the_clock')),
    version            bigint NOT NULL DEFAULT 1,
    content_hash       bytea,
    import_id          uuid,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_level_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    -- One promise for one sort of case: two would contradict each other.
    CONSTRAINT service_level_class_key UNIQUE (class, kind, priority)
);

ALTER TABLE interaction
    ADD COLUMN participants        jsonb NOT NULL DEFAULT '[]', -- [{customer_id, manager_id, name, role}]
    ADD COLUMN contract_id         bigint REFERENCES contract,
    ADD COLUMN card_id             bigint REFERENCES card,
    ADD COLUMN campaign            text NOT NULL DEFAULT '',
    ADD COLUMN place               text NOT NULL DEFAULT '',
    ADD COLUMN latitude            double precision,
    ADD COLUMN longitude           double precision,
    ADD COLUMN documents           jsonb NOT NULL DEFAULT '[]', -- references in the bank's archive
    ADD COLUMN class               text NOT NULL DEFAULT '',
    ADD COLUMN service_level_id    bigint REFERENCES service_level, -- whence the due times come; null: they were given, or none fits
    ADD COLUMN first_answer_due_at timestamptz CHECK (first_answer_due_at >= opened_at),
    ADD COLUMN reopened_count      integer NOT NULL DEFAULT 0 CHECK (reopened_count >= 0),
    ADD COLUMN reopened_at         timestamptz,
    ADD COLUMN rated_at            timestamptz,
    DROP CONSTRAINT interaction_kind_check,
    DROP CONSTRAINT interaction_channel_check,
    ADD CONSTRAINT interaction_kind_check CHECK (kind IN ('meeting', 'call', 'message', 'branch_visit', 'application', 'complaint',
        'request', 'campaign_contact', 'site_visit', 'contract_signed')),
    ADD CONSTRAINT interaction_channel_check CHECK (channel IN ('', 'branch', 'phone', 'email', 'mobile_app', 'web', 'sms', 'field',
        'post', 'chat', 'video', 'terminal', 'partner', 'social', 'other')),
    -- What belongs to a case stands on a case only.
    ADD CONSTRAINT interaction_case_check CHECK (kind IN ('complaint', 'request')
        OR (class = '' AND reopened_count = 0 AND num_nonnulls(first_answer_due_at, service_level_id, reopened_at) = 0));

-- Who else took part, in the order in which lists read it: a customer's own interactions and those in which he only took
-- part are two short walks by index. opened_at of an interaction never changes. Rows exist only for interactions with
-- participants, so that the others cost no more than before. The list with roles and names is in the interaction itself.
CREATE TABLE interaction_participant (
    party          text NOT NULL CHECK (party IN ('customer', 'manager')),
    party_id       bigint NOT NULL,
    opened_at      timestamptz NOT NULL,
    interaction_id bigint NOT NULL REFERENCES interaction ON DELETE CASCADE,
    PRIMARY KEY (party, party_id, opened_at, interaction_id)
);
-- By it the rows of an interaction whose participants change are found.
CREATE INDEX interaction_participant_interaction ON interaction_participant (interaction_id);

-- An employee's interactions, newest first.
CREATE INDEX interaction_manager ON interaction (manager_id, opened_at DESC, interaction_id DESC) WHERE manager_id IS NOT NULL;
