-- +goose Up

-- The caller's place in the bank: the login is the subject of a manager's tokens, the supervisor is the manager above.
ALTER TABLE manager
    ADD COLUMN login text NOT NULL DEFAULT '',
    ADD COLUMN supervisor_id bigint REFERENCES manager CHECK (supervisor_id <> manager_id);

-- A caller is looked up by login, and those below by supervisor, a level at a time.
CREATE UNIQUE INDEX manager_login_key ON manager (login) WHERE login <> '';
CREATE INDEX manager_supervisor ON manager (supervisor_id) WHERE supervisor_id IS NOT NULL;
