-- One version of a spec: all rows that have it have it alike.
SELECT spec_version, spec, spec_time
FROM definition FINAL
WHERE definition_id = {id:UInt64} AND spec_version = {version:UInt64}
LIMIT 1
