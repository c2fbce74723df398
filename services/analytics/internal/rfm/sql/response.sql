-- Contacts and responses of the customers of a run, by where they are.
SELECT
    score.key AS key,
    count() AS customers,
    sum(contact.contacts) AS contacts,
    sum(contact.responses) AS responses
FROM
(
    SELECT customer_id, /*key*/ AS key
    FROM rfm_score
    WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
) AS score
LEFT JOIN
(
    SELECT customer_id, count() AS contacts, countIf(outcome IN {outcomes:Array(String)}) AS responses
    FROM interaction FINAL
    WHERE business_date BETWEEN {first_date:Date} AND {as_of:Date} AND kind IN {kinds:Array(String)}
    GROUP BY customer_id
) AS contact ON contact.customer_id = score.customer_id
GROUP BY key
ORDER BY key
