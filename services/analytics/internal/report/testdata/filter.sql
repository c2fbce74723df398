SELECT r.o AS o, r.g AS g, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0
FROM (SELECT toUInt8(0) AS o, toUInt64(0) AS g, sumIf(ifNull(f.base_amount, 0), f.direction = 'credit') AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date} AND (f.branch_id IN (SELECT branch.branch_id
FROM bi.dim_branch AS branch
WHERE branch.name = {filter_1:String}) AND (f.customer_id IN (SELECT customer.customer_id
FROM bi.dim_customer AS customer
WHERE customer.age_band = {filter_2:String}) OR f.product_id IN (SELECT product.product_id
FROM bi.dim_product AS product
WHERE product.family = {filter_3:String}))) AND ((f.direction = 'credit'))) AS r
ORDER BY r.g
LIMIT {p2:UInt64}
