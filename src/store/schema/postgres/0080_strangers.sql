-- Tries at passwords, by the name tried and where they came from. Counted as wrong before the password
-- is looked at; names as hashes, for people type passwords there.
CREATE TABLE tries (
    name   TEXT COLLATE "C" NOT NULL,                    -- SHA-256 of the name; of nothing: any name
    source TEXT COLLATE "C" NOT NULL,                    -- an address, `device` and a hash, `*` for all unknown ones, `me`
    wrong  BIGINT NOT NULL,                 -- in a row
    until  BIGINT NOT NULL,                 -- refused until then; 0: not
    good   BIGINT NOT NULL,                 -- when the right password last came from there; 0: never
    at     BIGINT NOT NULL,
    PRIMARY KEY (name, source)
);
CREATE INDEX tries_by_age ON tries (at);
ALTER TABLE people DROP COLUMN failures;
ALTER TABLE people DROP COLUMN locked_until;

-- Whoever was given a password by another chooses one before anything else.
ALTER TABLE people ADD COLUMN set_by TEXT COLLATE "C" NOT NULL DEFAULT '';    -- who gave it; empty: they chose it themselves
ALTER TABLE sessions ADD COLUMN how TEXT COLLATE "C" NOT NULL DEFAULT '';     -- empty: by password; oidc

-- Who somebody is whom another server vouches for: its name of them never passes to another.
CREATE TABLE identities (
    issuer   TEXT COLLATE "C" NOT NULL,
    subject  TEXT COLLATE "C" NOT NULL,
    person   TEXT COLLATE "C" NOT NULL REFERENCES people (name),
    bound_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, person)
);

-- Which clients asked for an audit: they may read it.
CREATE TABLE askers (
    run    BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    client TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run, client)
);
