-- What the changed customers are told to be by the events: all else stays.
SELECT customer_id, toString(birth_date), sex, occupation, toString(monthly_income), toString(customer_since), branch_id
FROM customer FINAL
WHERE customer_id <= {customers:UInt64}
ORDER BY customer_id
