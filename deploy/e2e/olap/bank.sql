-- A bank made in ClickHouse itself, spread over two years by hashes, so that every run makes the same: for each customer twenty
-- transactions, an account, one and a half contacts, most of a card and half a contract, and for a year the runs that value
-- them at each month's end. Customers live in the region of their branch, and one of its managers looks after them. One row in
-- fifty comes a second time as a new version, one in five hundred is reversed: what FINAL has to resolve. $ is the number of
-- customers.
INSERT INTO region (region_id, name, version) SELECT number + 1, concat('Region ', toString(number + 1)), 1 FROM numbers(14);
INSERT INTO branch (branch_id, name, region_id, version) SELECT number + 1, concat('Branch ', toString(number + 1)), number % 14 + 1, 1 FROM numbers(200);
INSERT INTO manager (manager_id, branch_id, version) SELECT number + 1, number % 200 + 1, 1 FROM numbers(2000);
INSERT INTO product (product_id, code, name, family, version)
SELECT number + 1, concat('P', toString(number + 1)), concat('Product ', toString(number + 1)),
    ['current', 'savings', 'loan', 'deposit', 'card'][intDiv(number, 3) + 1], 1 FROM numbers(15);
INSERT INTO customer (customer_id, kind, state, state_since, region_id, branch_id, manager_id, birth_date, sex, monthly_income, monthly_income_currency, customer_since, version)
SELECT number + 1, if(cityHash64(number, 20) % 10, 'individual', 'organisation'), if(cityHash64(number, 21) % 12, 'active', 'former') AS state,
    if(state = 'former' AND number % 3, toDate32('2024-07-01') + cityHash64(number, 22) % 730, NULL), (branch_id - 1) % 14 + 1,
    cityHash64(number, 2) % 200 + 1 AS branch_id, branch_id + 200 * (cityHash64(number, 3) % 10), toDate32('1940-01-01') + cityHash64(number, 4) % 24000,
    if(number % 2, 'male', 'female'), 8000 + cityHash64(number, 5) % 90000, 'CZK', toDate32('2015-01-01') + cityHash64(number, 23) % if(state = 'former', 3400, 4190), 1
FROM numbers($);
INSERT INTO customer SELECT * REPLACE (2 AS version) FROM customer WHERE customer_id % 50 = 0;
INSERT INTO account (account_id, currency, product_id, branch_id, state, opened, closed, version)
SELECT number + 1, 'CZK', number % 6 + 1, number % 200 + 1, if(cityHash64(number, 24) % 15, 'open', 'closed') AS state,
    toDate32('2015-01-01') + cityHash64(number, 25) % 4190, if(state = 'closed', toDate32('2026-06-30') - cityHash64(number, 26) % 300, NULL), 1
FROM numbers($);
INSERT INTO account_holder (account_holder_id, account_id, customer_id, role, version) SELECT number + 1, number + 1, number + 1, 'owner', 1 FROM numbers($);
INSERT INTO card (card_id, customer_id, account_id, product_id, scheme, state, state_since, issued, expiry, version)
SELECT number + 1, number + 1, number + 1, number % 3 + 13, 'visa', if(cityHash64(number, 27) % 8, 'active', 'closed') AS state,
    toDateTime64('2025-01-01 00:00:00', 6, 'UTC') + cityHash64(number, 28) % 40000000, toDate32('2021-01-01') + cityHash64(number, 29) % 2000 AS issued,
    issued + 1460, 1
FROM numbers($) WHERE number % 4;
INSERT INTO contract (contract_id, kind, state, account_id, product_id, amount, amount_currency, currency, opened, closed, version)
SELECT number + 1, if(number % 3, 'loan', 'deposit'), if(cityHash64(number, 30) % 20, 'running', 'cancelled'), number * 2 + 1, number % 6 + 7,
    toDecimal128(1000 + cityHash64(number, 31) % 500000, 4), 'CZK', 'CZK', toDate32('2021-01-01') + cityHash64(number, 32) % 2000 AS opened,
    if(cityHash64(number, 33) % 6, NULL, opened + 300), 1
FROM numbers(intDiv($, 2));
INSERT INTO contract SELECT * REPLACE (2 AS version) FROM contract WHERE contract_id % 50 = 0;
INSERT INTO contract_party (contract_party_id, contract_id, customer_id, role, version)
SELECT number + 1, number + 1, number * 2 + 1, if(number % 3, 'borrower', 'depositor'), 1 FROM numbers(intDiv($, 2));
INSERT INTO instalment (instalment_id, contract_id, position, due, currency, principal, interest, fee, paid, state, version)
SELECT number + 1, intDiv(number, 12) * 3 + 2, number % 12 + 1, toDate32('2025-09-01') + 30 * (number % 12), 'CZK', 1000, 50, 0,
    if(cityHash64(number, 34) % 40, 1050, 0), 'due', 1
