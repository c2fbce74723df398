-- +goose Up

-- A customer's documents in the order of the timeline: by their own time or, where that is unknown, by when they came in.
CREATE INDEX document_timeline ON document (customer_id, coalesce(document_at, created_at), document_id);
