-- +goose Up

-- The texts of documents are searched in parts: a whole one has more words than a tsvector has places for. Parts overlap, so
-- that a phrase is found where one ends, too.
CREATE FUNCTION document_part(title text, body text, part integer) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substr(title || ' ' || body, part * 8000 + 1, 8200)
$$;

CREATE FUNCTION document_parts(title text, body text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT 1 + (length(title || ' ' || body) - 1) / 8000
$$;

-- The words of documents, written in the transaction that writes the document: at least part 0 of each. crm fills in what
-- was there before.
CREATE TABLE document_search (
    document_id bigint   NOT NULL REFERENCES document ON DELETE CASCADE,
    part        integer  NOT NULL,
    customer_id bigint   NOT NULL,
    words       tsvector NOT NULL,
    PRIMARY KEY (document_id, part)
);
CREATE INDEX document_search_words ON document_search USING gin (words);
CREATE INDEX document_search_customer ON document_search (customer_id);

-- The attributes whose values stand among the words of customers. crm compares it with the definitions, and prepares the
-- customers who have what differs.
CREATE TABLE search_attribute (
    name text PRIMARY KEY
);
