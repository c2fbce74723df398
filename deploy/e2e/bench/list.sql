SELECT customer_id, source, external_id, version, content_hash, import_id, created_at, updated_at, kind, state, region_id, branch_id, manager_id,
    phone, email, customer_since, given_name, family_name, birth_date, sex, occupation, monthly_income, monthly_income_currency, legal_name,
    registration_number, industry_nace, employees, annual_turnover, annual_turnover_currency, founded
FROM customer
WHERE (manager_id = $1 AND state = $2) AND true
ORDER BY customer_id
LIMIT $3
