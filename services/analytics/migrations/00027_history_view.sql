-- Records as they were at a moment: SELECT … FROM customer_at(at = '2026-03-01 00:00:00'). A record that was deleted by then
-- is not there. The moment is that of the change in the operational half; days of validity inside a record are facts of
-- the record and not its history.
--
-- LIMIT 1 BY after a sort by the key is read in the order of the file. See 00026_history.sql.

-- +goose Up
CREATE VIEW IF NOT EXISTS {warehouse}.region_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.region_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY region_id DESC, version DESC
    LIMIT 1 BY region_id
)
WHERE deleted = 0
COMMENT 'Every region as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.branch_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.branch_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY branch_id DESC, version DESC
    LIMIT 1 BY branch_id
)
WHERE deleted = 0
COMMENT 'Every branch as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.manager_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.manager_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY manager_id DESC, version DESC
    LIMIT 1 BY manager_id
)
WHERE deleted = 0
COMMENT 'Every manager as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.customer_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.customer_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY customer_id DESC, version DESC
    LIMIT 1 BY customer_id
)
WHERE deleted = 0
COMMENT 'Every customer as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.attribute_definition_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.attribute_definition_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY attribute_definition_id DESC, version DESC
    LIMIT 1 BY attribute_definition_id
)
WHERE deleted = 0
COMMENT 'Every attribute_definition as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.consent_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.consent_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY consent_id DESC, version DESC
    LIMIT 1 BY consent_id
)
WHERE deleted = 0
COMMENT 'Every consent as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.relation_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.relation_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY relation_id DESC, version DESC
    LIMIT 1 BY relation_id
)
WHERE deleted = 0
COMMENT 'Every relation as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.document_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.document_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY document_id DESC, version DESC
    LIMIT 1 BY document_id
)
WHERE deleted = 0
COMMENT 'Every document as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.product_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.product_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY product_id DESC, version DESC
    LIMIT 1 BY product_id
)
WHERE deleted = 0
COMMENT 'Every product as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.contract_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.contract_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY contract_id DESC, version DESC
    LIMIT 1 BY contract_id
)
WHERE deleted = 0
COMMENT 'Every contract as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.contract_party_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.contract_party_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY contract_party_id DESC, version DESC
    LIMIT 1 BY contract_party_id
)
WHERE deleted = 0
COMMENT 'Every contract_party as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.instalment_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.instalment_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY instalment_id DESC, version DESC
    LIMIT 1 BY instalment_id
)
WHERE deleted = 0
COMMENT 'Every instalment as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.account_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.account_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY account_id DESC, version DESC
    LIMIT 1 BY account_id
)
WHERE deleted = 0
COMMENT 'Every account as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.account_balance_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.account_balance_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY account_id DESC, business_date DESC, version DESC
    LIMIT 1 BY account_id, business_date
)
WHERE deleted = 0
COMMENT 'Every account_balance as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.account_holder_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.account_holder_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY account_holder_id DESC, version DESC
    LIMIT 1 BY account_holder_id
)
WHERE deleted = 0
COMMENT 'Every account_holder as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.card_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.card_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY card_id DESC, version DESC
    LIMIT 1 BY card_id
)
WHERE deleted = 0
COMMENT 'Every card as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.interaction_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.interaction_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY interaction_id DESC, version DESC
    LIMIT 1 BY interaction_id
)
WHERE deleted = 0
COMMENT 'Every interaction as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.service_level_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.service_level_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY service_level_id DESC, version DESC
    LIMIT 1 BY service_level_id
)
WHERE deleted = 0
COMMENT 'Every service_level as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.transaction_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.transaction_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY account_id DESC, business_date DESC, transaction_id DESC, version DESC
    LIMIT 1 BY account_id, business_date, transaction_id
)
WHERE deleted = 0
COMMENT 'Every transaction as it was at a moment';

