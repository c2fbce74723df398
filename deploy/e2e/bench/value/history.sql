-- Histories of customers one by one, as the plain way reads them.
SELECT
    account_id,
    toUInt32(count() - 1) AS repeats,
    toUInt32(max(business_date) - min(business_date)) AS last_days,
    toUInt32(toDate('2025-12-31') - min(business_date)) AS age_days,
    if(repeats = 0, 0, (sum(amount) - argMin(amount, business_date)) / repeats) AS mean
FROM (SELECT account_id, business_date, toFloat64(sum(base_value)) AS amount FROM transaction GROUP BY account_id, business_date)
GROUP BY account_id
ORDER BY account_id
