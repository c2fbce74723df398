-- What a plan in force wants of units on some days: the figure of the month that the day lies in, else of the quarter, else of
-- the year.
SELECT
    if(unit_id > 0, toString(unit_id), toString(unit_name)) AS slice,
    day,
    argMin(amount, multiIf(period = 'month', 1, period = 'quarter', 2, 3)) AS goal
FROM plan_value_at(at = '2299-01-01 00:00:00')
ARRAY JOIN {days:Array(Date)} AS day
WHERE name = {plan:String} AND indicator = {indicator:String} AND unit_kind = {unit:String} AND currency IN ('', {currency:String})
    AND day >= period_start
    AND day < multiIf(period = 'month', addMonths(period_start, 1), period = 'quarter', addMonths(period_start, 3), addMonths(period_start, 12))
GROUP BY slice, day
