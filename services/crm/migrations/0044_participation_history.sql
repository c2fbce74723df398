-- +goose Up

-- Customers who took part in an interaction until its participants changed: the screen of then shows it. They are few.
CREATE INDEX audit_entry_left_interaction ON audit_entry USING gin (((before->'participants')::jsonb) jsonb_path_ops)
    WHERE entity = 'interaction' AND action = 'update' AND before->'participants' IS NOT NULL;