CREATE VIEW IF NOT EXISTS {warehouse}.behaviour_event_at AS
SELECT * FROM
(
    SELECT * FROM {warehouse}.behaviour_event_history
    WHERE change_time <= {at:DateTime64(6)}
    ORDER BY kind DESC, business_date DESC, behaviour_event_id DESC, version DESC
    LIMIT 1 BY kind, business_date, behaviour_event_id
)
WHERE deleted = 0
COMMENT 'Every behaviour_event as it was at a moment';

-- For analysts: customers and accounts over time, a row for each version, from when to when it held (a slowly changing
-- dimension of type 2). Branches see the versions in which the customer was theirs.
CREATE OR REPLACE VIEW {bi}.dim_customer_history
(
    customer_id UInt64 COMMENT 'Customer number',
    valid_from  DateTime('UTC') COMMENT 'When this version was recorded',
    valid_to    DateTime('UTC') COMMENT 'When the next one was; 2106-02-07 in the last',
    is_current  UInt8 COMMENT '1 in the last version',
    kind        LowCardinality(String) COMMENT 'individual or organisation',
    state       LowCardinality(String) COMMENT 'prospect, active or former',
    branch_id   UInt64 COMMENT 'Branch that looked after the customer, see dim_branch; 0: none',
    manager_id  UInt64 COMMENT 'Manager who looked after the customer, see dim_manager; 0: none',
    region_id   UInt64 COMMENT 'Region where the customer lived or sat, see dim_region; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Customers over time: a row for each version of a customer. Join on customer_id and valid_from <= moment < valid_to.

Question: How many active customers did each branch have at the beginning of the year?
SELECT branch_id, count() AS customers
FROM {bi}.dim_customer_history
WHERE valid_from <= toStartOfYear(now()) AND valid_to > toStartOfYear(now()) AND state = ''active''
GROUP BY branch_id
ORDER BY branch_id'
AS
SELECT customer_id, change_time AS valid_from, next AS valid_to, next >= toDateTime64('2106-02-07', 6, 'UTC') AS is_current, kind, state, branch_id, manager_id, region_id
FROM
(
    SELECT
        *,
        leadInFrame(change_time, 1, toDateTime64('2106-02-07', 6, 'UTC'))
            OVER (PARTITION BY customer_id ORDER BY version ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
    FROM (SELECT customer_id, version, deleted, change_time, kind, state, branch_id, manager_id, region_id FROM {warehouse}.customer_history FINAL)
)
WHERE deleted = 0;

CREATE OR REPLACE VIEW {bi}.dim_account_history
(
    account_id  UInt64 COMMENT 'Account',
    valid_from  DateTime('UTC') COMMENT 'When this version was recorded',
    valid_to    DateTime('UTC') COMMENT 'When the next one was; 2106-02-07 in the last',
    is_current  UInt8 COMMENT '1 in the last version',
    state       LowCardinality(String) COMMENT 'open, blocked or closed',
    product_id  UInt64 COMMENT 'Product, see dim_product; 0: unknown',
    customer_id UInt64 COMMENT 'Owner of the account now, see dim_customer; 0: unknown',
    branch_id   UInt64 COMMENT 'Branch that looks after the owner now, see dim_branch; 0: unknown'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
COMMENT 'Accounts over time: a row for each version of an account. Join on account_id and valid_from <= moment < valid_to.

Question: How often were accounts blocked in each month?
SELECT toStartOfMonth(valid_from) AS month, count() AS times
FROM {bi}.dim_account_history
WHERE state = ''blocked''
GROUP BY month
ORDER BY month'
AS
SELECT
    account_id,
    change_time AS valid_from,
    next AS valid_to,
    next >= toDateTime64('2106-02-07', 6, 'UTC') AS is_current,
    state,
    product_id,
    dictGet('{warehouse}.account_lookup', 'customer_id', account_id) AS customer_id,
    dictGet('{warehouse}.account_lookup', 'branch_id', account_id) AS branch_id
FROM
(
    SELECT
        *,
        leadInFrame(change_time, 1, toDateTime64('2106-02-07', 6, 'UTC'))
            OVER (PARTITION BY account_id ORDER BY version ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
    FROM (SELECT account_id, version, deleted, change_time, state, product_id FROM {warehouse}.account_history FINAL)
)
WHERE deleted = 0;
