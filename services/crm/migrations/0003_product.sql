-- +goose Up

CREATE TABLE product (
    product_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text,
    external_id  text,
    code         text NOT NULL,
    name         text NOT NULL,
    family       text NOT NULL,
    currency     text NOT NULL,
    margin       numeric(14, 8),
    valid_from   date,
    valid_to     date,
    version      bigint NOT NULL DEFAULT 1,
    content_hash bytea,
    import_id    uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT product_key UNIQUE (source, external_id),
    CONSTRAINT product_code_key UNIQUE (code),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (valid_to >= valid_from)
);
