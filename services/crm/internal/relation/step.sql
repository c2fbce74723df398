-- One step of a walk, for a whole level at once: from each customer of the level ($1) to parties not yet reached ($2),
-- along relations of some types ($3) that hold on a day ($4), no more than $5 from each customer.
SELECT f.customer_id, e.relation_id, e.inverse, e.party_id
FROM unnest($1::bigint[]) WITH ORDINALITY f (customer_id, place)
CROSS JOIN LATERAL (
    (SELECT relation_id, false AS inverse, other_customer_id AS party_id
     FROM relation r
     WHERE r.customer_id = f.customer_id
       AND (r.other_customer_id IS NULL OR r.other_customer_id <> ALL ($2::bigint[]))
       AND r.type = ANY ($3::text[])
       AND (r.valid_from IS NULL OR r.valid_from <= $4) AND (r.valid_to IS NULL OR r.valid_to >= $4)
     ORDER BY relation_id
     LIMIT $5)
    UNION ALL
    (SELECT relation_id, true, customer_id
     FROM relation r
     WHERE r.other_customer_id = f.customer_id
       AND r.customer_id <> ALL ($2::bigint[])
       AND r.type = ANY ($3::text[])
       AND (r.valid_from IS NULL OR r.valid_from <= $4) AND (r.valid_to IS NULL OR r.valid_to >= $4)
     ORDER BY relation_id
     LIMIT $5)
    ORDER BY relation_id
    LIMIT $5
) e
ORDER BY f.place, e.relation_id
