-- +goose Up

-- Segments are definitions, and parts of what divides customers: clusters and cells of profile schemes, <definition>/<part>. Rows of
-- before satisfy the wider rule, so none is read.
ALTER TABLE customer_segment DROP CONSTRAINT customer_segment_segment_check;
ALTER TABLE customer_segment ADD CONSTRAINT customer_segment_segment_check
    CHECK (segment ~ '^[a-z][a-z0-9_]{0,62}(/[a-z0-9_]{1,64})?$') NOT VALID;
