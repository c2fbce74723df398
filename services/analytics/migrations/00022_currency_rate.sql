-- What a currency was worth: balances and contracts have no amount in base currency of their own, transactions do. Of a day's
-- transactions in a currency the largest tells its rate best, for it was rounded least; of equals the one worth more. Which
-- versions have arrived, in which order and how often makes no difference to a maximum, so a materialized view may fill this table
-- although the rows that it reads are replaced later. A view must never refuse rows: what is no rate is left out.

-- +goose Up
CREATE TABLE IF NOT EXISTS currency_rate
(
    currency      LowCardinality(String) COMMENT 'ISO 4217 currency',
    rate_date     Date COMMENT 'Day of the rate',
    base_currency LowCardinality(String) COMMENT 'ISO 4217 code of the base currency of the bank',
    rate          AggregateFunction(argMax, Decimal(38, 10), Tuple(Decimal(38, 4), Decimal(38, 4))) COMMENT 'Base currency for one unit of the currency'
)
ENGINE = AggregatingMergeTree
ORDER BY (base_currency, currency, rate_date)
COMMENT 'Rates that transactions were booked at';

CREATE MATERIALIZED VIEW IF NOT EXISTS currency_rate_feed TO currency_rate AS
WITH accurateCastOrNull(divideDecimal(base_value, amount, 10), 'Decimal(38, 10)') AS booked
SELECT currency, rate_date, base_currency, argMaxState(assumeNotNull(booked), (amount, base_value)) AS rate
FROM transaction
WHERE amount > 0 AND deleted = 0 AND booked IS NOT NULL
GROUP BY currency, rate_date, base_currency;

INSERT INTO currency_rate
WITH accurateCastOrNull(divideDecimal(base_value, amount, 10), 'Decimal(38, 10)') AS booked
SELECT currency, rate_date, base_currency, argMaxState(assumeNotNull(booked), (amount, base_value)) AS rate
FROM transaction
WHERE amount > 0 AND deleted = 0 AND booked IS NOT NULL
GROUP BY currency, rate_date, base_currency;
