-- By whom records are found: what customer facts need to look up a few customers without reading whole tables, and what money was
-- worth by what was known at a past moment. See services/analytics/internal/customerfact/facts.yaml.
--
-- The tables here are filled by materialized views from the tables of records, as 00026_history.sql does, and hold nothing that is not
-- there. AggregatingMergeTree without aggregates is a set: equal keys become one row. In a cluster it also says that rows lie on the
-- shard of the record that they come from, and not on that of their key (see cluster.go); for the same reason no key here is called
-- customer_id.

-- +goose Up

-- Which records belong together, each pair both ways: account 7 is found from customer 1, and customer 1 from account 7. A pair is never
-- taken away, also when a card moves to another account: it tells where to look, and the record itself tells what is so.
--
-- Key: from what to what; a question names entity, entity_id and other, and reads one stretch.
CREATE TABLE IF NOT EXISTS record_link
(
    entity    LowCardinality(String) COMMENT 'Kind of the record: customer, account, contract, card …' CODEC(ZSTD(1)),
    entity_id UInt64 COMMENT 'Its number' CODEC(Delta, ZSTD(1)),
    other     LowCardinality(String) COMMENT 'Kind of a record that belongs to it, or that it belongs to' CODEC(ZSTD(1)),
    other_id  UInt64 COMMENT 'Number of that record' CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (entity, entity_id, other, other_id)
COMMENT 'Which records belong together, or once did';

CREATE MATERIALIZED VIEW IF NOT EXISTS account_holder_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'account', account_id), ('account', account_id, 'customer', customer_id),
        ('account', account_id, 'account_holder', account_holder_id), ('account_holder', account_holder_id, 'account', account_id)]) AS link
    FROM account_holder
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'account', account_id), ('account', account_id, 'customer', customer_id),
        ('account', account_id, 'account_holder', account_holder_id), ('account_holder', account_holder_id, 'account', account_id)]) AS link
    FROM account_holder_history
)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS contract_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([('account', account_id, 'contract', contract_id), ('contract', contract_id, 'account', account_id)]) AS link
    FROM contract
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([('account', account_id, 'contract', contract_id), ('contract', contract_id, 'account', account_id)]) AS link
    FROM contract_history
)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS contract_party_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'contract', contract_id), ('contract', contract_id, 'customer', customer_id),
        ('contract', contract_id, 'contract_party', contract_party_id), ('contract_party', contract_party_id, 'contract', contract_id)]) AS link
    FROM contract_party
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'contract', contract_id), ('contract', contract_id, 'customer', customer_id),
        ('contract', contract_id, 'contract_party', contract_party_id), ('contract_party', contract_party_id, 'contract', contract_id)]) AS link
    FROM contract_party_history
)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS instalment_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([('contract', contract_id, 'instalment', instalment_id), ('instalment', instalment_id, 'contract', contract_id)]) AS link
    FROM instalment
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([('contract', contract_id, 'instalment', instalment_id), ('instalment', instalment_id, 'contract', contract_id)]) AS link
    FROM instalment_history
)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS card_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM (SELECT arrayJoin([('customer', customer_id, 'card', card_id), ('card', card_id, 'customer', customer_id)]) AS link FROM card)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM (SELECT arrayJoin([('customer', customer_id, 'card', card_id), ('card', card_id, 'customer', customer_id)]) AS link FROM card_history)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS consent_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM (SELECT arrayJoin([('customer', customer_id, 'consent', consent_id), ('consent', consent_id, 'customer', customer_id)]) AS link FROM consent)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM (SELECT arrayJoin([('customer', customer_id, 'consent', consent_id), ('consent', consent_id, 'customer', customer_id)]) AS link FROM consent_history)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS interaction_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([('customer', customer_id, 'interaction', interaction_id), ('interaction', interaction_id, 'customer', customer_id)]) AS link
    FROM interaction
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([('customer', customer_id, 'interaction', interaction_id), ('interaction', interaction_id, 'customer', customer_id)]) AS link
    FROM interaction_history
)
WHERE link.2 != 0 AND link.4 != 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS relation_link_feed TO record_link AS
SELECT link.1 AS entity, link.2 AS entity_id, link.3 AS other, link.4 AS other_id
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'relation', relation_id), ('relation', relation_id, 'customer', customer_id),
        ('customer', other_customer_id, 'relation', relation_id), ('relation', relation_id, 'customer', other_customer_id)]) AS link
    FROM relation
)
WHERE link.2 != 0 AND link.4 != 0;

