-- The embedded state of xunjian.
--
-- Times are milliseconds since 1970-01-01 UTC. Hashes are SHA-256 in lower-case hex; bytes that
-- a hash names lie in the vault. Texts that say JSON hold one JSON value.
-- Every table is STRICT, so that a wrong type is an error and not a surprise years later.

-- One sweep, rescore, re-audit or re-check. A run without `ended` goes on or was killed; the
-- next one of its kind and scope continues it.
CREATE TABLE runs (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,               -- sweep, rescore, reaudit, recheck
    scope   TEXT NOT NULL,               -- what it goes over: store ids, sorted, with commas
    began   INTEGER NOT NULL,
    ended   INTEGER,
    summary TEXT                         -- JSON: the counts that people are told
) STRICT;
CREATE UNIQUE INDEX runs_open ON runs (kind, scope) WHERE ended IS NULL;

-- Every answer that said something new. An answer that only repeats the one before it moves
-- `last_at` and counts `times`.
CREATE TABLE fetches (
    id          INTEGER PRIMARY KEY,
    ask         TEXT NOT NULL,           -- hash of method, URL and body: the same question
    method      TEXT NOT NULL,
    url         TEXT NOT NULL,
    request     TEXT NOT NULL,           -- JSON: headers as sent, body
    outcome     TEXT NOT NULL,           -- ok, not-found, throttled, ...
    status      INTEGER NOT NULL,        -- HTTP status; 0 where no answer came
    final_url   TEXT NOT NULL,
    headers     TEXT NOT NULL,           -- JSON: headers of the answer
    body        TEXT NOT NULL,           -- hash of the body; empty without one
    bytes       INTEGER NOT NULL,        -- of the body
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    times       INTEGER NOT NULL
) STRICT;
CREATE INDEX fetches_by_ask ON fetches (ask, id);

-- What a store's adapter wants to know next time, e.g. the index that diffs apply to.
CREATE TABLE notes (
    store TEXT NOT NULL,
    name  TEXT NOT NULL,
    blob  TEXT NOT NULL,                 -- hash of the bytes in the vault
    PRIMARY KEY (store, name)
) STRICT;

-- One app of one store. Copies in several stores are joined by package and certificate.
CREATE TABLE apps (
    id          INTEGER PRIMARY KEY,
    store       TEXT NOT NULL,
    name        TEXT NOT NULL,           -- package, or the store's own id where it tells none
    package     TEXT NOT NULL,
    certificate TEXT NOT NULL,           -- hash of the signing certificate of the latest package
    listing     INTEGER REFERENCES listings (id),   -- the latest
    outcome     TEXT NOT NULL,           -- of the last look: ok, not-found, delisted, ...
    last_run    INTEGER REFERENCES runs (id),
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    UNIQUE (store, name)
) STRICT;
CREATE INDEX apps_by_package ON apps (package, certificate);

-- How a store's catalogue calls an app, and what it said of it when its page was last read.
CREATE TABLE keys (
    store TEXT NOT NULL,
    key   TEXT NOT NULL,
    app   INTEGER NOT NULL REFERENCES apps (id),
    mark  TEXT NOT NULL,                 -- changes with what the catalogue says; empty where that is nothing
    PRIMARY KEY (store, key)
) STRICT;

-- Every version of a listing, by content.
CREATE TABLE listings (
    id          INTEGER PRIMARY KEY,
    app         INTEGER NOT NULL REFERENCES apps (id),
    sha256      TEXT NOT NULL,           -- of `listing`
    listing     TEXT NOT NULL,           -- JSON
    fetch       INTEGER REFERENCES fetches (id),    -- the answer it was read from
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    UNIQUE (app, sha256)
) STRICT;

-- Package files.
CREATE TABLE artifacts (
    sha256       TEXT PRIMARY KEY,
    bytes        INTEGER NOT NULL,
    kind         TEXT NOT NULL,          -- apk, xapk, hap, ...; empty where it is no package
    package      TEXT NOT NULL,
    version_name TEXT NOT NULL,
    version_code INTEGER NOT NULL,
    certificates TEXT NOT NULL,          -- JSON: hashes
    first_seen   INTEGER NOT NULL
) STRICT;

