-- +goose Up

-- Which transactions are known, for ever: idempotency does not end with the window of rows kept below. One narrow row a
-- transaction; the primary key answers "seen before?" in one look-up, across months. No foreign key to account: crm looks
-- the account up before, accounts are never deleted, and the check would lock and rewrite the account's row for each
-- movement on it.
CREATE TABLE transaction_key (
    source         text NOT NULL,
    external_id    text NOT NULL,
    transaction_id bigint GENERATED ALWAYS AS IDENTITY,
    account_id     bigint NOT NULL,
    business_date  date NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    content_hash   bytea NOT NULL,
    PRIMARY KEY (source, external_id)
);

-- The movements themselves, by month, so that old months leave by dropping a partition. crm makes the partitions.
CREATE TABLE transaction (
    transaction_id         bigint NOT NULL,
    source                 text NOT NULL,
    external_id            text NOT NULL,
    version                integer NOT NULL,
    account_id             bigint NOT NULL,
    business_date          date NOT NULL,
    direction              text NOT NULL CHECK (direction IN ('credit', 'debit')),
    kind                   text NOT NULL,
    amount                 numeric(24, 4) NOT NULL CHECK (amount >= 0),
    currency               text NOT NULL,
    base_amount            numeric(24, 4) NOT NULL CHECK (base_amount >= 0),
    rate_date              date NOT NULL,
    balance_after          numeric(24, 4),
    balance_after_currency text NOT NULL,
    purpose                text NOT NULL,
    counterparty_bank      text NOT NULL,
    counterparty_account   text NOT NULL,
    description            text NOT NULL,
    state                  text NOT NULL CHECK (state IN ('posted', 'reversed')),
    created_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (transaction_id, business_date)
) PARTITION BY RANGE (business_date);

-- An account's movements, newest first: the order of the list is the order of the index.
CREATE INDEX transaction_account ON transaction (account_id, business_date DESC, transaction_id DESC);
