-- +goose Up

-- The whole customer. What is asked about one by one stands in columns; what comes as a list stands beside it as a document,
-- because it is read and written only with its customer. Lists that are empty are null.
ALTER TABLE customer
    ADD COLUMN middle_name        text NOT NULL DEFAULT '',
    ADD COLUMN given_name_latin   text NOT NULL DEFAULT '',
    ADD COLUMN family_name_latin  text NOT NULL DEFAULT '',
    ADD COLUMN middle_name_latin  text NOT NULL DEFAULT '',
    ADD COLUMN citizenships       text[],
    ADD COLUMN tax_ids            jsonb,
    ADD COLUMN identity_documents jsonb,
    ADD COLUMN marital_status     text NOT NULL DEFAULT '',
    ADD COLUMN dependants         integer CHECK (dependants >= 0),
    ADD COLUMN education_level    text NOT NULL DEFAULT '',
    ADD COLUMN employer_name      text NOT NULL DEFAULT '',
    ADD COLUMN employer_id        bigint REFERENCES customer,
    ADD COLUMN position           text NOT NULL DEFAULT '',
    ADD COLUMN employed_since     date,
    ADD COLUMN income_source      text NOT NULL DEFAULT '',
    ADD COLUMN income_verified_on date,
    ADD COLUMN income_proof       text NOT NULL DEFAULT '',
    ADD COLUMN interests          text[],
    ADD COLUMN trade_names        text[],
    ADD COLUMN legal_form         text NOT NULL DEFAULT '',
    ADD COLUMN legal_name_latin   text NOT NULL DEFAULT '',
    ADD COLUMN contact_points     jsonb,
    ADD COLUMN preferred_channel  text NOT NULL DEFAULT '',
    ADD COLUMN preferred_language text NOT NULL DEFAULT '',
    ADD COLUMN other_banks        jsonb,
    ADD COLUMN state_reason       text NOT NULL DEFAULT '',
    ADD COLUMN state_since        date,
    ADD COLUMN state_note         text NOT NULL DEFAULT '';

-- A company's employees, and the check when a customer were deleted.
CREATE INDEX customer_employer ON customer (employer_id, customer_id) WHERE employer_id IS NOT NULL;

-- What customers are looked up by and have any number of: phones and e-mails of their contact points, tax ids, numbers of
-- documents, each in the one form in which it is compared. A table and not an index into the documents: ends and
-- beginnings are looked up too. Written with the customer and only when something of it changes; no foreign key, as in
-- customer_search.
CREATE TABLE customer_identifier (
    customer_id bigint NOT NULL,
    kind        text   NOT NULL CHECK (kind IN ('phone', 'email', 'tax_id', 'document')),
    value       text   NOT NULL CHECK (value <> ''),
    PRIMARY KEY (customer_id, kind, value)
);
CREATE INDEX customer_identifier_value ON customer_identifier (kind, value text_pattern_ops, customer_id);

-- Each change of a customer's state, with why, since when and by whom. Insert-only.
CREATE TABLE customer_state_change (
    change_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL,
    from_state   text   NOT NULL, -- empty: a new customer
    to_state     text   NOT NULL,
    transition   text   NOT NULL, -- empty: a new customer, or only the reason or day changed
    reason       text   NOT NULL,
    note         text   NOT NULL,
    effective_on date,
    changed_at   timestamptz NOT NULL DEFAULT now(),
    actor        text   NOT NULL
);
CREATE INDEX customer_state_change_customer ON customer_state_change (customer_id, change_id);
