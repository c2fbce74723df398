-- Individuals with a region, an age and a first day of their own, all by hashes: the same bank comes out each time.
INSERT INTO customer
    (customer_id, kind, state, region_id, branch_id, birth_date, sex, occupation, monthly_income, monthly_income_currency, customer_since,
     version, change_time)
SELECT
    number + 1,
    'individual',
    if(cityHash64(number, 1) % 20 = 0, 'prospect', 'active'),
    1 + cityHash64(number, 2) % 77,
    1 + cityHash64(number, 3) % 200,
    toDate32('2008-01-01') - toInt32(cityHash64(number, 4) % 22000),
    if(cityHash64(number, 5) % 2 = 0, 'female', 'male'),
    ['teacher', 'nurse', 'clerk', 'driver', 'engineer'][1 + cityHash64(number, 6) % 5],
    toDecimal128(15000 + cityHash64(number, 7) % 60000, 4),
    'CZK',
    today() - toInt32(cityHash64(number, 8) % 9000),
    1,
    now64(6) - INTERVAL 2 DAY
FROM numbers({first:UInt64}, {customers:UInt64})
