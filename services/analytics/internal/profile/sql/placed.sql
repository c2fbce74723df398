-- The cell of each customer. A mean is rounded, so that one that is exactly a threshold belongs to the level above it.
SELECT
    customer_id,
    branch_id,
    values,
    points,
    round(arraySum((p, w) -> p * w, arraySlice(points, 1, {count_1:UInt32}), {weights_1:Array(Float64)}) / {sum_1:Float64}, 9) AS attractiveness,
    round(arraySum((p, w) -> p * w, arraySlice(points, {count_1:UInt32} + 1, {count_2:UInt32}), {weights_2:Array(Float64)}) / {sum_2:Float64}, 9)
        AS interaction,
    round(arraySum((p, w) -> p * w, arraySlice(points, {count_1:UInt32} + {count_2:UInt32} + 1, {count_3:UInt32}), {weights_3:Array(Float64)})
        / {sum_3:Float64}, 9) AS risk,
    toUInt8(arrayCount(t -> t <= attractiveness, {thresholds_1:Array(Float64)})) AS attractiveness_level,
    toUInt8(arrayCount(t -> t <= interaction, {thresholds_2:Array(Float64)})) AS interaction_level,
    toUInt8(arrayCount(t -> t <= risk, {thresholds_3:Array(Float64)})) AS risk_level,
    transform(toUInt16(100 * attractiveness_level + 10 * interaction_level + risk_level), {codes:Array(UInt16)}, {cells:Array(String)}, '') AS cell
FROM
(
    SELECT f.customer_id AS customer_id, toUInt64(f.branch_id) AS branch_id, [/*values*/] AS values, CAST([/*points*/], 'Array(Float64)') AS points
    FROM /*population*/
)
