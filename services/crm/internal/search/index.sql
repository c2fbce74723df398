-- Keeps the words of customers ($1, $2) under the version of the spelling rules ($3), and the words ($4) that a misspelt one
-- may mean. A row whose words stay the same is not written. New words go in the order of the alphabet, so that two
-- transactions with the same new words wait for each other in one direction.
WITH kept AS (
    INSERT INTO customer_search (customer_id, words, rules)
    SELECT customer_id, words::tsvector, $3 FROM unnest($1::bigint[], $2::text[]) AS d (customer_id, words)
    ON CONFLICT (customer_id) DO UPDATE SET words = excluded.words, rules = excluded.rules
    WHERE (customer_search.words, customer_search.rules) IS DISTINCT FROM (excluded.words, excluded.rules)
)
INSERT INTO search_word (word)
SELECT word FROM unnest($4::text[]) AS w (word)
WHERE NOT EXISTS (SELECT FROM search_word known WHERE known.word = w.word)
ORDER BY word
ON CONFLICT DO NOTHING
