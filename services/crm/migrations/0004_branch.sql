-- +goose Up

-- Where and by whom customers are served: some hundreds of rows each, listed by id and looked up by key, so the primary
-- and the external key are all the indexes they need. Nothing is ever deleted, so no foreign key needs one either.

CREATE TABLE region (
    region_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text,
    external_id    text,
    name           text NOT NULL CHECK (name <> ''),
    parent_name    text NOT NULL DEFAULT '',
    latitude       double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude      double precision CHECK (longitude BETWEEN -180 AND 180),
    population     bigint CHECK (population >= 0),
    average_salary numeric(19, 4) CHECK (average_salary >= 0), -- a month, in base currency
    indicators     jsonb NOT NULL DEFAULT '{}',                -- further published figures by name
    version        bigint NOT NULL DEFAULT 1,
    content_hash   bytea,
    import_id      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT region_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (num_nulls(latitude, longitude) IN (0, 2))
);

CREATE TABLE branch (
    branch_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text,
    external_id  text,
    name         text NOT NULL CHECK (name <> ''),
    region_id    bigint REFERENCES region,
    latitude     double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude    double precision CHECK (longitude BETWEEN -180 AND 180),
    version      bigint NOT NULL DEFAULT 1,
    content_hash bytea,
    import_id    uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT branch_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (num_nulls(latitude, longitude) IN (0, 2))
);

CREATE TABLE manager (
    manager_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text,
    external_id  text,
    name         text NOT NULL CHECK (name <> ''),
    branch_id    bigint REFERENCES branch,
    version      bigint NOT NULL DEFAULT 1,
    content_hash bytea,
    import_id    uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT manager_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);
