-- A bank made in ClickHouse itself: twenty transactions, an account and one and a half contacts for each customer, spread over two
-- years by hashes, so that every run makes the same. One row in fifty comes a second time as a new version, one in five
-- hundred is reversed: what FINAL has to resolve. $ is the number of customers.
INSERT INTO tandem.branch (branch_id, name, region_id, version) SELECT number + 1, concat('Branch ', toString(number + 1)), number % 14 + 1, 1 FROM numbers(200);
INSERT INTO tandem.customer (customer_id, kind, state, region_id, branch_id, manager_id, birth_date, sex, monthly_income, monthly_income_currency, version)
SELECT number + 1, 'individual', 'active', cityHash64(number, 1) % 14 + 1, cityHash64(number, 2) % 200 + 1, cityHash64(number, 3) % 2000 + 1,
    toDate32('1940-01-01') + cityHash64(number, 4) % 24000, if(number % 2, 'male', 'female'), 8000 + cityHash64(number, 5) % 90000, 'CZK', 1
FROM numbers($);
INSERT INTO tandem.customer SELECT * REPLACE (2 AS version) FROM tandem.customer WHERE customer_id % 50 = 0 AND version = 1;
INSERT INTO tandem.account (account_id, currency, product_id, branch_id, state, version)
SELECT number + 1, 'CZK', number % 9 + 1, number % 200 + 1, 'open', 1 FROM numbers($);
INSERT INTO tandem.account_holder (account_holder_id, account_id, customer_id, role, version) SELECT number + 1, number + 1, number + 1, 'owner', 1 FROM numbers($);
INSERT INTO tandem.transaction (transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, balance_after, state, version)
SELECT number + 1, number % $ + 1, toDate('2024-07-01') + cityHash64(number, 6) % 730 AS day, if(cityHash64(number, 7) % 3, 'debit', 'credit'),
    ['card_payment', 'transfer', 'cash', 'fee'][cityHash64(number, 8) % 4 + 1], toDecimal128(1 + cityHash64(number, 9) % 500000 / 100, 4) AS paid, 'CZK',
    paid, 'CZK', day, toDecimal128(cityHash64(number, 10) % 10000000 / 100, 4), 'posted', 1
FROM numbers(20 * $);
INSERT INTO tandem.transaction SELECT * REPLACE (2 AS version, if(transaction_id % 500 = 0, 'reversed', 'posted') AS state)
FROM tandem.transaction WHERE transaction_id % 50 = 0 AND version = 1;
INSERT INTO tandem.interaction (interaction_id, customer_id, kind, channel, opened_time, business_date, version)
SELECT number + 1, number % $ + 1, 'call', ['phone', 'branch', 'web'][number % 3 + 1], toDateTime64('2024-07-01 00:00:00', 6, 'UTC') + cityHash64(number, 11) % 63000000 AS at,
    toDate(at), 1 FROM numbers(3 * intDiv($, 2));
INSERT INTO tandem.interaction SELECT * REPLACE (2 AS version) FROM tandem.interaction WHERE interaction_id % 50 = 0 AND version = 1;
SYSTEM RELOAD DICTIONARIES
