-- Words that $2[i] may be a slip or another spelling of, for each i: at most $3 of them, the nearest first. A slip is one
-- edit, or two in longer words (Levenshtein, 1966); what sounds alike has a code of Daitch and Mokotoff (1985) in common
-- and not many more edits, or the codes of short words would bring half the town. The first letter is right in most slips.
SELECT asked.n::int, near.word
FROM unnest($1::int[], $2::text[]) AS asked (n, word)
CROSS JOIN LATERAL (
    SELECT known.word
    FROM search_word known
    CROSS JOIN LATERAL levenshtein_less_equal(known.word, asked.word, 4) AS edits
    WHERE (known.word % asked.word OR known.sounds && daitch_mokotoff(asked.word)) AND known.word <> asked.word AND (
        edits <= CASE WHEN length(asked.word) < 4 THEN 0 WHEN length(asked.word) < 6 THEN 1 ELSE 2 END
        OR edits <= length(asked.word) / 2 AND known.sounds && daitch_mokotoff(asked.word)
    )
    ORDER BY edits, left(known.word, 1) <> left(asked.word, 1), known.word
    LIMIT $3
) near
