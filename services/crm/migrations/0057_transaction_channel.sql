-- +goose Up

-- By which channel a movement was ordered, and with which card it was made, where the source knows. Constants as defaults: no
-- partition is rewritten. No foreign key, as with account_id: crm looks the card up before, and cards are never deleted.
ALTER TABLE transaction
    ADD COLUMN card_id bigint,
    ADD COLUMN channel text NOT NULL DEFAULT '';
