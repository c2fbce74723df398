-- The customers of each part as members of a segment.
INSERT INTO segment_member (segment, as_of, run_id, customer_id)
SELECT
    transform(/*key*/, {keys:Array(String)}, {segments:Array(String)}, ''),
    as_of,
    toUUID(transform(/*key*/, {keys:Array(String)}, {runs:Array(String)}, '')),
    customer_id
FROM /*members*/
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
