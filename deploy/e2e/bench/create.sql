INSERT INTO interaction (customer_id, kind, channel, opened_at, manager_id, subject, text, outcome, duration_seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
