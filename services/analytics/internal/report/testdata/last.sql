SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, toString(r.k0) AS n0, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0
FROM (SELECT cut__ AS t, h.o AS o, h.k0 AS k0, h.g AS g, sum(h.b0) AS b0
FROM (SELECT f.cut__ AS over__, f.next__ AS until__, toUInt8(0) AS o, toString(customer.age_band) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_balance, 0)) AS b0
FROM (SELECT round(balance * dictGetOrNull('currency_lookup', 'rate', tuple(dictGet('account_lookup', 'currency', account_id)), business_date), 4) AS base_balance, business_date, dictGet('account_lookup', 'customer_id', account_id) AS customer_id, cut__, leadInFrame(cut__, 1, toDate32('2299-12-31')) OVER (PARTITION BY account_id
ORDER BY cut__ ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next__
FROM (SELECT account_id, max(business_date) AS business_date, argMax(balance, place) AS balance, greatest(toDate32(toStartOfMonth(s.business_date)), {p1:Date32}) AS cut__
FROM balance_statement AS s
WHERE s.business_date <= {p2:Date}
GROUP BY account_id, cut__) AS e) AS f
LEFT ANY JOIN bi.dim_customer AS customer ON customer.customer_id = f.customer_id
WHERE true
GROUP BY over__, until__, customer.age_band) AS h
ARRAY JOIN arrayFilter(z -> z >= h.over__ AND z < h.until__, {p3:Array(Date32)}) AS cut__
GROUP BY cut__, h.o, h.k0, h.g) AS r
ORDER BY r.t, bitTest(r.g, 0), toString(r.k0), r.k0, r.g
LIMIT {p5:UInt64}
