SELECT r.o AS o, r.g AS g, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0, CAST(r.b1, 'Nullable(Decimal(38, 4))') AS v1
FROM (SELECT u.o AS o, u.g AS g, sum(u.b0) AS b0, sum(u.b1) AS b1
FROM (SELECT toUInt8(0) AS o, toUInt64(0) AS g, sum(ifNull(f.amount, 0)) AS b0, CAST(0, 'Decimal(38, 4)') AS b1
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND f.currency = {p2:String}
UNION ALL SELECT toUInt8(0) AS o, toUInt64(0) AS g, CAST(0, 'Decimal(38, 4)') AS b0, sum(ifNull(f.balance, 0)) AS b1
FROM (SELECT account_id, balance, dictGet('account_lookup', 'branch_id', account_id) AS branch_id, business_date, dictGet('account_lookup', 'currency', account_id) AS currency, dictGet('account_lookup', 'customer_id', account_id) AS customer_id, dictGet('account_lookup', 'manager_id', account_id) AS manager_id, dictGet('account_lookup', 'product_id', account_id) AS product_id, dictGet('account_lookup', 'region_id', account_id) AS region_id
FROM (SELECT account_id, max(business_date) AS business_date, argMax(balance, place) AS balance
FROM balance_statement AS s
WHERE s.business_date <= {p3:Date}
GROUP BY account_id) AS e) AS f
WHERE f.currency = {p4:String}) AS u
GROUP BY u.o, u.g) AS r
ORDER BY r.g
LIMIT {p5:UInt64}
