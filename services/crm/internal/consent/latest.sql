-- Condition on consent: for each purpose and channel of customer $1, the record with the newest decision at $2. The
-- purpose $3 and the channels $4 narrow it; an empty text and null do not.
--
-- A record decides by its withdrawal once that is past, before by its grant as long as that has not expired. Of two
-- decisions of the same moment the withdrawal counts: in doubt the answer is no.
consent_id IN (
    SELECT DISTINCT ON (c.purpose, c.channel) c.consent_id
    FROM consent c
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.withdrawn_at <= $2 THEN c.withdrawn_at
        WHEN c.granted_at <= $2 AND (c.expires_at IS NULL OR c.expires_at > $2) THEN c.granted_at
    END AS decided_at) d
    WHERE c.customer_id = $1
      AND ($3 = '' OR c.purpose = $3)
      AND ($4::text[] IS NULL OR c.channel = ANY($4))
      AND d.decided_at IS NOT NULL
    ORDER BY c.purpose, c.channel, d.decided_at DESC, coalesce(c.withdrawn_at <= $2, false) DESC, c.consent_id DESC
)
ORDER BY purpose, channel = 'any' DESC, channel
