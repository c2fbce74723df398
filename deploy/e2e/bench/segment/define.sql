-- A hundred dynamic segments of three clauses each; every tenth refers to the one before it, and every tenth compares with a share. The
-- first is the region that customers are moved to.
INSERT INTO definition
    (definition_id, name, title, kind, state, owner, spec_version, spec, spec_time, version, change_time)
SELECT
    900000 + number,
    'bench_' || toString(number),
    'bench',
    'segment',
    'active',
    'bench',
    1,
    '{"segment": {"dynamic": {"expression": "' || multiIf(
        number = 0, 'region_id = 900',
        number % 10 = 9, 'segment(bench_' || toString(number - 1) || ') AND age > 30',
        number % 10 = 5, 'top(monthly_income, ' || toString(1 + number) || '%) AND state = active',
        'state = active AND between(region_id, ' || toString(number % 70) || ', ' || toString(number % 70 + 7) || ') AND age > ' || toString(20 + number % 40)
    ) || '"}}}',
    now64(6),
    1,
    now64(6)
FROM numbers(100)
