-- +goose Up

CREATE TABLE card (
    card_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text,
    external_id       text,
    token             text NOT NULL DEFAULT '',
    first6            text NOT NULL DEFAULT '' CHECK (first6 ~ '^([0-9]{6})?$'),
    last4             text NOT NULL DEFAULT '' CHECK (last4 ~ '^([0-9]{4})?$'),
    scheme            text NOT NULL DEFAULT '',
    expiry            date CHECK (extract(day FROM expiry) = 1), -- the first day of its last month
    state             text NOT NULL CHECK (state IN ('issued', 'active', 'blocked', 'closed')),
    customer_id       bigint NOT NULL REFERENCES customer,
    account_id        bigint NOT NULL REFERENCES account,
    -- The holding that gave customer and account, where the source names it.
    account_holder_id bigint REFERENCES account_holder,
    product_id        bigint REFERENCES product,
    issued            date,
    version           bigint NOT NULL DEFAULT 1,
    content_hash      bytea,
    import_id         uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT card_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);

-- A customer's cards are on every customer's screen, an account's cards on the account's; both are listed by id, so the
-- id ends the index and spares the sort.
CREATE INDEX card_customer ON card (customer_id, card_id);
CREATE INDEX card_account ON card (account_id, card_id);
