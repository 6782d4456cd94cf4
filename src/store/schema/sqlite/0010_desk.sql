-- What reviewers work from, and who they are.

-- Fingerprint of the evidence a person saw when they decided: evidence that changes makes a decision stale.
ALTER TABLE reviews ADD COLUMN evidence TEXT NOT NULL DEFAULT '';

-- The decision in force stands beside the finding, written in the same step as the review that made it.
ALTER TABLE findings ADD COLUMN evidence   TEXT NOT NULL DEFAULT '';     -- fingerprint when it was last found
ALTER TABLE findings ADD COLUMN signatures TEXT NOT NULL DEFAULT '';     -- ids of what found it, with spaces
ALTER TABLE findings ADD COLUMN moved      INTEGER NOT NULL DEFAULT 0;   -- the audit that last changed the fingerprint
ALTER TABLE findings ADD COLUMN verdict    TEXT NOT NULL DEFAULT '';     -- confirmed, dismissed, again; empty while undecided
ALTER TABLE findings ADD COLUMN decided    TEXT NOT NULL DEFAULT '';     -- fingerprint that was decided on
ALTER TABLE findings ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
ALTER TABLE findings ADD COLUMN decided_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN mend_by    TEXT NOT NULL DEFAULT '';     -- day; confirmed findings only
CREATE INDEX findings_by_sign ON findings (sign, app);

-- One row an app that ever had a finding: what the inbox shows and sorts by.
CREATE TABLE desk (
    app         INTEGER PRIMARY KEY REFERENCES apps (id),
    store       TEXT NOT NULL,
    package     TEXT NOT NULL,
    title       TEXT NOT NULL,
    developer   TEXT NOT NULL,
    stages      TEXT NOT NULL,               -- ids, each between spaces
    subjects    TEXT NOT NULL,               -- ids, each between spaces
    standing    TEXT NOT NULL,               -- listed, not-listed, not-checked
    level       TEXT NOT NULL,               -- how much was read: full, listing-only, package-only, partial, none
    assigned    TEXT NOT NULL DEFAULT '',    -- name of a person; empty: nobody's
    audit       INTEGER NOT NULL REFERENCES audits (id),    -- the latest
    at          INTEGER NOT NULL,            -- of the latest audit
    -- Counted over its findings by every step that moves one.
    open        INTEGER NOT NULL DEFAULT 0,
    waiting     INTEGER NOT NULL DEFAULT 0,  -- open, and undecided, to be looked at again or stale
    fresh       INTEGER NOT NULL DEFAULT 0,  -- waiting, first found by the latest audit
    changed     INTEGER NOT NULL DEFAULT 0,  -- waiting, found before with other evidence
    stale       INTEGER NOT NULL DEFAULT 0,  -- decided on other evidence than there is now
    confirmed   INTEGER NOT NULL DEFAULT 0,  -- open and confirmed
    dismissed   INTEGER NOT NULL DEFAULT 0,  -- open and dismissed
    mended      INTEGER NOT NULL DEFAULT 0,  -- gone after it was confirmed
    mend_by     TEXT NOT NULL DEFAULT '',    -- first day by which a confirmed open finding is to be mended
    rank        REAL NOT NULL DEFAULT 0      -- highest severity (1 to 3) times probability of those that wait, else of those open
) STRICT;
CREATE INDEX desk_waiting ON desk (rank DESC, app) WHERE waiting > 0;
CREATE INDEX desk_by_rank ON desk (rank DESC, app);
CREATE INDEX desk_mending ON desk (mend_by) WHERE mend_by <> '';
-- Counts beside the inbox are read from these alone.
CREATE INDEX desk_counts ON desk (waiting, fresh, changed, stale, confirmed, dismissed, mended, mend_by);
CREATE INDEX desk_by_store ON desk (store);
CREATE INDEX desk_assigned ON desk (assigned) WHERE assigned <> '';
CREATE INDEX findings_waiting ON findings (sign)
    WHERE state = 'open' AND (verdict IN ('', 'again') OR (decided <> '' AND decided <> evidence));

CREATE TABLE people (
    name      TEXT PRIMARY KEY,              -- what they sign in with and decisions are signed with
    role      TEXT NOT NULL CHECK (role IN ('viewer', 'reviewer', 'lead', 'operator')),
    password  TEXT NOT NULL,                 -- argon2id, PHC string; empty: cannot sign in with one
    is_active INTEGER NOT NULL DEFAULT 1,
    failures  INTEGER NOT NULL DEFAULT 0,    -- wrong passwords in a row
    locked_until INTEGER NOT NULL DEFAULT 0,
    made_at   INTEGER NOT NULL
) STRICT;

-- Somebody signed in. The token itself is only in their browser.
CREATE TABLE sessions (
    token  TEXT PRIMARY KEY,                 -- SHA-256 of the token
    person TEXT NOT NULL REFERENCES people (name),
    csrf   TEXT NOT NULL,                    -- what their forms carry
    begun  INTEGER NOT NULL,
    seen   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_person ON sessions (person);

-- Who did what with the page and the program. Append-only.
CREATE TABLE deeds (
    id   INTEGER PRIMARY KEY,
    who  TEXT NOT NULL,
    what TEXT NOT NULL,                      -- e.g. signed-in, decided, person-added
    about TEXT NOT NULL,                     -- what it was done to; never a secret
    at   INTEGER NOT NULL
) STRICT;
CREATE TRIGGER deeds_stay BEFORE UPDATE ON deeds BEGIN SELECT RAISE(ABORT, 'deeds are append-only'); END;
CREATE TRIGGER deeds_remain BEFORE DELETE ON deeds BEGIN SELECT RAISE(ABORT, 'deeds are append-only'); END;

-- Filters of the inbox that a person gave a name.
CREATE TABLE views (
    person TEXT NOT NULL REFERENCES people (name),
    name   TEXT NOT NULL,
    query  TEXT NOT NULL,                    -- of the inbox's address
    PRIMARY KEY (person, name)
) STRICT;
