-- How many members each segment has whose newest snapshot is of a day or an earlier one. What has no snapshot does not come.
SELECT run.segment, countIf(member.customer_id != 0 AND /*scope*/)
FROM
(
    SELECT toString(u.segment) AS segment, max((u.as_of, u.computed_time, u.run_id)) AS newest
    FROM segment_run AS u FINAL
    WHERE u.as_of <= {as_of:Date} AND has({segments:Array(String)}, toString(u.segment))
    GROUP BY segment
) AS run
LEFT JOIN
(
    SELECT toString(m.segment) AS segment, m.as_of AS as_of, m.run_id AS run_id, m.customer_id AS customer_id
    FROM segment_member AS m
    WHERE has({segments:Array(String)}, toString(m.segment))
) AS member ON member.segment = run.segment AND member.run_id = run.newest.3 AND member.as_of = run.newest.1
GROUP BY run.segment
