-- +goose Up

-- Marks whose passing by an account's balance is worth telling: 0 in every currency, the others in the base currency.
ALTER TABLE bank ADD COLUMN balance_marks numeric[] NOT NULL DEFAULT '{0}';

-- Balances that passed a mark. They follow from the movements and can be made again from them.
CREATE TABLE balance_mark (
    balance_mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      bigint NOT NULL,
    business_date   date NOT NULL,
    mark            numeric(24, 4) NOT NULL,
    above           boolean NOT NULL, -- rose to the mark or above it; otherwise fell below
    balance         numeric(24, 4) NOT NULL,
    currency        text NOT NULL
);
CREATE INDEX balance_mark_account ON balance_mark (account_id, business_date DESC, balance_mark_id DESC);

-- Once for a statement, however many balances it moves: a bundle of movements pays one join. A first balance passes nothing.
-- +goose StatementBegin
CREATE FUNCTION balance_mark_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO balance_mark (account_id, business_date, mark, above, balance, currency)
    SELECT n.account_id, coalesce(n.balance_date, current_date), m.mark, n.ledger_balance >= m.mark, n.ledger_balance, n.currency
    FROM moved_to n JOIN moved_from o USING (account_id) CROSS JOIN bank b CROSS JOIN unnest(b.balance_marks) AS m (mark)
    WHERE o.ledger_balance IS DISTINCT FROM n.ledger_balance
      AND (o.ledger_balance < m.mark) <> (n.ledger_balance < m.mark)
      AND (m.mark = 0 OR n.currency = b.base_currency);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER balance_mark_note AFTER UPDATE ON account REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION balance_mark_note();

-- A customer's own changes, without the many reads that stand beside them.
CREATE INDEX audit_entry_customer_change ON audit_entry (customer_id, at, entry_id) WHERE entity = 'customer' AND action <> 'read';
