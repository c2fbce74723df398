-- Purchases of customers who buy at a rate of their own (gamma of shape 2, a mean of one in 16 days) and leave after each repeat
-- purchase with a probability of their own (beta of 1 and 40), until 2025-12-31; every number is drawn from hashes, so that
-- the same bank comes out each time. About 20 purchases a customer.
INSERT INTO transaction
    (transaction_id, account_id, business_date, direction, kind, amount, currency, base_value, base_currency, rate_date, state,
     version, change_time)
WITH
    (n, k) -> (toFloat64(cityHash64(n, k)) + 1) / 18446744073709551617. AS uniform,
    toDate('2025-12-31') AS last_day
SELECT
    customer * 1000 + position AS transaction_id,
    customer AS account_id,
    first_day + toUInt16(floor(at)) AS business_date,
    'debit',
    'card_payment',
    toDecimal128(exp(3 + scale + 0.6 * sqrt(-2 * log(uniform(transaction_id, 11))) * cos(6.283185307179586 * uniform(transaction_id, 12))), 2) AS amount,
    'CZK',
    amount,
    'CZK',
    business_date,
    'posted',
    1,
    toDateTime64('2026-01-01 00:00:00', 6, 'UTC')
FROM
(
    SELECT
        number + 1 AS customer,
        last_day - toUInt16(365 + floor(365 * uniform(number, 1))) AS first_day,
        -(log(uniform(number, 2)) + log(uniform(number, 3))) / 32 AS rate,
        1 - pow(uniform(number, 4), 1 / 40) AS leaving,
        toUInt16(least(300, 1 + floor(log(uniform(number, 5)) / log(1 - leaving)))) AS repeats,
        0.5 * sqrt(-2 * log(uniform(number, 6))) * cos(6.283185307179586 * uniform(number, 7)) AS scale,
        arrayPushFront(arrayCumSum(arrayMap(k -> -log(uniform(number, 100 + k)) / rate, range(repeats))), 0.) AS days,
        arrayFilter(day -> day <= last_day - first_day, days) AS bought
    FROM numbers({first:UInt64}, {customers:UInt64})
)
ARRAY JOIN bought AS at, arrayEnumerate(bought) AS position
