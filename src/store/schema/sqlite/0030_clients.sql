-- Programs that may use the API.
CREATE TABLE clients (
    name      TEXT PRIMARY KEY,              -- in the log
    token     TEXT NOT NULL UNIQUE,          -- SHA-256 of what the program sends
    rights    TEXT NOT NULL,                 -- read, audit; with a space between
    is_active INTEGER NOT NULL DEFAULT 1,
    made_at   INTEGER NOT NULL
) STRICT;

-- What somebody asked for is looked up by what it is about.
CREATE INDEX runs_by_scope ON runs (kind, scope, id);
