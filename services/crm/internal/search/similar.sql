-- Words that $2[i] may be a slip or another spelling of, for each i: at most $3 of them, the nearest first. A slip is one
-- edit, or two in longer words (Levenshtein, 1966); what sounds alike has a code of Daitch and Mokotoff (1985) in common
-- and not many more edits, or the codes of short words would bring half the town. The first letter is right in most slips.
-- The few that sound alike are cheap to find. Only where they leave room, those that look alike are weighed as well: trigrams
-- of common endings bring thousands.
WITH asked AS MATERIALIZED (
    SELECT n, word, daitch_mokotoff(word) AS sounds, CASE WHEN length(word) < 4 THEN 0 WHEN length(word) < 6 THEN 1 ELSE 2 END AS slips
    FROM unnest($1::int[], $2::text[]) AS a (n, word)
), alike AS MATERIALIZED (
    SELECT asked.n, near.*
    FROM asked
    CROSS JOIN LATERAL (
        SELECT known.word, edits, left(known.word, 1) <> left(asked.word, 1) AS elsewhere
        FROM search_word known
        CROSS JOIN LATERAL levenshtein_less_equal(known.word, asked.word, 4) AS edits
        WHERE known.sounds && asked.sounds AND known.word <> asked.word AND edits <= greatest(asked.slips, length(asked.word) / 2)
        ORDER BY edits, elsewhere, known.word
        LIMIT $3
    ) near
), slip AS (
    SELECT asked.n, near.*
    FROM asked
    CROSS JOIN LATERAL (
        SELECT known.word, edits, left(known.word, 1) <> left(asked.word, 1) AS elsewhere
        FROM search_word known
        CROSS JOIN LATERAL levenshtein_less_equal(known.word, asked.word, 4) AS edits
        WHERE (SELECT count(*) FROM alike WHERE alike.n = asked.n AND alike.edits <= asked.slips) < $3
            AND known.word % asked.word AND known.word <> asked.word AND edits <= asked.slips
        ORDER BY edits, elsewhere, known.word
        LIMIT $3
    ) near
)
SELECT n::int, word
FROM (
    SELECT n, word, row_number() OVER (PARTITION BY n ORDER BY edits, elsewhere, word) AS rank
    FROM (SELECT * FROM alike UNION SELECT * FROM slip) found
) ranked
WHERE rank <= $3
ORDER BY n, rank
