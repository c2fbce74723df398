-- +goose Up

-- Who is related to whom: other is the <type> of customer. A relation is stored once and found from both sides.
CREATE TABLE relation (
    relation_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text,
    external_id       text,
    customer_id       bigint NOT NULL REFERENCES customer,
    type              text NOT NULL CHECK (type IN ('spouse', 'child', 'sibling', 'relative', 'guardian', 'acquaintance', 'guarantor',
        'employer', 'director', 'shareholder', 'parent_company', 'beneficial_owner', 'contact_person', 'representative', 'business_partner')),
    other_customer_id bigint REFERENCES customer, -- null: somebody who is no customer, known by name
    other_name        text NOT NULL,
    other_birth_date  date,
    valid_from        date, -- null: since ever
    valid_to          date, -- null: for ever
    end_reason        text NOT NULL CHECK (end_reason = '' OR valid_to IS NOT NULL),
    weight            numeric(7, 6) CHECK (weight BETWEEN 0 AND 1),
    formality         text NOT NULL CHECK (formality IN ('formal', 'informal')),
    share             numeric(9, 8) CHECK (share IS NULL OR (share BETWEEN 0 AND 1 AND type = 'shareholder')),
    position          text NOT NULL CHECK (position = '' OR type IN ('contact_person', 'director', 'employer')),
    decision_power    text NOT NULL CHECK (decision_power = '' OR type = 'contact_person'),
    note              text NOT NULL,
    version           bigint NOT NULL DEFAULT 1,
    content_hash      bytea,
    import_id         uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT relation_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (valid_to >= valid_from),
    CHECK (other_customer_id <> customer_id),
    CHECK ((other_customer_id IS NULL) = (other_name <> '')),
    CHECK (other_birth_date IS NULL OR other_name <> ''),
    -- The same two are related in one way once at a time; a symmetric type is the same read from either side. Checked when
    -- a batch is written, so that it can end one time and begin the next.
    CONSTRAINT relation_other_customer_id_excl EXCLUDE USING gist (
        type WITH =,
        (CASE WHEN type IN ('spouse', 'sibling', 'relative', 'acquaintance', 'business_partner')
            THEN least(customer_id, other_customer_id) ELSE customer_id END) WITH =,
        (CASE WHEN type IN ('spouse', 'sibling', 'relative', 'acquaintance', 'business_partner')
            THEN greatest(customer_id, other_customer_id) ELSE other_customer_id END) WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&
    ) WHERE (other_customer_id IS NOT NULL) DEFERRABLE INITIALLY DEFERRED,
    -- The same for those who are no customers, as far as name and birth date tell them apart.
    CONSTRAINT relation_other_name_excl EXCLUDE USING gist (
        customer_id WITH =,
        type WITH =,
        lower(other_name) WITH =,
        coalesce(other_birth_date, '0001-01-01') WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&
    ) WHERE (other_customer_id IS NULL) DEFERRABLE INITIALLY DEFERRED
);

-- Both sides of a walk, in the order in which a limit cuts it off. The included columns are all that a step asks for, so
-- that the many relations of a large employer are passed over without reading the table.
CREATE INDEX relation_customer ON relation (customer_id, relation_id) INCLUDE (type, other_customer_id, valid_from, valid_to);
CREATE INDEX relation_other_customer ON relation (other_customer_id, relation_id) INCLUDE (type, customer_id, valid_from, valid_to)
    WHERE other_customer_id IS NOT NULL;
