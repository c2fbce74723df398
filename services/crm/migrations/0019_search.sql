-- +goose Up

-- fuzzystrmatch knows how Slavic, German and Jewish names sound (daitch_mokotoff), pg_trgm which words look alike.
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- What people look customers up by, written in the transaction that writes the customer. The words of the names are
-- prepared by crm: as written (but for case and marks), and after ~ in one Latin spelling for all scripts. Identifiers are
-- not repeated here: the rooms' own indexes answer for them, and accounts and cards stay as cheap to write as they were.
-- No foreign key: rows come only from the customer's own transaction, customers are never deleted, and the check would
-- lock and rewrite each customer's row in an import.
CREATE TABLE customer_search (
    customer_id bigint   PRIMARY KEY,
    words       tsvector NOT NULL,
    rules       smallint NOT NULL -- the version of crm's spelling rules; crm writes rows of older ones again at its start
);
CREATE INDEX customer_search_words ON customer_search USING gin (words);
CREATE INDEX customer_search_rules ON customer_search (rules, customer_id);

-- Every word of a name once, in the one Latin spelling: a misspelt word is first corrected here, among some 100 000 words,
-- and then looked up exactly among the customers. Words are never removed; a word that nobody bears finds nobody.
CREATE TABLE search_word (
    word   text   PRIMARY KEY,
    sounds text[] GENERATED ALWAYS AS (daitch_mokotoff(word)) STORED
);
CREATE INDEX search_word_trigrams ON search_word USING gin (word gin_trgm_ops);
CREATE INDEX search_word_sounds ON search_word USING gin (sounds);

-- Identifiers as people type them: the end of a phone number (its country code left out), the beginning of an address.
CREATE INDEX customer_phone_end ON customer (reverse(phone) text_pattern_ops) WHERE phone <> '';
DROP INDEX customer_email;
CREATE INDEX customer_email ON customer (lower(email) text_pattern_ops) WHERE email <> '';
CREATE INDEX customer_external_id ON customer (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX customer_registration_number ON customer (registration_number) WHERE registration_number <> '';
CREATE INDEX account_number_digits ON account (regexp_replace(number, '[^0-9]', '', 'g')) WHERE number <> '';
CREATE INDEX card_last4 ON card (last4, customer_id) WHERE last4 <> '';

-- Words of a text: lower case, marks gone except the breve of й, which Russian stems need; apostrophes gone, so that
-- пам'ять is one word. crm prepares the words of a query in the same way.
CREATE FUNCTION search_plain(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(normalize(regexp_replace(normalize($1, NFKD), '[\u0300-\u0305\u0307-\u036F''’ʼ‘`´]', '', 'g'), NFKC))
$$;

-- The configuration russian stems Cyrillic words in Russian and Latin ones in English; simple keeps every word as it is,
-- for prefixes and for the words that both leave out.
CREATE FUNCTION search_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.russian'::regconfig, search_plain($1)) || to_tsvector('pg_catalog.simple'::regconfig, search_plain($1))
$$;

ALTER TABLE interaction ADD COLUMN words tsvector GENERATED ALWAYS AS (search_words(left(subject || ' ' || text, 100000))) STORED;
CREATE INDEX interaction_words ON interaction USING gin (words);
