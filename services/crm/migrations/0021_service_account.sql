-- +goose Up

-- Accounts of programs. Each signs its tokens itself; only public keys are here.
CREATE TABLE service_account (
    service_account_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source             text,
    external_id        text,
    name               text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,62}$'),
    description        text NOT NULL,
    roles              text[] NOT NULL CHECK (cardinality(roles) > 0),
    state              text NOT NULL CHECK (state IN ('active', 'disabled')),
    -- A handful for each account, always read and written with it: [{id, public_key, created, expires, revoked}].
    public_keys        jsonb NOT NULL CHECK (jsonb_typeof(public_keys) = 'array'),
    version            bigint NOT NULL DEFAULT 1,
    content_hash       bytea,
    import_id          uuid,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_account_key UNIQUE (source, external_id),
    CONSTRAINT service_account_name_key UNIQUE (name),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);
