-- +goose Up

-- The single customer base. customer_id is the customer number. Columns of the other kind of party stay empty.
CREATE TABLE customer (
    customer_id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source                   text,
    external_id              text,
    kind                     text NOT NULL CHECK (kind IN ('individual', 'organisation')),
    state                    text NOT NULL CHECK (state IN ('prospect', 'active', 'former')),
    region_id                bigint REFERENCES region,
    branch_id                bigint REFERENCES branch,
    manager_id               bigint REFERENCES manager,
    phone                    text NOT NULL,
    email                    text NOT NULL,
    customer_since           date,
    given_name               text NOT NULL,
    family_name              text NOT NULL,
    birth_date               date,
    sex                      text NOT NULL CHECK (sex IN ('', 'female', 'male')),
    occupation               text NOT NULL,
    monthly_income           numeric(24, 4) CHECK (monthly_income >= 0),
    monthly_income_currency  text NOT NULL,
    legal_name               text NOT NULL,
    registration_number      text NOT NULL,
    industry_nace            text NOT NULL,
    employees                integer,
    annual_turnover          numeric(24, 4),
    annual_turnover_currency text NOT NULL,
    founded                  date,
    version                  bigint NOT NULL DEFAULT 1,
    content_hash             bytea,
    import_id                uuid,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customer_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (kind = 'individual' OR legal_name <> '')
);

-- A manager's and a branch's own customers are the lists that people open most.
CREATE INDEX customer_manager ON customer (manager_id, customer_id);
CREATE INDEX customer_branch ON customer (branch_id, customer_id);
CREATE INDEX customer_region ON customer (region_id, customer_id);
-- Exact look-up by what people say on the phone.
CREATE INDEX customer_phone ON customer (phone) WHERE phone <> '';
CREATE INDEX customer_email ON customer (lower(email)) WHERE email <> '';
CREATE INDEX customer_family_name ON customer (lower(family_name), lower(given_name)) WHERE family_name <> '';
