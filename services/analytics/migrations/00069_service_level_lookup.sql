-- Names of service levels are looked up and not joined: no reader of the view that leaves them out pays for the join. See
-- 00023_lookup.sql for the rules of dictionaries, 00024_bi_dimension.sql for those of views.

-- +goose Up
CREATE DICTIONARY IF NOT EXISTS {warehouse}.service_level_lookup
(
    service_level_id UInt64,
    name             String DEFAULT ''
)
PRIMARY KEY service_level_id
SOURCE(CLICKHOUSE(
    QUERY 'SELECT service_level_id, name FROM {warehouse}.service_level FINAL'
    INVALIDATE_QUERY 'SELECT max(change_time), count() FROM {warehouse}.service_level'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 10 MAX 20)
COMMENT 'Name of each service level';

CREATE OR REPLACE VIEW {bi}.fact_service_quality
(
    interaction_id        UInt64 COMMENT 'Complaint or request, see fact_interaction',
    customer_id           UInt64 COMMENT 'Customer, see dim_customer',
    business_date         Date COMMENT 'Day on which it was opened, see dim_date',
    kind                  LowCardinality(String) COMMENT 'complaint or request',
    class                 LowCardinality(String) COMMENT 'Class that the bank put it in; may be empty',
    priority              LowCardinality(String) COMMENT 'Priority',
    channel               LowCardinality(String) COMMENT 'Channel that it came by; may be empty',
    outcome               LowCardinality(String) COMMENT 'What came of it, in the codes of the bank; may be empty',
    service_level_id      UInt64 COMMENT 'Service level that promised the due times; 0: none',
    service_level         String COMMENT 'Name of that service level; may be empty',
    opened_time           DateTime('UTC') COMMENT 'When it was opened',
    first_answer_time     Nullable(DateTime('UTC')) COMMENT 'When it was first answered; NULL: not yet',
    first_answer_due_time Nullable(DateTime('UTC')) COMMENT 'When the first answer was due; NULL: nothing was promised',
    resolved_time         Nullable(DateTime('UTC')) COMMENT 'When it was resolved; NULL: open',
    due_time              Nullable(DateTime('UTC')) COMMENT 'When the resolution was due; NULL: nothing was promised',
    is_open               UInt8 COMMENT '1 while it is not resolved',
    hours_to_answer       Nullable(Float64) COMMENT 'Hours from opening to the first answer; NULL: not answered',
    hours_to_resolve      Nullable(Float64) COMMENT 'Hours from opening to the resolution; NULL: open',
    answered_in_time      Nullable(UInt8) COMMENT '1: answered by the due time, 0: later or overdue now, NULL: nothing promised or still in time',
    resolved_in_time      Nullable(UInt8) COMMENT '1: resolved by the due time, 0: later or overdue now, NULL: nothing promised or still in time',
    within_service_level  Nullable(UInt8) COMMENT '0 when either was missed, 1 when all that was promised was kept, NULL while that is open',
    reopened_count        UInt32 COMMENT 'How often it was opened again',
    satisfaction          Nullable(UInt8) COMMENT 'Rating by the customer, 1 to 5; NULL: not rated',
    handled_by_id         UInt64 COMMENT 'Manager who handles it, see dim_manager; 0: none',
    branch_id             UInt64 COMMENT 'Branch that looks after the customer, see dim_branch; 0: none',
    manager_id            UInt64 COMMENT 'Manager who looks after the customer, see dim_manager; 0: none',
    region_id             UInt64 COMMENT 'Region of the customer, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Complaints and requests with how fast and how well they were dealt with. What is open and late is judged at the time of the query.

Question: What share of complaints is dealt with within the service level, by class?
SELECT class, count() AS complaints, round(avg(within_service_level), 3) AS share_within, round(avg(hours_to_resolve), 1) AS hours_to_resolve,
    round(avg(satisfaction), 2) AS satisfaction
FROM {bi}.fact_service_quality
WHERE kind = ''complaint''
GROUP BY class
ORDER BY complaints DESC'
AS
WITH
    moment -> toDateTime(toUInt32(clamp(toUnixTimestamp64Second(moment), 0, 4294967295)), 'UTC') AS as_time,
    -- A promise is kept or missed when the thing is done; before that it is missed once the time has passed.
    multiIf(i.first_answer_due_time IS NULL, NULL, ifNull(i.first_answer_time, now64(6, 'UTC')) > i.first_answer_due_time, 0, i.first_answer_time IS NULL, NULL, 1) AS answered,
    multiIf(i.due_time IS NULL, NULL, ifNull(i.resolved_time, now64(6, 'UTC')) > i.due_time, 0, i.resolved_time IS NULL, NULL, 1) AS resolved
SELECT
    i.interaction_id AS interaction_id,
    i.customer_id AS customer_id,
    i.business_date AS business_date,
    i.kind AS kind,
    i.class AS class,
    i.priority AS priority,
    i.channel AS channel,
    i.outcome AS outcome,
    i.service_level_id AS service_level_id,
    dictGet('{warehouse}.service_level_lookup', 'name', i.service_level_id) AS service_level,
    as_time(i.opened_time) AS opened_time,
    as_time(i.first_answer_time) AS first_answer_time,
    as_time(i.first_answer_due_time) AS first_answer_due_time,
    as_time(i.resolved_time) AS resolved_time,
    as_time(i.due_time) AS due_time,
    i.resolved_time IS NULL AS is_open,
    dateDiff('second', i.opened_time, i.first_answer_time) / 3600 AS hours_to_answer,
    dateDiff('second', i.opened_time, i.resolved_time) / 3600 AS hours_to_resolve,
    answered AS answered_in_time,
    resolved AS resolved_in_time,
    multiIf(answered = 0 OR resolved = 0, 0, (answered IS NULL AND i.first_answer_due_time IS NOT NULL) OR (resolved IS NULL AND i.due_time IS NOT NULL), NULL,
        answered IS NULL AND resolved IS NULL, NULL, 1) AS within_service_level,
    i.reopened_count AS reopened_count,
    nullIf(i.satisfaction, 0) AS satisfaction,
    i.manager_id AS handled_by_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', i.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', i.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', i.customer_id) AS region_id
FROM {warehouse}.interaction AS i FINAL
WHERE i.kind IN ('complaint', 'request');
