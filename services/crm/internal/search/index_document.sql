-- Keeps the words of documents ($1), part by part; what a shorter text no longer has is gone. It reads the rows that were
-- written just now: the texts need not be sent twice.
WITH wanted AS (
    SELECT document_id, customer_id, title, text, document_parts(title, text) AS parts FROM document WHERE document_id = ANY($1::bigint[])
), gone AS (
    DELETE FROM document_search s USING wanted w WHERE s.document_id = w.document_id AND s.part >= w.parts
)
INSERT INTO document_search (document_id, part, customer_id, words)
SELECT w.document_id, part, w.customer_id, search_words(document_part(w.title, w.text, part))
FROM wanted w CROSS JOIN generate_series(0, w.parts - 1) AS part
ORDER BY w.document_id, part
ON CONFLICT (document_id, part) DO UPDATE SET words = excluded.words