FROM numbers(12 * intDiv($, 6));
INSERT INTO transaction (transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, balance_after, state, version)
SELECT number + 1, number % $ + 1, toDate('2024-07-01') + cityHash64(number, 6) % 730 AS day, if(cityHash64(number, 7) % 3, 'debit', 'credit'),
    ['card_payment', 'transfer', 'cash', 'fee'][cityHash64(number, 8) % 4 + 1], toDecimal128(1 + cityHash64(number, 9) % 500000 / 100, 4) AS paid, 'CZK',
    paid, 'CZK', day, toDecimal128(cityHash64(number, 10) % 10000000 / 100, 4), 'posted', 1
FROM numbers(20 * $);
INSERT INTO transaction SELECT * REPLACE (2 AS version, if(transaction_id % 500 = 0, 'reversed', 'posted') AS state)
FROM transaction WHERE transaction_id % 50 = 0;
INSERT INTO service_level (service_level_id, name, version) VALUES (1, 'two days', 1);
INSERT INTO interaction (interaction_id, customer_id, kind, channel, class, opened_time, business_date, first_answer_time, resolved_time, due_time, service_level_id, satisfaction, version)
SELECT number + 1, number % $ + 1, ['call', 'meeting', 'request', 'complaint'][cityHash64(number, 35) % 4 + 1] AS kind, ['phone', 'branch', 'web'][number % 3 + 1],
    if(kind = 'complaint', ['fees', 'cards', 'service', 'errors'][cityHash64(number, 36) % 4 + 1], ''),
    toDateTime64('2024-07-01 00:00:00', 6, 'UTC') + cityHash64(number, 11) % 63000000 AS at, toDate(at),
    if(kind = 'complaint', at + cityHash64(number, 37) % 90000, NULL), if(kind = 'complaint' AND cityHash64(number, 38) % 9, at + cityHash64(number, 39) % 300000, NULL),
    if(kind = 'complaint', at + 172800, NULL), kind = 'complaint', if(kind = 'complaint', cityHash64(number, 40) % 6, 0), 1
FROM numbers(3 * intDiv($, 2));
INSERT INTO interaction SELECT * REPLACE (2 AS version) FROM interaction WHERE interaction_id % 50 = 0;
INSERT INTO rfm_run (run_id, as_of, window_days, customers, base_currency, computed_time, insights_published)
SELECT toUUID(concat('00000000-0000-7000-8000-0000000000', leftPad(toString(number), 2, '0'))), toLastDayOfMonth(toDate('2025-06-01') + INTERVAL number MONTH), 365, $, 'CZK',
    toDateTime64('2026-07-01 00:00:00', 6, 'UTC') + number, 1
FROM numbers(13);
INSERT INTO rfm_score (run_id, as_of, customer_id, recency_days, frequency, monetary, recency_bin, frequency_bin, monetary_bin, place)
SELECT r.run_id, r.as_of, c.number + 1, 1, 1, 100, if(cityHash64(c.number, r.as_of, 1) % 4, 3, 5), c.number % 5 + 1, if(cityHash64(c.number, r.as_of, 2) % 5, 2, 4), c.number + 1
FROM rfm_run AS r CROSS JOIN numbers($) AS c WHERE cityHash64(c.number, r.as_of, 3) % 10;
INSERT INTO clv_run (run_id, as_of, settings_key, customers, base_currency, computed_time, insights_published)
SELECT run_id, as_of, repeat('a', 64), customers, 'CZK', computed_time, 1 FROM rfm_run;
INSERT INTO clv_value (run_id, as_of, customer_id, kind, region_id, branch_id, manager_id, historic, predictive, place, historic_place)
SELECT r.run_id, r.as_of, c.customer_id, c.kind, c.region_id, c.branch_id, c.manager_id, toDecimal128(c.customer_id % 9000, 4), toDecimal128(c.customer_id % 7000, 4), c.customer_id, c.customer_id
FROM clv_run AS r CROSS JOIN (SELECT * FROM customer FINAL) AS c;
INSERT INTO segment_run (run_id, segment, definition_version, as_of, customers, computed_time)
SELECT toUUID(concat('00000000-0000-7000-9000-0000000000', leftPad(toString(number), 2, '0'))), ['young', 'wealthy', 'digital'][number % 3 + 1],
    1, if(number < 3, toDate('2026-03-31'), toDate('2026-06-30')), $, toDateTime64('2026-07-01 00:00:00', 6, 'UTC')
FROM numbers(6);
INSERT INTO segment_member (segment, as_of, run_id, customer_id)
SELECT r.segment, r.as_of, r.run_id, c.number + 1 FROM segment_run AS r CROSS JOIN numbers($) AS c WHERE cityHash64(c.number, r.run_id) % 3 = 0