INSERT INTO record_link
SELECT link.1, link.2, link.3, link.4
FROM
(
    SELECT arrayJoin([
        ('customer', customer_id, 'relation', relation_id), ('relation', relation_id, 'customer', customer_id),
        ('customer', other_customer_id, 'relation', relation_id), ('relation', relation_id, 'customer', other_customer_id)]) AS link
    FROM relation_history
)
WHERE link.2 != 0 AND link.4 != 0;

-- Events of known customers once more, by customer: in behaviour_event one customer's lie among those of all others of their kind and
-- day, and a thousand customers would be the whole table. Kind, time and customer of an event never change once the customer is known,
-- so every version of it is here under the same customer. Only the columns that facts read.
--
-- Key: the customer, then the identity. All versions stay, for what was known at a past moment.
CREATE TABLE IF NOT EXISTS customer_behaviour
(
    known_customer_id  UInt64 COMMENT 'Customer, never 0' CODEC(Delta, ZSTD(1)),
    behaviour_event_id UInt64 COMMENT 'Event' CODEC(Delta, ZSTD(1)),
    version            UInt64 CODEC(T64, ZSTD(1)),
    kind               LowCardinality(String) CODEC(ZSTD(1)),
    business_date      Date CODEC(Delta, ZSTD(1)),
    channel            LowCardinality(String) CODEC(ZSTD(1)),
    device             LowCardinality(String) CODEC(ZSTD(1)),
    campaign           LowCardinality(String) CODEC(ZSTD(1)),
    product_id         UInt64 CODEC(T64, ZSTD(1)),
    duration_seconds   UInt32 CODEC(T64, ZSTD(1)),
    deleted            UInt8 CODEC(ZSTD(1)),
    change_time        DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (known_customer_id, behaviour_event_id, version)
COMMENT 'Every version of the behaviour events of known customers, by customer';

CREATE MATERIALIZED VIEW IF NOT EXISTS customer_behaviour_feed TO customer_behaviour AS
SELECT
    customer_id AS known_customer_id, behaviour_event_id, version, kind, business_date, channel, device, campaign, product_id, duration_seconds,
    deleted, change_time
FROM behaviour_event
WHERE customer_id != 0;

INSERT INTO customer_behaviour
    (known_customer_id, behaviour_event_id, version, kind, business_date, channel, device, campaign, product_id, duration_seconds, deleted, change_time)
SELECT
    customer_id, behaviour_event_id, version, kind, business_date, channel, device, campaign, product_id, duration_seconds, deleted, change_time
FROM behaviour_event_history
WHERE customer_id != 0;

-- What a currency was worth, as currency_rate of 00022_currency_rate.sql, but also by when it became known: a rate that is booked today
-- for a day of last year must not change what facts said last year. Quarters of hours, for there begin the days of every zone.
CREATE TABLE IF NOT EXISTS currency_rate_known
(
    base_currency LowCardinality(String) COMMENT 'ISO 4217 code of the base currency of the bank',
    currency      LowCardinality(String) COMMENT 'ISO 4217 currency',
    rate_date     Date COMMENT 'Day of the rate' CODEC(Delta, ZSTD(1)),
    known_time    DateTime('UTC') COMMENT 'Quarter of an hour in which it was booked' CODEC(Delta, ZSTD(1)),
    rate          AggregateFunction(argMax, Decimal(38, 10), Tuple(Decimal(38, 4), Decimal(38, 4))) COMMENT 'Base currency for one unit of the currency'
)
ENGINE = AggregatingMergeTree
ORDER BY (base_currency, currency, rate_date, known_time)
COMMENT 'Rates that transactions were booked at, by when';

CREATE MATERIALIZED VIEW IF NOT EXISTS currency_rate_known_feed TO currency_rate_known AS
WITH accurateCastOrNull(divideDecimal(base_value, amount, 10), 'Decimal(38, 10)') AS booked
SELECT
    base_currency, currency, rate_date, toStartOfFifteenMinutes(toDateTime(change_time, 'UTC')) AS known_time,
    argMaxState(assumeNotNull(booked), (amount, base_value)) AS rate
FROM transaction
WHERE amount > 0 AND deleted = 0 AND booked IS NOT NULL
GROUP BY base_currency, currency, rate_date, known_time;

INSERT INTO currency_rate_known
WITH accurateCastOrNull(divideDecimal(base_value, amount, 10), 'Decimal(38, 10)') AS booked
SELECT
    base_currency, currency, rate_date, toStartOfFifteenMinutes(toDateTime(change_time, 'UTC')) AS known_time,
    argMaxState(assumeNotNull(booked), (amount, base_value)) AS rate
FROM transaction_history
WHERE amount > 0 AND deleted = 0 AND booked IS NOT NULL
GROUP BY base_currency, currency, rate_date, known_time;
