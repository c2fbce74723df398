-- +goose Up

-- Lets the exclusion constraint below compare an account's id beside a range of days.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE account (
    account_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source              text,
    external_id         text,
    number              text NOT NULL DEFAULT '', -- an IBAN without spaces, or a local number
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    product_id          bigint REFERENCES product,
    region_id           bigint REFERENCES region,
    branch_id           bigint REFERENCES branch,
    state               text NOT NULL CHECK (state IN ('open', 'blocked', 'closed')),
    statement_frequency text NOT NULL DEFAULT '' CHECK (statement_frequency IN ('', 'monthly', 'weekly', 'per_transaction')),
    opened              date,
    closed              date CHECK (closed IS NULL OR state = 'closed'),
    -- Written with the transactions, not with the account: they are no change of its version.
    ledger_balance      numeric(24, 4),
    balance_date        date,
    version             bigint NOT NULL DEFAULT 1,
    content_hash        bytea,
    import_id           uuid,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (closed >= opened),
    CHECK (num_nulls(ledger_balance, balance_date) IN (0, 2))
);

-- A customer at the counter names the account by its number. Not unique: two core systems may use the same local number.
CREATE INDEX account_number ON account (number);

CREATE TABLE account_holder (
    account_holder_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text,
    external_id       text,
    account_id        bigint NOT NULL REFERENCES account,
    customer_id       bigint NOT NULL REFERENCES customer,
    role              text NOT NULL CHECK (role IN ('owner', 'co_owner', 'authorised_user')),
    valid_from        date, -- null: since ever
    valid_to          date, -- null: for ever
    version           bigint NOT NULL DEFAULT 1,
    content_hash      bytea,
    import_id         uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_holder_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (valid_to >= valid_from),
    -- One owner of an account at a time. Checked when a batch is written, so that it can end an owner's time and begin the
    -- next one's.
    CONSTRAINT account_holder_role_excl EXCLUDE USING gist (account_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
        WHERE (role = 'owner') DEFERRABLE INITIALLY DEFERRED
);

-- Who holds this account, what does this customer hold: both are asked on every customer's screen, and listed by id, so
-- the id ends the index and spares the sort.
CREATE INDEX account_holder_account ON account_holder (account_id, account_holder_id);
CREATE INDEX account_holder_customer ON account_holder (customer_id, account_holder_id);
