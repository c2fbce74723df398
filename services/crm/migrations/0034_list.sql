-- +goose Up

-- Orders in which people page through the whole base: by name, and the newest first. The id ends each index, so that a
-- page begins right behind the one before. '' means that there is no name; NULL is how such rows come last.
--
-- No index on updated_at: every change would write it, and all other indexes of the row with it.
CREATE INDEX customer_by_family_name ON customer (nullif(family_name, ''), customer_id);
-- Organisations are few: the index leaves everybody else out.
CREATE INDEX customer_by_legal_name ON customer (nullif(legal_name, ''), customer_id) WHERE nullif(legal_name, '') IS NOT NULL;
CREATE INDEX customer_by_creation ON customer (created_at, customer_id);
-- Nearly everybody is active; the others are worth finding.
CREATE INDEX customer_not_active ON customer (state, customer_id) WHERE state <> 'active';
