-- +goose Up

-- What core systems stated about accounts, by day, and what is left of months whose transactions were dropped. Balances of
-- other days are not stored a second time: they are read off the running balances of the transactions, newest first by the
-- account's index, so corrections, reversals and late transactions are in the history at once, and an import of transactions
-- writes no more than before.
CREATE TABLE account_balance_day (
    account_id    bigint  NOT NULL, -- crm checks it, as for transactions
    business_date date    NOT NULL,
    settled       numeric(24, 4), -- running balance after the day's last transaction, once its month is dropped
    stated        numeric(24, 4),
    available     numeric(24, 4),
    stated_at     timestamptz,
    closing       boolean NOT NULL DEFAULT false, -- stated after the day
    PRIMARY KEY (account_id, business_date),
    CHECK (num_nonnulls(settled, stated) > 0),
    CHECK (num_nulls(stated, stated_at) IN (0, 2))
);

-- Which months of transactions are kept: from kept_from on. Earlier ones take nothing in any more.
CREATE TABLE transaction_window (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kept_from date NOT NULL CHECK (extract(day FROM kept_from) = 1)
);

-- Months on their way out: closed at first, so that no transaction of the database writes to them any more, and dropped when
-- the relay has published what those before did.
CREATE TABLE transaction_closed_month (
    month      date PRIMARY KEY,
    xact_id    xid8 NOT NULL, -- every row of the month was written by a transaction below
    closed_at  timestamptz NOT NULL DEFAULT now(),
    dropped_at timestamptz
);
