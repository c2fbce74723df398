-- Equal histories with how many customers have them: all that the models of counts need. Halves are for choosing a model;
-- they hang on the customer number alone.
SELECT fit_group, toUInt8(intHash64(customer_id) % 2) AS half, repeats, last_days, age_days, count()
FROM clv_customer
WHERE run_id = {run_id:UUID}
GROUP BY fit_group, half, repeats, last_days, age_days
ORDER BY fit_group, half, repeats, last_days, age_days
