-- +goose Up

-- Attributes of customers that the bank defines. Definitions are never deleted: values and history speak of them.
CREATE TABLE attribute_definition (
    attribute_definition_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text,
    external_id    text,
    name           text    NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    title          text    NOT NULL,
    description    text    NOT NULL,
    type           text    NOT NULL CHECK (type IN ('text', 'integer', 'decimal', 'boolean', 'date', 'option', 'options', 'money')),
    applies_to     text    NOT NULL CHECK (applies_to IN ('', 'individual', 'organisation')),
    allowed_values text[],
    required       boolean NOT NULL,
    searchable     boolean NOT NULL,
    personal       boolean NOT NULL,
    minimum        text    NOT NULL,
    maximum        text    NOT NULL,
    pattern        text    NOT NULL,
    retired        boolean NOT NULL,
    version        bigint  NOT NULL DEFAULT 1,
    content_hash   bytea,
    import_id      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attribute_definition_key UNIQUE (source, external_id),
    CONSTRAINT attribute_definition_name_key UNIQUE (name),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);

-- Values by name, each under the name of its type: {"segment": {"option": "gold"}}. So a value says what it is, in the audit
-- and in history too. Indexes for searchable attributes come with their definitions.
ALTER TABLE customer ADD COLUMN attributes jsonb;
