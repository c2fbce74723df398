-- +goose Up

-- What the bank plans. Figures come by imports; each that changes one makes a version.
CREATE TABLE plan (
    plan_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text   NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    title        text   NOT NULL,
    plan_version bigint NOT NULL DEFAULT 0,
    version      bigint NOT NULL DEFAULT 0, -- of the events: a large import leaves several
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT plan_name_key UNIQUE (name)
);

-- What each import did, also to answer it again.
CREATE TABLE plan_version (
    plan_id      bigint NOT NULL REFERENCES plan,
    plan_version bigint NOT NULL CHECK (plan_version >= 1),
    author       text   NOT NULL,
    note         text   NOT NULL,
    import_id    uuid,
    changed      bigint NOT NULL,
    answer       bytea  NOT NULL, -- ImportPlanResponse
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, plan_version),
    UNIQUE (plan_id, import_id)
);

-- Every version of every figure. The key is the order of lists; the versions of a figure lie together.
CREATE TABLE plan_value (
    plan_id      bigint NOT NULL REFERENCES plan,
    indicator    text   NOT NULL,
    unit_kind    text   NOT NULL CHECK (unit_kind IN ('bank', 'region', 'branch', 'manager', 'customer', 'segment', 'sector', 'campaign')),
    unit_id      bigint NOT NULL, -- 0 where a name says which
    unit_name    text   NOT NULL,
    period       text   NOT NULL CHECK (period IN ('month', 'quarter', 'year')),
    period_start date   NOT NULL,
    currency     text   NOT NULL,
    plan_version bigint NOT NULL,
    amount       numeric(38, 4) NOT NULL,
    volume       numeric(38, 8),
    price        numeric(38, 8),
    withdrawn    boolean NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- Whom a figure is about, by which those see it who see the customer.
    customer_id  bigint GENERATED ALWAYS AS (CASE WHEN unit_kind = 'customer' THEN unit_id END) STORED,
    PRIMARY KEY (plan_id, indicator, unit_kind, unit_id, unit_name, period, period_start, currency, plan_version)
);
