-- Tries at passwords, by the name tried and where they came from. Counted as wrong before the password
-- is looked at; names as hashes, for people type passwords there.
CREATE TABLE tries (
    name   TEXT NOT NULL,                    -- SHA-256 of the name; of nothing: any name
    source TEXT NOT NULL,                    -- an address, `device` and a hash, `*` for all unknown ones, `me`
    wrong  INTEGER NOT NULL,                 -- in a row
    until  INTEGER NOT NULL,                 -- refused until then; 0: not
    good   INTEGER NOT NULL,                 -- when the right password last came from there; 0: never
    at     INTEGER NOT NULL,
    PRIMARY KEY (name, source)
) STRICT;
CREATE INDEX tries_by_age ON tries (at);
ALTER TABLE people DROP COLUMN failures;
ALTER TABLE people DROP COLUMN locked_until;

-- Whoever was given a password by another chooses one before anything else.
ALTER TABLE people ADD COLUMN set_by TEXT NOT NULL DEFAULT '';    -- who gave it; empty: they chose it themselves
ALTER TABLE sessions ADD COLUMN how TEXT NOT NULL DEFAULT '';     -- empty: by password; oidc

-- Who somebody is whom another server vouches for: its name of them never passes to another.
CREATE TABLE identities (
    issuer   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    person   TEXT NOT NULL REFERENCES people (name),
    bound_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, person)
) STRICT;

-- Which clients asked for an audit: they may read it.
CREATE TABLE askers (
    run    INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    client TEXT NOT NULL,
    PRIMARY KEY (run, client)
) STRICT;
