-- +goose Up

-- Products, contracts, accounts and cards with their terms, and with the reason and time of their state.

ALTER TABLE product
    ADD COLUMN description     text NOT NULL DEFAULT '',
    ADD COLUMN annual_rate     numeric(14, 8),
    ADD COLUMN amount_min      numeric(24, 4) CHECK (amount_min >= 0),
    ADD COLUMN amount_max      numeric(24, 4) CHECK (amount_max >= amount_min),
    ADD COLUMN amount_currency text NOT NULL DEFAULT '',
    ADD COLUMN months_min      integer NOT NULL DEFAULT 0 CHECK (months_min BETWEEN 0 AND 1200),
    ADD COLUMN months_max      integer NOT NULL DEFAULT 0 CHECK (months_max BETWEEN 0 AND 1200),
    ADD COLUMN channels        text[] NOT NULL DEFAULT '{}',
    ADD CHECK (num_nulls(amount_min, amount_max) = 2 OR amount_currency <> '');

ALTER TABLE contract
    ALTER COLUMN amount DROP NOT NULL,
    DROP CONSTRAINT contract_kind_check,
    DROP CONSTRAINT contract_state_check,
    ADD COLUMN number         text NOT NULL DEFAULT '',
    ADD COLUMN annual_rate    numeric(14, 8),
    ADD COLUMN rate_kind      text NOT NULL DEFAULT '' CHECK (rate_kind IN ('', 'fixed', 'variable')),
    ADD COLUMN reference_rate text NOT NULL DEFAULT '',
    ADD COLUMN rate_margin    numeric(14, 8),
    ADD COLUMN day_count      text NOT NULL DEFAULT '' CHECK (day_count IN ('', 'thirty_360', 'actual_360', 'actual_365', 'actual_actual')),
    ADD COLUMN credit_limit   numeric(24, 4) CHECK (credit_limit >= 0),
    ADD COLUMN collateral     text NOT NULL DEFAULT '',
    ADD COLUMN signed         date,
    ADD COLUMN maturity       date,
    ADD COLUMN close_reason   text NOT NULL DEFAULT '',
    ADD COLUMN state_reason   text NOT NULL DEFAULT '',
    ADD COLUMN state_since    timestamptz,
    ADD CONSTRAINT contract_kind_check CHECK (kind IN ('loan', 'standing_order', 'deposit', 'current_account', 'savings', 'credit_line',
        'mortgage', 'card', 'insurance', 'investment', 'leasing', 'guarantee', 'safe_deposit', 'electronic_banking')),
    ADD CONSTRAINT contract_state_check CHECK (state IN ('', 'draft', 'signed', 'running', 'in_arrears', 'finished', 'defaulted', 'cancelled')),
    ADD CHECK (closed IS NULL OR state NOT IN ('draft', 'signed')),
    ADD CHECK (amount IS NOT NULL OR kind NOT IN ('loan', 'standing_order', 'deposit', 'mortgage')),
    ADD CHECK (maturity >= opened);

-- A customer at the counter names the contract by its number.
CREATE INDEX contract_number ON contract (number) WHERE number <> '';

ALTER TABLE account
    ADD COLUMN contract_id     bigint REFERENCES contract,
    ADD COLUMN state_reason    text NOT NULL DEFAULT '',
    ADD COLUMN state_since     timestamptz,
    ADD COLUMN overdraft_limit numeric(24, 4) CHECK (overdraft_limit >= 0),
    -- What the core system last said, and when. The part between ledger and available balance is kept, not the available
    -- balance: so the available balance follows the movements that are booked meanwhile.
    ADD COLUMN held_amount     numeric(24, 4),
    ADD COLUMN available_part  numeric(24, 4),
    ADD COLUMN balance_time    timestamptz;
ALTER TABLE account
    ADD COLUMN available_balance numeric(24, 4) GENERATED ALWAYS AS
        (ledger_balance + coalesce(available_part, coalesce(overdraft_limit, 0) - coalesce(held_amount, 0))) STORED;

-- A contract's accounts are listed by id. Most accounts have none.
CREATE INDEX account_contract ON account (contract_id, account_id) WHERE contract_id IS NOT NULL;

ALTER TABLE card
    DROP CONSTRAINT card_state_check,
    ADD COLUMN linked_accounts     jsonb NOT NULL DEFAULT '[]', -- [{"account_id": 7, "role": "secondary"}], crm checks the ids
    ADD COLUMN replaced_by_card_id bigint REFERENCES card,
    ADD COLUMN state_reason        text NOT NULL DEFAULT '',
    ADD COLUMN state_since         timestamptz,
    ADD CONSTRAINT card_state_check CHECK (state IN ('issued', 'active', 'blocked', 'closed', 'expired', 'replaced')),
    ADD CHECK (replaced_by_card_id IS NULL OR state IN ('closed', 'expired', 'replaced'));

CREATE TABLE contract_party (
    contract_party_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text,
    external_id       text,
    contract_id       bigint NOT NULL REFERENCES contract,
    customer_id       bigint NOT NULL REFERENCES customer,
    role              text NOT NULL CHECK (role IN ('borrower', 'co_borrower', 'guarantor', 'depositor', 'beneficiary', 'policy_holder',
        'representative', 'holder')),
    share             numeric(9, 8) CHECK (share BETWEEN 0 AND 1),
    valid_from        date, -- null: since the contract began
    valid_to          date, -- null: as long as the contract
    version           bigint NOT NULL DEFAULT 1,
    content_hash      bytea,
    import_id         uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contract_party_key UNIQUE (source, external_id),
    CHECK (num_nulls(source, external_id) IN (0, 2)),
    CHECK (valid_to >= valid_from)
);

-- Who is a party to this contract, which contracts does this customer have: both are listed by id.
CREATE INDEX contract_party_contract ON contract_party (contract_id, contract_party_id);
CREATE INDEX contract_party_customer ON contract_party (customer_id, contract_party_id);

CREATE TABLE instalment (
    instalment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source        text,
    external_id   text,
    contract_id   bigint NOT NULL REFERENCES contract,
    number        integer NOT NULL CHECK (number > 0),
    due           date NOT NULL,
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    principal     numeric(24, 4) NOT NULL CHECK (principal >= 0),
    interest      numeric(24, 4) NOT NULL CHECK (interest >= 0),
    fee           numeric(24, 4) NOT NULL CHECK (fee >= 0),
    paid          numeric(24, 4) NOT NULL CHECK (paid >= 0),
    paid_on       date CHECK (paid_on IS NULL OR paid > 0),
    state         text NOT NULL CHECK (state IN ('open', 'partly_paid', 'paid', 'waived')),
    outstanding   numeric(24, 4) GENERATED ALWAYS AS
        (CASE WHEN state = 'waived' THEN 0 ELSE greatest(principal + interest + fee - paid, 0) END) STORED,
    version       bigint NOT NULL DEFAULT 1,
    content_hash  bytea,
    import_id     uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT instalment_key UNIQUE (source, external_id),
    CONSTRAINT instalment_number_key UNIQUE (contract_id, number),
    CHECK (num_nulls(source, external_id) IN (0, 2))
);

-- A contract's instalments are listed by id; what is overdue is asked of those alone that are still owed.
CREATE INDEX instalment_contract ON instalment (contract_id, instalment_id);
CREATE INDEX instalment_owed ON instalment (contract_id, due) INCLUDE (outstanding) WHERE outstanding > 0;
