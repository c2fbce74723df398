-- +goose Up

-- Everybody who took part, also those who are known by name only, with what the interaction says of them: lists ask for a
-- participant by an index, and not by looking into every interaction of the bank.
ALTER TABLE interaction_participant
    DROP CONSTRAINT interaction_participant_party_check,
    ADD CONSTRAINT interaction_participant_party_check CHECK (party IN ('customer', 'manager', 'name')),
    ADD COLUMN name        text NOT NULL DEFAULT '', -- of party "name", whose party_id is the place in the list
    ADD COLUMN role        text NOT NULL DEFAULT '',
    ADD COLUMN customer_id bigint GENERATED ALWAYS AS (CASE party WHEN 'customer' THEN party_id END) STORED,
    ADD COLUMN manager_id  bigint GENERATED ALWAYS AS (CASE party WHEN 'manager' THEN party_id END) STORED;

DELETE FROM interaction_participant;
INSERT INTO interaction_participant (party, party_id, opened_at, interaction_id, name, role)
SELECT CASE WHEN customer_id IS NOT NULL THEN 'customer' WHEN manager_id IS NOT NULL THEN 'manager' ELSE 'name' END,
       coalesce(customer_id, manager_id, place), opened_at, interaction_id, coalesce(name, ''), coalesce(role, '')
FROM (SELECT interaction_id, opened_at, participants FROM interaction WHERE participants <> '[]') i
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(participants) AS (customer_id bigint, manager_id bigint, name text, role text))
    WITH ORDINALITY p (customer_id, manager_id, name, role, place)
ON CONFLICT DO NOTHING;

-- In whose interactions did this customer, this employee, this person take part.
CREATE INDEX interaction_participant_customer ON interaction_participant (customer_id, interaction_id) WHERE customer_id IS NOT NULL;
CREATE INDEX interaction_participant_manager ON interaction_participant (manager_id, interaction_id) WHERE manager_id IS NOT NULL;
CREATE INDEX interaction_participant_name ON interaction_participant (name, interaction_id) WHERE name <> '';
