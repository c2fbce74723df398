-- Equal counts and mean amounts with how many customers have them: all that the model of amounts needs.
SELECT fit_group, repeats, mean_amount, count()
FROM clv_customer
WHERE run_id = {run_id:UUID} AND repeats > 0
GROUP BY fit_group, repeats, mean_amount
ORDER BY fit_group, repeats, mean_amount
