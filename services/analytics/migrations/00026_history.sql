-- Every version of every record, as it was on any day: the tables of files 1 to 20 keep the newest one only.
--
-- A materialized view copies each insert: what is stored in a table is stored in its history, or neither is acknowledged, and
-- the same stream gives the same history. Nothing is summed, so a version that comes twice is one row, like everywhere here.
--
-- Key: the key of the table, then version: the versions of a record lie together in their order. ReplacingMergeTree, because
-- messages come more than once; without a version column, for equal keys are equal rows. A deletion is a version, too. Codecs
-- and types are those of the table: its columns are copied when the history is made, and whoever adds one later adds it to
-- both (a test wants it). Versions of one record differ little and lie side by side, which ZSTD makes small.
--
-- Partitions as in the tables. A history that is no longer wanted is dropped by partition, or truncated.
--
-- Transactions and behaviour events have one as well: a correction must not wipe out what the books said before. It doubles
-- their space on disk; their bank may do without by DROP VIEW transaction_history_feed and TRUNCATE.
--
-- Not here: definitions, plans and blocks of the audit keep all their versions in their own tables.

-- +goose Up
CREATE TABLE IF NOT EXISTS region_history AS region
ENGINE = ReplacingMergeTree
ORDER BY (region_id, version)
COMMENT 'Every version of region';

CREATE MATERIALIZED VIEW IF NOT EXISTS region_history_feed TO region_history AS SELECT * FROM region;

INSERT INTO region_history SELECT * FROM region;

CREATE TABLE IF NOT EXISTS branch_history AS branch
ENGINE = ReplacingMergeTree
ORDER BY (branch_id, version)
COMMENT 'Every version of branch';

CREATE MATERIALIZED VIEW IF NOT EXISTS branch_history_feed TO branch_history AS SELECT * FROM branch;

INSERT INTO branch_history SELECT * FROM branch;

CREATE TABLE IF NOT EXISTS manager_history AS manager
ENGINE = ReplacingMergeTree
ORDER BY (manager_id, version)
COMMENT 'Every version of manager';

CREATE MATERIALIZED VIEW IF NOT EXISTS manager_history_feed TO manager_history AS SELECT * FROM manager;

INSERT INTO manager_history SELECT * FROM manager;

CREATE TABLE IF NOT EXISTS customer_history AS customer
ENGINE = ReplacingMergeTree
ORDER BY (customer_id, version)
COMMENT 'Every version of customer';

CREATE MATERIALIZED VIEW IF NOT EXISTS customer_history_feed TO customer_history AS SELECT * FROM customer;

INSERT INTO customer_history SELECT * FROM customer;

CREATE TABLE IF NOT EXISTS attribute_definition_history AS attribute_definition
ENGINE = ReplacingMergeTree
ORDER BY (attribute_definition_id, version)
COMMENT 'Every version of attribute_definition';

CREATE MATERIALIZED VIEW IF NOT EXISTS attribute_definition_history_feed TO attribute_definition_history AS SELECT * FROM attribute_definition;

INSERT INTO attribute_definition_history SELECT * FROM attribute_definition;

CREATE TABLE IF NOT EXISTS consent_history AS consent
ENGINE = ReplacingMergeTree
ORDER BY (consent_id, version)
COMMENT 'Every version of consent';

CREATE MATERIALIZED VIEW IF NOT EXISTS consent_history_feed TO consent_history AS SELECT * FROM consent;

INSERT INTO consent_history SELECT * FROM consent;

CREATE TABLE IF NOT EXISTS relation_history AS relation
ENGINE = ReplacingMergeTree
ORDER BY (relation_id, version)
COMMENT 'Every version of relation';

CREATE MATERIALIZED VIEW IF NOT EXISTS relation_history_feed TO relation_history AS SELECT * FROM relation;

INSERT INTO relation_history SELECT * FROM relation;

CREATE TABLE IF NOT EXISTS document_history AS document
ENGINE = ReplacingMergeTree
ORDER BY (document_id, version)
COMMENT 'Every version of document';

CREATE MATERIALIZED VIEW IF NOT EXISTS document_history_feed TO document_history AS SELECT * FROM document;

INSERT INTO document_history SELECT * FROM document;

CREATE TABLE IF NOT EXISTS product_history AS product
ENGINE = ReplacingMergeTree
ORDER BY (product_id, version)
COMMENT 'Every version of product';

CREATE MATERIALIZED VIEW IF NOT EXISTS product_history_feed TO product_history AS SELECT * FROM product;

