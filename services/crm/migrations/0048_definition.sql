-- +goose Up

-- What analysts define. A definition is never deleted: what was computed by it refers to it.
CREATE TABLE definition (
    definition_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source             text,
    external_id        text,
    name               text    NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    title              text    NOT NULL,
    description        text    NOT NULL,
    kind               text    NOT NULL CHECK (kind ~ '^[a-z][a-z_]*$'),
    spec               jsonb   NOT NULL, -- tandem.definition.v1.Spec
    spec_version       bigint  NOT NULL CHECK (spec_version >= 1), -- grows with changes of the spec only
    spec_at            timestamptz NOT NULL,
    spec_author        text    NOT NULL,
    change_note        text    NOT NULL,
    cron               text    NOT NULL, -- empty: it is not run by itself
    days_back          integer NOT NULL CHECK (days_back BETWEEN 0 AND 366),
    paused             boolean NOT NULL,
    owner              text    NOT NULL,
    reader_roles       text[],
    editor_roles       text[],
    state              text    NOT NULL CHECK (state IN ('active', 'archived')),
    version            bigint  NOT NULL DEFAULT 1,
    content_hash       bytea,
    import_id          uuid,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT definition_key UNIQUE (source, external_id),
    CONSTRAINT definition_name_key UNIQUE (name),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);

-- Every version of every spec, written once.
CREATE TABLE definition_version (
    definition_id bigint NOT NULL REFERENCES definition,
    spec_version  bigint NOT NULL CHECK (spec_version >= 1),
    spec          jsonb  NOT NULL,
    author        text   NOT NULL,
    change_note   text   NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (definition_id, spec_version)
);

-- +goose StatementBegin
CREATE FUNCTION definition_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a definition never changes' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER definition_version_stays BEFORE UPDATE OR DELETE ON definition_version
    FOR EACH ROW EXECUTE FUNCTION definition_version_stays();
