-- +goose Up

CREATE TABLE contract (
    contract_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source               text,
    external_id          text,
    kind                 text NOT NULL CHECK (kind IN ('loan', 'standing_order', 'deposit')),
    state                text NOT NULL DEFAULT '' CHECK (state IN ('', 'running', 'in_arrears', 'finished', 'defaulted')),
    account_id           bigint REFERENCES account,
    product_id           bigint REFERENCES product,
    amount               numeric(24, 4) NOT NULL CHECK (amount >= 0),
    instalment           numeric(24, 4) CHECK (instalment >= 0), -- a month, in the same currency
    currency             text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    duration_months      integer NOT NULL DEFAULT 0 CHECK (duration_months BETWEEN 0 AND 1200), -- 0: open-ended
    opened               date,
    closed               date CHECK (closed IS NULL OR state NOT IN ('running', 'in_arrears')),
    purpose              text NOT NULL DEFAULT '',
    counterparty_bank    text NOT NULL DEFAULT '',
    counterparty_account text NOT NULL DEFAULT '',
    version              bigint NOT NULL DEFAULT 1,
    content_hash         bytea,
    import_id            uuid,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contract_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (closed >= opened)
);

-- An account's contracts are on its owner's screen and are listed by id, so the id ends the index and spares the sort.
CREATE INDEX contract_account ON contract (account_id, contract_id);
