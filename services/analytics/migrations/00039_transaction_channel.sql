-- By which channel a transaction was ordered, and with which card it was made, where the source knows.

-- +goose Up
ALTER TABLE transaction
    ADD COLUMN IF NOT EXISTS card_id UInt64 CODEC(T64, ZSTD(1)) AFTER purpose,
    ADD COLUMN IF NOT EXISTS channel LowCardinality(String) CODEC(ZSTD(1)) AFTER card_id;

ALTER TABLE transaction_history
    ADD COLUMN IF NOT EXISTS card_id UInt64 CODEC(T64, ZSTD(1)) AFTER purpose,
    ADD COLUMN IF NOT EXISTS channel LowCardinality(String) CODEC(ZSTD(1)) AFTER card_id;

-- The star of the history's feed stood for the columns of its day.
ALTER TABLE transaction_history_feed MODIFY QUERY SELECT * FROM transaction;

CREATE OR REPLACE VIEW {bi}.fact_transaction
(
    transaction_id     UInt64 COMMENT 'Transaction',
    account_id         UInt64 COMMENT 'Account that it moved, see dim_account',
    customer_id        UInt64 COMMENT 'Owner of the account, see dim_customer; 0: unknown',
    contract_id        UInt64 COMMENT 'Contract that the account belongs to, see fact_contract; 0: none',
    product_id         UInt64 COMMENT 'Product of the account, see dim_product; 0: unknown',
    branch_id          UInt64 COMMENT 'Branch that looks after the owner, see dim_branch; 0: unknown',
    manager_id         UInt64 COMMENT 'Manager who looks after the owner, see dim_manager; 0: none',
    region_id          UInt64 COMMENT 'Region of the owner, see dim_region; 0: unknown',
    business_date      Date COMMENT 'Day on which it counts, see dim_date',
    kind               LowCardinality(String) COMMENT 'Kind, for example card_payment',
    direction          LowCardinality(String) COMMENT 'credit or debit',
    purpose            LowCardinality(String) COMMENT 'What it was for, in the codes of its source; may be empty',
    card_id            UInt64 COMMENT 'Card that it was made with, see dim_card; 0: none or unknown',
    channel            LowCardinality(String) COMMENT 'Channel by which it was ordered, for example mobile_app; may be empty',
    amount             Decimal(38, 4) COMMENT 'Amount in currency, never negative',
    currency           LowCardinality(String) COMMENT 'ISO 4217 currency of amount',
    base_amount        Decimal(38, 4) COMMENT 'Amount in base currency at the rate of rate_date, never negative',
    base_signed_amount Decimal(38, 4) COMMENT 'base_amount, negative for debits: sums to the change of the balance',
    base_currency      LowCardinality(String) COMMENT 'ISO 4217 code of the base currency',
    rate_date          Date COMMENT 'Day of the rate behind base_amount'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Transactions that are posted; reversed ones are not in it. Who is on the other side stays in Postgres.

Question: How much did customers turn over in each month of the last year?
SELECT toStartOfMonth(business_date) AS month, direction, count() AS transactions, sum(base_amount) AS base_amount
FROM {bi}.fact_transaction
WHERE business_date >= toStartOfMonth(today()) - INTERVAL 1 YEAR
GROUP BY month, direction
ORDER BY month, direction

Question: Which branches grow most in card payments against the year before?
SELECT
    b.name AS branch,
    sumIf(t.base_amount, toYear(t.business_date) = toYear(today())) AS this_year,
    sumIf(t.base_amount, toYear(t.business_date) = toYear(today()) - 1) AS last_year
FROM {bi}.fact_transaction AS t
LEFT JOIN {bi}.dim_branch AS b USING (branch_id)
WHERE t.kind = ''card_payment'' AND t.business_date >= toStartOfYear(today()) - INTERVAL 1 YEAR
GROUP BY branch
ORDER BY this_year - last_year DESC
LIMIT 10

Question: By which channels do customers pay, and how much?
SELECT channel, count() AS transactions, sum(base_amount) AS base_amount, uniqExact(customer_id) AS customers
FROM {bi}.fact_transaction
WHERE direction = ''debit'' AND business_date >= toStartOfYear(today())
GROUP BY channel
ORDER BY base_amount DESC'
AS
SELECT
    transaction_id,
    account_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    dictGet('{warehouse}.account_lookup', 'contract_id', account_id) AS contract_id,
    dictGet('{warehouse}.account_lookup', 'product_id', account_id) AS product_id,
    dictGet('{warehouse}.account_lookup', 'branch_id', account_id) AS branch_id,
    dictGet('{warehouse}.account_lookup', 'manager_id', account_id) AS manager_id,
    dictGet('{warehouse}.account_lookup', 'region_id', account_id) AS region_id,
    business_date,
    kind,
    direction,
    purpose,
    card_id,
    channel,
    amount,
    currency,
    base_value AS base_amount,
    if(direction = 'debit', -base_value, base_value) AS base_signed_amount,
    base_currency,
    rate_date
FROM {warehouse}.transaction FINAL
WHERE state = 'posted';
