SELECT r.o AS o, r.g AS g, toString(r.k0) AS k0, if(dictHas('bi.lookup_manager', r.k0), concat('manager ', toString(r.k0)), '') AS n0, CAST(r.b0, 'Nullable(Decimal(38, 4))') AS v0
FROM (SELECT x.o AS o, x.k0 AS k0, toUInt64(0) AS g, sum(x.b0) AS b0
FROM (SELECT y.* EXCEPT (o, best__, k0), toUInt8(NOT y.best__) AS o, if(y.best__, y.k0, defaultValueOfTypeName(toTypeName(y.k0))) AS k0
FROM (SELECT v.* EXCEPT (rank__), dense_rank() OVER (ORDER BY v.rank__ DESC NULLS LAST, v.k0) <= {p2:UInt32} AS best__
FROM (SELECT w.*, sum(w.b0) OVER (PARTITION BY w.k0) AS rank__
FROM (SELECT toUInt8(0) AS o, toUInt64(f.manager_id) AS k0, toUInt64(0) AS g, sum(ifNull(f.base_amount, 0)) AS b0
FROM bi.fact_transaction AS f
WHERE f.business_date <= {p1:Date}
GROUP BY f.manager_id) AS w) AS v) AS y) AS x
GROUP BY x.o, x.k0) AS r
ORDER BY bitTest(r.g, 0), r.o, if(dictHas('bi.lookup_manager', r.k0), concat('manager ', toString(r.k0)), ''), r.k0, r.g
LIMIT {p3:UInt64}
