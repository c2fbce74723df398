-- Base currencies of the time looked at; more than one can't be summed. Versions need not be resolved for it: the base
-- currency of a bank is fixed at its first start.
SELECT DISTINCT base_currency
FROM transaction
WHERE business_date BETWEEN {first_date:Date} AND {as_of:Date}
ORDER BY base_currency
LIMIT 2
