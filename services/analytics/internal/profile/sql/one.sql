-- One customer's place.
SELECT
    branch_id, values, points, attractiveness, interaction, risk, attractiveness_level, interaction_level, risk_level, toString(cell)
FROM profile_place
WHERE run_id = {run_id:UUID} AND as_of = {as_of:Date} AND customer_id = {customer_id:UInt64}
