-- What says how much was on an account: running balances of transactions and balances that core systems stated. fact_balance_day
-- sums it up by day; whoever wants the last balance of a month or of all time picks it from here at once, by one number, which is
-- several times as fast as by days first. See 00024_bi_dimension.sql for the rules of views.
--
-- place orders the statements of an account: the day in the upper 16 bits; of a day, a stated balance that is not the closing one
-- comes first, transactions follow by their number, and the stated closing balance is last.

-- +goose Up
CREATE OR REPLACE VIEW {warehouse}.balance_statement AS
SELECT
    account_id,
    business_date,
    assumeNotNull(balance_after) AS balance,
    bitShiftLeft(toUInt64(business_date), 48) + transaction_id AS place
FROM {warehouse}.transaction FINAL
WHERE state = 'posted' AND balance_after IS NOT NULL
UNION ALL
SELECT account_id, business_date, ledger AS balance, bitShiftLeft(toUInt64(business_date), 48) + if(closing = 1, 281474976710655, 0) AS place
FROM {warehouse}.account_balance FINAL;
