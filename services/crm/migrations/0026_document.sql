-- +goose Up

-- Documents of customers: their texts. The originals lie in the bank's archive.
CREATE TABLE document (
    document_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text,
    external_id    text,
    customer_id    bigint NOT NULL REFERENCES customer,
    kind           text NOT NULL CHECK (kind IN ('contract', 'application', 'statement', 'complaint_letter', 'identity_copy',
        'correspondence', 'consent_form', 'income_proof', 'power_of_attorney', 'register_extract', 'note', 'other')),
    title          text NOT NULL,
    language       text NOT NULL, -- BCP 47; '' when unknown
    text           text NOT NULL, -- long ones lie beside the row: lists don't show them, and don't read them
    text_bytes     integer NOT NULL CHECK (text_bytes = octet_length(text)),
    media_type     text NOT NULL,
    original_uri   text NOT NULL,
    document_at    timestamptz, -- null: unknown
    account_id     bigint REFERENCES account,
    contract_id    bigint REFERENCES contract,
    interaction_id bigint REFERENCES interaction,
    version        bigint NOT NULL DEFAULT 1,
    content_hash   bytea,
    import_id      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT document_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);

-- Lists show one customer's rows by id, so the id ends the index and spares the sort.
CREATE INDEX document_customer ON document (customer_id, document_id);
-- What belongs to an account, a contract or a contact; most documents belong to none.
CREATE INDEX document_account ON document (account_id, document_id) WHERE account_id IS NOT NULL;
CREATE INDEX document_contract ON document (contract_id, document_id) WHERE contract_id IS NOT NULL;
CREATE INDEX document_interaction ON document (interaction_id, document_id) WHERE interaction_id IS NOT NULL;
-- Lists of customers ask who has a document of a rare kind.
CREATE INDEX document_kind ON document (kind);
