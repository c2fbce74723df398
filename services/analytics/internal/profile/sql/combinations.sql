-- Combinations of levels that have customers, from low to high.
SELECT attractiveness_level, interaction_level, risk_level, toString(cell) AS name, count()
FROM profile_place
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date}
GROUP BY attractiveness_level, interaction_level, risk_level, name
ORDER BY attractiveness_level, interaction_level, risk_level
