SELECT r.o AS o, r.g AS g, r.t AS t, toString(r.k0) AS k0, toString(r.k0) AS n0, CAST(r.b0, 'Nullable(Int64)') AS v0
FROM (SELECT pictures.cut__ AS t, toUInt8(0) AS o, toString(f.cell) AS k0, toUInt64(0) AS g, toInt64(count()) AS b0
FROM bi.fact_rfm AS f
INNER JOIN (SELECT z__.1 AS cut__, max(d.day) AS day
FROM (SELECT as_of AS day
FROM bi.dim_run
WHERE kind = 'rfm') AS d
ARRAY JOIN arrayZip({p2:Array(Date32)}, {p3:Array(Date32)}) AS z__
WHERE d.day <= z__.2 AND d.day <= {p1:Date}
GROUP BY cut__) AS pictures ON pictures.day = f.as_of
WHERE f.is_newest = 1
GROUP BY pictures.cut__, f.cell) AS r
ORDER BY r.t, bitTest(r.g, 0), toString(r.k0), r.k0, r.g
LIMIT {p4:UInt64}
