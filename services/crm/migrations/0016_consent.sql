-- +goose Up

-- What customers allow the bank to do. A row is a grant with its withdrawal, or a withdrawal alone. What holds at a time
-- is worked out from the rows, never stored: the rule is in the room, and it answers for the past as for now.
CREATE TABLE consent (
    consent_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text,
    external_id       text,
    customer_id       bigint NOT NULL REFERENCES customer,
    purpose           text NOT NULL CHECK (purpose ~ '^[a-z][a-z0-9_]*$'), -- a code of the bank's own
    channel           text NOT NULL CHECK (channel IN ('any', 'phone', 'sms', 'email', 'mobile_app', 'web', 'post', 'messenger', 'personal')),
    granted_at        timestamptz, -- null: a withdrawal alone
    expires_at        timestamptz CHECK (expires_at > granted_at), -- null: no end
    text_version      text NOT NULL DEFAULT '',
    proof             text NOT NULL DEFAULT '',
    granted_how       text NOT NULL DEFAULT '',
    withdrawn_at      timestamptz CHECK (withdrawn_at >= granted_at), -- null: not withdrawn
    withdrawn_how     text NOT NULL DEFAULT '',
    withdrawal_reason text NOT NULL DEFAULT '',
    withdrawal_proof  text NOT NULL DEFAULT '',
    version           bigint NOT NULL DEFAULT 1,
    content_hash      bytea,
    import_id         uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consent_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (num_nonnulls(granted_at, withdrawn_at) > 0),
    -- What describes a decision stands only beside its time.
    CHECK (granted_at IS NOT NULL OR (expires_at IS NULL AND text_version = '' AND proof = '' AND granted_how = '')),
    CHECK (withdrawn_at IS NOT NULL OR (withdrawn_how = '' AND withdrawal_reason = '' AND withdrawal_proof = ''))
);

-- Every check reads one customer's rows, a dozen or so; lists show them by id, so the id ends the index and spares the sort.
CREATE INDEX consent_customer ON consent (customer_id, consent_id);
