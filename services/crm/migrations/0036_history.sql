-- +goose Up

-- The past of a record is read from its changes alone: reads of it, of which there are many more, are passed over.
CREATE INDEX audit_entry_change ON audit_entry (entity, entity_id, at) WHERE action IN ('create', 'update', 'delete');
-- Records that were taken from a customer or an account: the screen of then shows them. They are few.
CREATE INDEX audit_entry_left_customer ON audit_entry ((before->>'customer_id'), entity) WHERE before->>'customer_id' IS NOT NULL;
CREATE INDEX audit_entry_left_account ON audit_entry ((before->>'account_id'), entity) WHERE before->>'account_id' IS NOT NULL;

-- Attempts that were refused are on record too. The months were made apart and attached, so each has the constraint itself.
-- +goose StatementBegin
DO $$
DECLARE
    month regclass;
BEGIN
    ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_action_check;
    FOR month IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS audit_entry_action_check', month);
    END LOOP;
    ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_action_check CHECK (action IN ('create', 'update', 'delete', 'read', 'denied'));
END
$$;
-- +goose StatementEnd
