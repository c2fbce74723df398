-- +goose Up

-- The end of a further phone number of a customer, as people type it: without its country code.
CREATE INDEX customer_identifier_phone_end ON customer_identifier (reverse(value) text_pattern_ops, customer_id) WHERE kind = 'phone';
