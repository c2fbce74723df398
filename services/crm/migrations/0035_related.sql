-- +goose Up

-- Lists of customers ask what belongs to them. A common answer ("has an open account") is found by walking through the
-- customers; a rare one ("has a guarantor") only by these. Each holds few different values, which Postgres keeps once, so
-- that they stay small; states leave out the one that nearly every row has.
CREATE INDEX relation_type ON relation (type);
CREATE INDEX account_currency ON account (currency);
CREATE INDEX account_not_open ON account (state) WHERE state <> 'open';
CREATE INDEX card_not_active ON card (state) WHERE state <> 'active';
CREATE INDEX contract_kind ON contract (kind, state);
CREATE INDEX consent_purpose ON consent (purpose, channel);
CREATE INDEX customer_rfm_cell ON customer_rfm (cell, customer_id);

-- The index of legal names leaves out those who have none; this tells the planner how many they are.
CREATE STATISTICS customer_legal_name ON (nullif(legal_name, '')) FROM customer;