INSERT INTO product_history SELECT * FROM product;

CREATE TABLE IF NOT EXISTS contract_history AS contract
ENGINE = ReplacingMergeTree
ORDER BY (contract_id, version)
COMMENT 'Every version of contract';

CREATE MATERIALIZED VIEW IF NOT EXISTS contract_history_feed TO contract_history AS SELECT * FROM contract;

INSERT INTO contract_history SELECT * FROM contract;

CREATE TABLE IF NOT EXISTS contract_party_history AS contract_party
ENGINE = ReplacingMergeTree
ORDER BY (contract_party_id, version)
COMMENT 'Every version of contract_party';

CREATE MATERIALIZED VIEW IF NOT EXISTS contract_party_history_feed TO contract_party_history AS SELECT * FROM contract_party;

INSERT INTO contract_party_history SELECT * FROM contract_party;

CREATE TABLE IF NOT EXISTS instalment_history AS instalment
ENGINE = ReplacingMergeTree
ORDER BY (instalment_id, version)
COMMENT 'Every version of instalment';

CREATE MATERIALIZED VIEW IF NOT EXISTS instalment_history_feed TO instalment_history AS SELECT * FROM instalment;

INSERT INTO instalment_history SELECT * FROM instalment;

CREATE TABLE IF NOT EXISTS account_history AS account
ENGINE = ReplacingMergeTree
ORDER BY (account_id, version)
COMMENT 'Every version of account';

CREATE MATERIALIZED VIEW IF NOT EXISTS account_history_feed TO account_history AS SELECT * FROM account;

INSERT INTO account_history SELECT * FROM account;

CREATE TABLE IF NOT EXISTS account_balance_history AS account_balance
ENGINE = ReplacingMergeTree
ORDER BY (account_id, business_date, version)
COMMENT 'Every version of account_balance';

CREATE MATERIALIZED VIEW IF NOT EXISTS account_balance_history_feed TO account_balance_history AS SELECT * FROM account_balance;

INSERT INTO account_balance_history SELECT * FROM account_balance;

CREATE TABLE IF NOT EXISTS account_holder_history AS account_holder
ENGINE = ReplacingMergeTree
ORDER BY (account_holder_id, version)
COMMENT 'Every version of account_holder';

CREATE MATERIALIZED VIEW IF NOT EXISTS account_holder_history_feed TO account_holder_history AS SELECT * FROM account_holder;

INSERT INTO account_holder_history SELECT * FROM account_holder;

CREATE TABLE IF NOT EXISTS card_history AS card
ENGINE = ReplacingMergeTree
ORDER BY (card_id, version)
COMMENT 'Every version of card';

CREATE MATERIALIZED VIEW IF NOT EXISTS card_history_feed TO card_history AS SELECT * FROM card;

INSERT INTO card_history SELECT * FROM card;

CREATE TABLE IF NOT EXISTS interaction_history AS interaction
ENGINE = ReplacingMergeTree
ORDER BY (interaction_id, version)
COMMENT 'Every version of interaction';

CREATE MATERIALIZED VIEW IF NOT EXISTS interaction_history_feed TO interaction_history AS SELECT * FROM interaction;

INSERT INTO interaction_history SELECT * FROM interaction;

CREATE TABLE IF NOT EXISTS service_level_history AS service_level
ENGINE = ReplacingMergeTree
ORDER BY (service_level_id, version)
COMMENT 'Every version of service_level';

CREATE MATERIALIZED VIEW IF NOT EXISTS service_level_history_feed TO service_level_history AS SELECT * FROM service_level;

INSERT INTO service_level_history SELECT * FROM service_level;

CREATE TABLE IF NOT EXISTS transaction_history AS transaction
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(business_date)
ORDER BY (account_id, business_date, transaction_id, version)
COMMENT 'Every version of transaction';

CREATE MATERIALIZED VIEW IF NOT EXISTS transaction_history_feed TO transaction_history AS SELECT * FROM transaction;

INSERT INTO transaction_history SELECT * FROM transaction;

CREATE TABLE IF NOT EXISTS behaviour_event_history AS behaviour_event
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(business_date)
ORDER BY (kind, business_date, behaviour_event_id, version)
COMMENT 'Every version of behaviour_event';

CREATE MATERIALIZED VIEW IF NOT EXISTS behaviour_event_history_feed TO behaviour_event_history AS SELECT * FROM behaviour_event;

INSERT INTO behaviour_event_history SELECT * FROM behaviour_event;
