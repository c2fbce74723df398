-- The database for analysts: what happened. See 00024_bi_dimension.sql for what holds for every view, and 00023_lookup.sql for who
-- the owner of an account is.
--
-- Conditions on account_id and business_date reach the sort key and the partitions of transactions below the views: name a span of
-- days wherever there is one.

-- +goose Up
CREATE OR REPLACE VIEW {bi}.fact_transaction
(
    transaction_id     UInt64 COMMENT 'Transaction',
    account_id         UInt64 COMMENT 'Account that it moved, see dim_account',
    customer_id        UInt64 COMMENT 'Owner of the account, see dim_customer; 0: unknown',
    contract_id        UInt64 COMMENT 'Contract that the account belongs to, see fact_contract; 0: none',
    product_id         UInt64 COMMENT 'Product of the account, see dim_product; 0: unknown',
    branch_id          UInt64 COMMENT 'Branch that looks after the owner, see dim_branch; 0: unknown',
    manager_id         UInt64 COMMENT 'Manager who looks after the owner, see dim_manager; 0: none',
    region_id          UInt64 COMMENT 'Region of the owner, see dim_region; 0: unknown',
    business_date      Date COMMENT 'Day on which it counts, see dim_date',
    kind               LowCardinality(String) COMMENT 'Kind, for example card_payment',
    direction          LowCardinality(String) COMMENT 'credit or debit',
    purpose            LowCardinality(String) COMMENT 'What it was for, in the codes of its source; may be empty',
    amount             Decimal(38, 4) COMMENT 'Amount in currency, never negative',
    currency           LowCardinality(String) COMMENT 'ISO 4217 currency of amount',
    base_amount        Decimal(38, 4) COMMENT 'Amount in base currency at the rate of rate_date, never negative',
    base_signed_amount Decimal(38, 4) COMMENT 'base_amount, negative for debits: sums to the change of the balance',
    base_currency      LowCardinality(String) COMMENT 'ISO 4217 code of the base currency',
    rate_date          Date COMMENT 'Day of the rate behind base_amount'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Transactions that are posted; reversed ones are not in it. Who is on the other side stays in Postgres.

Question: How much did customers turn over in each month of the last year?
SELECT toStartOfMonth(business_date) AS month, direction, count() AS transactions, sum(base_amount) AS base_amount
FROM {bi}.fact_transaction
WHERE business_date >= toStartOfMonth(today()) - INTERVAL 1 YEAR
GROUP BY month, direction
ORDER BY month, direction

Question: Which branches grow most in card payments against the year before?
SELECT
    b.name AS branch,
    sumIf(t.base_amount, toYear(t.business_date) = toYear(today())) AS this_year,
    sumIf(t.base_amount, toYear(t.business_date) = toYear(today()) - 1) AS last_year
FROM {bi}.fact_transaction AS t
LEFT JOIN {bi}.dim_branch AS b USING (branch_id)
WHERE t.kind = ''card_payment'' AND t.business_date >= toStartOfYear(today()) - INTERVAL 1 YEAR
GROUP BY branch
ORDER BY this_year - last_year DESC
LIMIT 10'
AS
SELECT
    transaction_id,
    account_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    dictGet('{warehouse}.account_lookup', 'contract_id', account_id) AS contract_id,
    dictGet('{warehouse}.account_lookup', 'product_id', account_id) AS product_id,
    dictGet('{warehouse}.account_lookup', 'branch_id', account_id) AS branch_id,
    dictGet('{warehouse}.account_lookup', 'manager_id', account_id) AS manager_id,
    dictGet('{warehouse}.account_lookup', 'region_id', account_id) AS region_id,
    business_date,
    kind,
    direction,
    purpose,
    amount,
    currency,
    base_value AS base_amount,
    if(direction = 'debit', -base_value, base_value) AS base_signed_amount,
    base_currency,
    rate_date
FROM {warehouse}.transaction FINAL
WHERE state = 'posted';

-- As the front office shows it: a closing balance that was stated after the day counts for more than the running balance of the
-- day's last transaction, and that for more than a balance stated during the day. The rank is one number and no tuple: of numbers the
-- greatest is found several times as fast.
CREATE OR REPLACE VIEW {bi}.fact_balance_day
(
    account_id    UInt64 COMMENT 'Account, see dim_account',
    customer_id   UInt64 COMMENT 'Owner of the account, see dim_customer; 0: unknown',
    product_id    UInt64 COMMENT 'Product of the account, see dim_product; 0: unknown',
    branch_id     UInt64 COMMENT 'Branch that looks after the owner, see dim_branch; 0: unknown',
    manager_id    UInt64 COMMENT 'Manager who looks after the owner, see dim_manager; 0: none',
    region_id     UInt64 COMMENT 'Region of the owner, see dim_region; 0: unknown',
    business_date Date COMMENT 'Day at whose end the balance stood, see dim_date',
    balance       Decimal(38, 4) COMMENT 'Balance in the books at the end of the day, in currency; negative when overdrawn',
    currency      LowCardinality(String) COMMENT 'ISO 4217 currency of the account',
    base_balance  Nullable(Decimal(38, 4)) COMMENT 'Balance in base currency at the last rate known by the day; NULL when none is known'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Balances at the end of days: a row for each account and each day on which its balance became known. Between them the last one holds, so never sum over days: take the last balance of each account up to the day asked for, as the first question does.

Question: What did the balances add up to at the end of last month, by currency?
SELECT currency, count() AS accounts, sum(last_balance) AS balance
FROM
(
    SELECT account_id, any(currency) AS currency, argMax(balance, business_date) AS last_balance
    FROM {bi}.fact_balance_day
    WHERE business_date < toStartOfMonth(today())
    GROUP BY account_id
)
GROUP BY currency
ORDER BY currency'
AS
SELECT
    account_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    dictGet('{warehouse}.account_lookup', 'product_id', account_id) AS product_id,
    dictGet('{warehouse}.account_lookup', 'branch_id', account_id) AS branch_id,
    dictGet('{warehouse}.account_lookup', 'manager_id', account_id) AS manager_id,
    dictGet('{warehouse}.account_lookup', 'region_id', account_id) AS region_id,
    business_date,
    balance,
    currency,
    CAST(round(balance * dictGetOrNull('{warehouse}.currency_lookup', 'rate', tuple(currency), business_date), 4), 'Nullable(Decimal(38, 4))') AS base_balance
FROM
(
    SELECT
        account_id,
        business_date,
        argMax(ledger, rank) AS balance,
        dictGet('{warehouse}.account_lookup', 'currency', account_id) AS currency
    FROM
    (
        SELECT account_id, business_date, assumeNotNull(balance_after) AS ledger, transaction_id AS rank
        FROM {warehouse}.transaction FINAL
        WHERE state = 'posted' AND balance_after IS NOT NULL
        UNION ALL
        SELECT account_id, business_date, ledger, if(closing = 1, toUInt64(18446744073709551615), toUInt64(0)) AS rank
        FROM {warehouse}.account_balance FINAL
    )
    GROUP BY account_id, business_date
);

CREATE OR REPLACE VIEW {bi}.fact_interaction
(
    interaction_id   UInt64 COMMENT 'Interaction',
    customer_id      UInt64 COMMENT 'Customer, see dim_customer',
    business_date    Date COMMENT 'Day on which it happened or was opened, see dim_date',
    kind             LowCardinality(String) COMMENT 'Kind, for example call, meeting, application, complaint',
    channel          LowCardinality(String) COMMENT 'Channel, for example phone, branch, mobile_app; may be empty',
    outcome          LowCardinality(String) COMMENT 'What came of it, in the codes of the bank; may be empty',
    campaign         LowCardinality(String) COMMENT 'Campaign that it belongs to; may be empty',
    duration_seconds UInt32 COMMENT 'Duration in seconds; 0: unknown',
    participants     UInt32 COMMENT 'Customers and managers who took part beside the customer',
    account_id       UInt64 COMMENT 'Account that it is about, see dim_account; 0: none',
    contract_id      UInt64 COMMENT 'Contract that it is about, see fact_contract; 0: none',
    card_id          UInt64 COMMENT 'Card that it is about, see dim_card; 0: none',
    handled_by_id    UInt64 COMMENT 'Manager who had the contact, see dim_manager; 0: none',
    branch_id        UInt64 COMMENT 'Branch that looks after the customer, see dim_branch; 0: none',
    manager_id       UInt64 COMMENT 'Manager who looks after the customer, see dim_manager; 0: none',
    region_id        UInt64 COMMENT 'Region of the customer, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Contacts with customers: calls, visits, messages, applications, complaints, requests, without subject and text.

Question: Which channels do customers use, month by month?
SELECT toStartOfMonth(business_date) AS month, channel, count() AS contacts, uniqExact(customer_id) AS customers
FROM {bi}.fact_interaction
GROUP BY month, channel
ORDER BY month, contacts DESC'
AS
SELECT
    interaction_id,
    customer_id,
    business_date,
    kind,
    channel,
    outcome,
    campaign,
    duration_seconds,
    length(participant_roles) AS participants,
    account_id,
    contract_id,
    card_id,
    interaction.manager_id AS handled_by_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', customer_id) AS region_id
FROM {warehouse}.interaction FINAL;

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
    l.name AS service_level,
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
FROM (SELECT * FROM {warehouse}.interaction FINAL WHERE kind IN ('complaint', 'request')) AS i
LEFT JOIN (SELECT service_level_id, name FROM {warehouse}.service_level FINAL) AS l ON l.service_level_id = i.service_level_id
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {bi}.fact_contract
(
    contract_id       UInt64 COMMENT 'Contract',
    customer_id       UInt64 COMMENT 'Main party: the borrower, depositor, policy holder or holder, else the owner of its account, see dim_customer; 0: unknown',
    account_id        UInt64 COMMENT 'Account that it is settled on, see dim_account; 0: none',
    product_id        UInt64 COMMENT 'Product, see dim_product; 0: unknown',
    business_date     Nullable(Date) COMMENT 'Day on which it was opened, else signed, see dim_date; NULL: unknown',
    kind              LowCardinality(String) COMMENT 'Kind, for example loan, deposit, standing_order',
    state             LowCardinality(String) COMMENT 'draft, signed, running, in_arrears, finished, defaulted or cancelled; may be empty',
    state_since       Nullable(DateTime('UTC')) COMMENT 'Since when it has been in this state',
    signed            Nullable(Date) COMMENT 'Day signed',
    opened            Nullable(Date) COMMENT 'Day opened',
    closed            Nullable(Date) COMMENT 'Day ended; NULL while it runs',
    maturity          Nullable(Date) COMMENT 'Day of the agreed end',
    duration_months   UInt32 COMMENT 'Term in months; 0: open-ended',
    amount            Nullable(Decimal(38, 4)) COMMENT 'Amount agreed, in currency',
    instalment        Nullable(Decimal(38, 4)) COMMENT 'Monthly instalment, in currency',
    credit_limit      Nullable(Decimal(38, 4)) COMMENT 'Limit or sum insured, in currency',
    currency          LowCardinality(String) COMMENT 'ISO 4217 currency of the amounts; may be empty when there is none',
    base_amount       Nullable(Decimal(38, 4)) COMMENT 'amount in base currency at the last rate known by business_date; NULL when none is known',
    annual_rate       Nullable(Decimal(18, 8)) COMMENT 'Yearly interest rate as a fraction',
    rate_kind         LowCardinality(String) COMMENT 'fixed, variable or empty',
    secured           UInt8 COMMENT '1 when anything secures it',
    purpose           LowCardinality(String) COMMENT 'What it is for, in the codes of its source; may be empty',
    parties           UInt64 COMMENT 'Parties at present',
    overdue           Decimal(38, 4) COMMENT 'Unpaid part of the instalments that were due before today, in currency',
    days_past_due     UInt32 COMMENT 'Days since the oldest of them was due; 0: none is late',
    branch_id         UInt64 COMMENT 'Branch that looks after the main party, see dim_branch; 0: unknown',
    manager_id        UInt64 COMMENT 'Manager who looks after the main party, see dim_manager; 0: none',
    region_id         UInt64 COMMENT 'Region of the main party, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Contracts as they are now: loans, deposits, standing orders and others, with their arrears.

Question: How many loans run at each branch, how much was lent, and how much is late?
SELECT b.name AS branch, count() AS loans, sum(f.base_amount) AS lent, countIf(f.days_past_due > 30) AS late_over_30_days
FROM {bi}.fact_contract AS f
LEFT JOIN {bi}.dim_branch AS b USING (branch_id)
WHERE f.kind = ''loan'' AND f.closed IS NULL
GROUP BY branch
ORDER BY lent DESC'
AS
WITH
    day -> toDate(toUInt16(clamp(toInt32(day), 0, 65535))) AS as_day,
    moment -> toDateTime(toUInt32(clamp(toUnixTimestamp64Second(moment), 0, 4294967295)), 'UTC') AS as_time,
    if(p.customer_id != 0, p.customer_id, dictGet('{warehouse}.account_lookup', 'customer_id', c.account_id)) AS main_party,
    coalesce(c.opened, c.signed) AS begun,
    multiIf(c.amount_currency != '', c.amount_currency, c.instalment_currency != '', c.instalment_currency, c.currency) AS money
SELECT
    c.contract_id AS contract_id,
    main_party AS customer_id,
    c.account_id AS account_id,
    c.product_id AS product_id,
    as_day(begun) AS business_date,
    c.kind AS kind,
    c.state AS state,
    as_time(c.state_since) AS state_since,
    as_day(c.signed) AS signed,
    as_day(c.opened) AS opened,
    as_day(c.closed) AS closed,
    as_day(c.maturity) AS maturity,
    c.duration_months AS duration_months,
    c.amount AS amount,
    c.instalment AS instalment,
    c.credit_limit AS credit_limit,
    money AS currency,
    CAST(round(c.amount * dictGetOrNull('{warehouse}.currency_lookup', 'rate', tuple(toString(money)), toDate(ifNull(begun, toDate32(today())))), 4), 'Nullable(Decimal(38, 4))') AS base_amount,
    c.annual_rate AS annual_rate,
    c.rate_kind AS rate_kind,
    c.secured AS secured,
    c.purpose AS purpose,
    p.parties AS parties,
    s.overdue AS overdue,
    s.days_past_due AS days_past_due,
    dictGet('{warehouse}.customer_lookup', 'branch_id', main_party) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', main_party) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', main_party) AS region_id
FROM (SELECT * FROM {warehouse}.contract FINAL) AS c
LEFT JOIN
(
    -- Of several main parties the one with the largest share, then the first recorded.
    SELECT
        contract_id,
        argMaxIf(customer_id, (ifNull(share, 0), -toInt64(contract_party_id)), role IN ('borrower', 'depositor', 'policy_holder', 'holder')) AS customer_id,
        count() AS parties
    FROM {warehouse}.contract_party FINAL
    WHERE (valid_from IS NULL OR valid_from <= today()) AND (valid_to IS NULL OR valid_to >= today())
    GROUP BY contract_id
) AS p ON p.contract_id = c.contract_id
LEFT JOIN
(
    SELECT contract_id, sum(outstanding) AS overdue, toUInt32(dateDiff('day', min(due), today())) AS days_past_due
    FROM {warehouse}.instalment FINAL
    WHERE due < today() AND outstanding > 0
    GROUP BY contract_id
) AS s ON s.contract_id = c.contract_id
SETTINGS join_use_nulls = 0;

CREATE OR REPLACE VIEW {bi}.fact_rfm
(
    run_id           UUID COMMENT 'Run that computed it',
    as_of            Date COMMENT 'Day that the run looks back from, see dim_date',
    is_newest        UInt8 COMMENT '1 in the newest run for this as_of: name it unless runs are compared',
    computed_time    DateTime('UTC') COMMENT 'When the run ended',
    window_days      UInt32 COMMENT 'Days that the run looks back',
    customer_id      UInt64 COMMENT 'Customer, see dim_customer',
    recency_days     UInt32 COMMENT 'Days from the last transaction to as_of',
    frequency        UInt64 COMMENT 'Transactions in the window',
    base_monetary    Decimal(38, 4) COMMENT 'What they add up to, in base currency',
    base_currency    LowCardinality(String) COMMENT 'ISO 4217 code of the base currency',
    recency_bin      UInt8 COMMENT 'Bin of recency, 1 to 5, 5 is best',
    frequency_bin    UInt8 COMMENT 'Bin of frequency, 1 to 5, 5 is best',
    monetary_bin     UInt8 COMMENT 'Bin of monetary value, 1 to 5, 5 is best',
    cell             String COMMENT 'The three bins together, for example 555',
    place            UInt64 COMMENT 'Place in the run, 1 is best',
    branch_id        UInt64 COMMENT 'Branch that looks after the customer now, see dim_branch; 0: none',
    manager_id       UInt64 COMMENT 'Manager who looks after the customer now, see dim_manager; 0: none',
    region_id        UInt64 COMMENT 'Region of the customer now, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Recency, frequency and monetary value of customers: every run that was finished, one row for each customer in it.

Question: How many customers moved from one recency bin to another between the last two snapshots?
SELECT before.recency_bin AS from_bin, after.recency_bin AS to_bin, count() AS customers
FROM {bi}.fact_rfm AS before
INNER JOIN {bi}.fact_rfm AS after ON after.customer_id = before.customer_id
WHERE before.is_newest AND after.is_newest
    AND after.as_of = (SELECT max(as_of) FROM {bi}.fact_rfm)
    AND before.as_of = (SELECT max(as_of) FROM {bi}.fact_rfm WHERE as_of < (SELECT max(as_of) FROM {bi}.fact_rfm))
GROUP BY from_bin, to_bin
ORDER BY from_bin, to_bin'
AS
SELECT
    s.run_id AS run_id,
    s.as_of AS as_of,
    r.run_id = r.newest_run_id AS is_newest,
    r.computed_time AS computed_time,
    r.window_days AS window_days,
    s.customer_id AS customer_id,
    s.recency_days AS recency_days,
    s.frequency AS frequency,
    s.monetary AS base_monetary,
    r.base_currency AS base_currency,
    s.recency_bin AS recency_bin,
    s.frequency_bin AS frequency_bin,
    s.monetary_bin AS monetary_bin,
    concat(toString(s.recency_bin), toString(s.frequency_bin), toString(s.monetary_bin)) AS cell,
    s.place AS place,
    dictGet('{warehouse}.customer_lookup', 'branch_id', s.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', s.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', s.customer_id) AS region_id
FROM {warehouse}.rfm_score AS s
INNER JOIN
(
    SELECT run_id, computed_time, window_days, base_currency, argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY as_of) AS newest_run_id
    FROM {warehouse}.rfm_run FINAL
) AS r ON r.run_id = s.run_id;

CREATE OR REPLACE VIEW {bi}.fact_segment_member
(
    segment            LowCardinality(String) COMMENT 'Name of the segment',
    definition_version UInt32 COMMENT 'Version of its definition',
    run_id             UUID COMMENT 'Run that found the customer',
    as_of              Date COMMENT 'Day whose state was looked at, see dim_date',
    is_newest          UInt8 COMMENT '1 in the newest run of the segment for this as_of: name it unless runs are compared',
    computed_time      DateTime('UTC') COMMENT 'When the run ended',
    customer_id        UInt64 COMMENT 'Customer in the segment, see dim_customer',
    branch_id          UInt64 COMMENT 'Branch that looks after the customer now, see dim_branch; 0: none',
    manager_id         UInt64 COMMENT 'Manager who looks after the customer now, see dim_manager; 0: none',
    region_id          UInt64 COMMENT 'Region of the customer now, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Who was in which segment: every run that was finished, one row for each member.

Question: How did each segment grow?
SELECT segment, as_of, count() AS customers
FROM {bi}.fact_segment_member
WHERE is_newest
GROUP BY segment, as_of
ORDER BY segment, as_of'
AS
SELECT
    m.segment AS segment,
    r.definition_version AS definition_version,
    m.run_id AS run_id,
    m.as_of AS as_of,
    r.run_id = r.newest_run_id AS is_newest,
    r.computed_time AS computed_time,
    m.customer_id AS customer_id,
    dictGet('{warehouse}.customer_lookup', 'branch_id', m.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', m.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', m.customer_id) AS region_id
FROM {warehouse}.segment_member AS m
INNER JOIN
(
    SELECT run_id, definition_version, computed_time, argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY segment, as_of) AS newest_run_id
    FROM {warehouse}.segment_run FINAL
) AS r ON r.run_id = m.run_id;

CREATE OR REPLACE VIEW {bi}.fact_score
(
    score              LowCardinality(String) COMMENT 'Name of the score',
    definition_version UInt32 COMMENT 'Version of its definition',
    run_id             UUID COMMENT 'Run that computed it',
    as_of              Date COMMENT 'Day whose state was looked at, see dim_date',
    is_newest          UInt8 COMMENT '1 in the newest run of the score for this as_of: name it unless runs are compared',
    computed_time      DateTime('UTC') COMMENT 'When the run ended',
    customer_id        UInt64 COMMENT 'Customer scored, see dim_customer',
    value              Float64 COMMENT 'The score, in the unit of its definition',
    band               LowCardinality(String) COMMENT 'Band of the definition that the value lies in; may be empty',
    branch_id          UInt64 COMMENT 'Branch that looks after the customer now, see dim_branch; 0: none',
    manager_id         UInt64 COMMENT 'Manager who looks after the customer now, see dim_manager; 0: none',
    region_id          UInt64 COMMENT 'Region of the customer now, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Scores of customers: every run that was finished, one row for each customer in it.

Question: How are the newest scores spread over their bands?
SELECT score, band, count() AS customers, round(avg(value), 4) AS mean
FROM {bi}.fact_score
WHERE is_newest AND (score, as_of) IN (SELECT score, max(as_of) FROM {bi}.fact_score GROUP BY score)
GROUP BY score, band
ORDER BY score, band'
AS
SELECT
    v.score AS score,
    r.definition_version AS definition_version,
    v.run_id AS run_id,
    v.as_of AS as_of,
    r.run_id = r.newest_run_id AS is_newest,
    r.computed_time AS computed_time,
    v.customer_id AS customer_id,
    v.value AS value,
    v.band AS band,
    dictGet('{warehouse}.customer_lookup', 'branch_id', v.customer_id) AS branch_id,
    dictGet('{warehouse}.customer_lookup', 'manager_id', v.customer_id) AS manager_id,
    dictGet('{warehouse}.customer_lookup', 'region_id', v.customer_id) AS region_id
FROM {warehouse}.score AS v
INNER JOIN
(
    SELECT run_id, definition_version, computed_time, argMax(run_id, (computed_time, run_id)) OVER (PARTITION BY score, as_of) AS newest_run_id
    FROM {warehouse}.score_run FINAL
) AS r ON r.run_id = v.run_id;
