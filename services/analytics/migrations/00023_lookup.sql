-- What facts look up: whose account it is, who looks after the customer, and what a currency was worth.
--
-- Dictionaries and not joins: a join in a view is done by every query, also by one that asks for none of its columns, while a
-- dictGet that nobody asks for costs nothing. Measured on 20 million transactions: see deploy/e2e/olap.
--
-- They are here and not in the database for analysts: whoever may call dictGet gets rows past every row policy, and columns of a
-- dictionary can't have comments. The views there read them with the rights of their maker.
--
-- HASHED_ARRAY: an array for each attribute and one hash for all of them, the smallest of the hashed layouts. FLAT would be
-- quicker, but a single id far from the others would refuse to load.
--
-- They follow within a minute: every 30 to 60 seconds the newest change of their tables is compared, and only when it moved are
-- they loaded anew. Whoever needs them exact at once says SYSTEM RELOAD DICTIONARY first.
--
-- The owner of an account is the holder in the role of owner whose holding began last, also after it ended: money of closed
-- accounts keeps its owner. Branch, manager and region of a fact are the owner's, so that totals by customer and totals by branch
-- agree; the account's own branch and region stand in where the owner is unknown or has none.

-- +goose Up
CREATE OR REPLACE VIEW {warehouse}.account_lookup_source AS
SELECT
    a.account_id AS account_id,
    owner.customer_id AS customer_id,
    a.contract_id AS contract_id,
    a.product_id AS product_id,
    a.currency AS currency,
    if(c.branch_id != 0, c.branch_id, a.branch_id) AS branch_id,
    c.manager_id AS manager_id,
    if(c.region_id != 0, c.region_id, a.region_id) AS region_id
FROM (SELECT account_id, contract_id, product_id, currency, branch_id, region_id FROM {warehouse}.account FINAL) AS a
LEFT JOIN
(
    SELECT account_id, argMax(customer_id, (ifNull(valid_from, toDate32('1900-01-01')), account_holder_id)) AS customer_id
    FROM {warehouse}.account_holder FINAL
    WHERE role = 'owner' AND (valid_from IS NULL OR valid_from <= today())
    GROUP BY account_id
) AS owner ON owner.account_id = a.account_id
LEFT JOIN (SELECT customer_id, branch_id, manager_id, region_id FROM {warehouse}.customer FINAL) AS c ON c.customer_id = owner.customer_id
SETTINGS join_use_nulls = 0;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.account_lookup
(
    account_id  UInt64,
    customer_id UInt64 DEFAULT 0,
    contract_id UInt64 DEFAULT 0,
    product_id  UInt64 DEFAULT 0,
    currency    String DEFAULT '',
    branch_id   UInt64 DEFAULT 0,
    manager_id  UInt64 DEFAULT 0,
    region_id   UInt64 DEFAULT 0
)
PRIMARY KEY account_id
SOURCE(CLICKHOUSE(
    TABLE 'account_lookup_source'
    INVALIDATE_QUERY 'SELECT (SELECT (max(change_time), count()) FROM {warehouse}.account), (SELECT (max(change_time), count()) FROM {warehouse}.account_holder), (SELECT (max(change_time), count()) FROM {warehouse}.customer), today()'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 30 MAX 60)
COMMENT 'Owner of each account, and who looks after the owner';

CREATE OR REPLACE VIEW {warehouse}.customer_lookup_source AS
SELECT customer_id, kind, branch_id, manager_id, region_id FROM {warehouse}.customer FINAL;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.customer_lookup
(
    customer_id UInt64,
    kind        String DEFAULT '',
    branch_id   UInt64 DEFAULT 0,
    manager_id  UInt64 DEFAULT 0,
    region_id   UInt64 DEFAULT 0
)
PRIMARY KEY customer_id
SOURCE(CLICKHOUSE(
    TABLE 'customer_lookup_source'
    INVALIDATE_QUERY 'SELECT max(change_time), count() FROM {warehouse}.customer'
))
LAYOUT(HASHED_ARRAY())
LIFETIME(MIN 30 MAX 60)
COMMENT 'Who looks after each customer';

-- A rate holds until the next one is known; before the first there is none.
CREATE OR REPLACE VIEW {warehouse}.currency_lookup_source AS
SELECT
    currency,
    if(own, toDate('1970-01-01'), rate_date) AS valid_from,
    if(own OR next = toDate('1970-01-01'), toDate('2149-06-06'), next - 1) AS valid_to,
    if(own, toDecimal128(1, 10), day_rate) AS rate,
    base_currency
FROM
(
    SELECT
        currency,
        rate_date,
        base_currency,
        currency = base_currency AS own,
        day_rate,
        leadInFrame(rate_date) OVER (PARTITION BY currency ORDER BY rate_date ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
    FROM (SELECT currency, rate_date, base_currency, argMaxMerge(rate) AS day_rate FROM {warehouse}.currency_rate GROUP BY currency, rate_date, base_currency)
)
-- Of the base currency one row is enough: it is worth itself on every day.
LIMIT 1 BY currency, valid_from;

CREATE DICTIONARY IF NOT EXISTS {warehouse}.currency_lookup
(
    currency      String,
    valid_from    Date,
    valid_to      Date,
    rate          Decimal(38, 10) DEFAULT 0,
    base_currency String DEFAULT ''
)
PRIMARY KEY currency
SOURCE(CLICKHOUSE(TABLE 'currency_lookup_source' INVALIDATE_QUERY 'SELECT count(), max(rate_date) FROM {warehouse}.currency_rate'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED())
RANGE(MIN valid_from MAX valid_to)
LIFETIME(MIN 30 MAX 60)
COMMENT 'What a unit of a currency was worth in base currency, by day';