-- Which file a store handed out for an offer. The same offer is not downloaded again.
CREATE TABLE packages (
    app      INTEGER NOT NULL REFERENCES apps (id),
    offer    TEXT NOT NULL,              -- hash of what the listing promised: file hash, or version and address
    artifact TEXT NOT NULL REFERENCES artifacts (sha256),
    fetch    INTEGER REFERENCES fetches (id),
    at       INTEGER NOT NULL,
    PRIMARY KEY (app, offer)
) STRICT;

-- Facts kept of a package file, to be judged by other packs.
CREATE TABLE facts (
    artifact TEXT NOT NULL REFERENCES artifacts (sha256),
    name     TEXT NOT NULL,              -- the name that places in it begin with
    blob     TEXT NOT NULL,              -- hash of facts.jsonl.zst in the vault
    made_by  TEXT NOT NULL,              -- version that read the package
    at       INTEGER NOT NULL,
    PRIMARY KEY (artifact, name)
) STRICT;

-- One audit of one app, once a run.
CREATE TABLE audits (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES runs (id),
    app         INTEGER NOT NULL REFERENCES apps (id),
    listing     INTEGER REFERENCES listings (id),
    artifact    TEXT REFERENCES artifacts (sha256),  -- NULL: judged by its listing alone
    pack_sha256 TEXT NOT NULL,
    policy      TEXT NOT NULL,
    version     TEXT NOT NULL,           -- of xunjian
    as_of       TEXT NOT NULL,           -- day on which licences were judged
    registers   TEXT NOT NULL,           -- hash of the registers in the vault; empty where none was given
    report      BLOB NOT NULL,           -- zstd over JSON: {"audit": ..., "icon": ...}
    findings    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    UNIQUE (run, app)
) STRICT;
CREATE INDEX audits_by_app ON audits (app, id);

-- Where each finding stands. Ids outlive versions and corrected patterns.
CREATE TABLE findings (
    id          TEXT PRIMARY KEY,
    app         INTEGER NOT NULL REFERENCES apps (id),
    sign        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    confidence  TEXT NOT NULL,
    probability REAL NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'gone')),
    first_audit INTEGER NOT NULL REFERENCES audits (id),
    last_audit  INTEGER NOT NULL REFERENCES audits (id),   -- the last that had it
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL
) STRICT;
CREATE INDEX findings_by_app ON findings (app);

-- What people decided. Append-only: a correction is another row.
CREATE TABLE reviews (
    id      INTEGER PRIMARY KEY,
    finding TEXT NOT NULL REFERENCES findings (id),
    audit   INTEGER NOT NULL REFERENCES audits (id),       -- what they looked at
    who     TEXT NOT NULL,
    verdict TEXT NOT NULL,
    note    TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX reviews_by_finding ON reviews (finding, id);
CREATE TRIGGER reviews_stay BEFORE UPDATE ON reviews BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
CREATE TRIGGER reviews_remain BEFORE DELETE ON reviews BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;

-- What a run left out, and why.
CREATE TABLE skips (
    id     INTEGER PRIMARY KEY,
    run    INTEGER NOT NULL REFERENCES runs (id),
    target TEXT NOT NULL,
    stage  TEXT NOT NULL,
    code   TEXT NOT NULL,                -- the outcome, for counting
    reason TEXT NOT NULL,
    at     INTEGER NOT NULL,
    UNIQUE (run, target, stage)
) STRICT;

-- Leased work. A key is done once, however often it is pushed.
CREATE TABLE jobs (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    queue       TEXT NOT NULL,           -- who may take it
    priority    INTEGER NOT NULL,        -- higher first
    payload     TEXT NOT NULL,           -- JSON
    state       TEXT NOT NULL CHECK (state IN ('ready', 'leased', 'done', 'dead')),
    due         INTEGER NOT NULL,        -- ready: not before; leased: free again from then on
    attempts    INTEGER NOT NULL,
    token       INTEGER NOT NULL,        -- grows with every lease: an older one is stale
    reason      TEXT NOT NULL            -- of the last failure
) STRICT;
CREATE INDEX jobs_waiting ON jobs (queue, priority DESC, id) WHERE state IN ('ready', 'leased');
CREATE INDEX jobs_by_queue ON jobs (queue, state);
