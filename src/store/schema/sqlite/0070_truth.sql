-- What is told of a finding is what was seen.

-- An audit that could not read what an open finding rests on does not end it.
ALTER TABLE findings ADD COLUMN sight   TEXT NOT NULL DEFAULT 'whole'
    CHECK (sight IN ('whole', 'part', 'none'));               -- how the latest audit saw it, while it is open
ALTER TABLE findings ADD COLUMN because TEXT NOT NULL DEFAULT '';     -- part, none: ids of the limits in the way, with spaces
-- It ended because the app changed, or because whoever judges did.
ALTER TABLE findings ADD COLUMN ended   INTEGER NOT NULL DEFAULT 0;   -- the audit that ended it; 0 while it is open
ALTER TABLE findings ADD COLUMN cause   TEXT NOT NULL DEFAULT '';     -- app; else what changed of the judge, with spaces
CREATE INDEX findings_by_ended ON findings (ended) WHERE ended > 0;
UPDATE findings SET cause = 'app' WHERE state = 'gone';

-- Ids that findings had before, as bags, letters and bookmarks have them.
CREATE TABLE former_ids (
    former  TEXT PRIMARY KEY,
    finding TEXT NOT NULL
) STRICT;
CREATE INDEX former_ids_by_finding ON former_ids (finding);
ALTER TABLE reviews ADD COLUMN former TEXT NOT NULL DEFAULT '';       -- the id it was made under, where that was another

-- Steps of an upgrade that SQL alone does not make.
CREATE TABLE upgrades (
    step TEXT PRIMARY KEY
) STRICT;
INSERT INTO upgrades (step) VALUES ('finding-ids');

-- The facts that an audit judged: its own, whatever is read of the file later.
ALTER TABLE audits ADD COLUMN facts TEXT NOT NULL DEFAULT '';         -- hash of the blob; empty where none were kept
CREATE INDEX audits_by_facts ON audits (facts) WHERE facts <> '';

-- Every audited app has a row, found something or not.
ALTER TABLE desk ADD COLUMN findings   INTEGER NOT NULL DEFAULT 0;    -- of it, ever
ALTER TABLE desk ADD COLUMN unseen     INTEGER NOT NULL DEFAULT 0;    -- open, and not or only partly seen by the latest audit
ALTER TABLE desk ADD COLUMN reassessed INTEGER NOT NULL DEFAULT 0;    -- confirmed, and ended by other rules, not by the app
DROP INDEX desk_counts;
CREATE INDEX desk_counts ON desk (waiting, fresh, changed, stale, confirmed, dismissed, mended, mend_by, findings, unseen,
    reassessed);

CREATE TABLE outbox_now (
    id       INTEGER PRIMARY KEY,            -- order
    event    TEXT NOT NULL UNIQUE,           -- idempotency key: the receiver keeps each once
    kind     TEXT NOT NULL CHECK (kind IN ('finding.confirmed', 'finding.withdrawn', 'finding.reassessed', 'app.mended',
                                           'app.overdue')),
    app      INTEGER NOT NULL REFERENCES apps (id),
    finding  TEXT NOT NULL,                  -- empty for those about an app
    audit    INTEGER NOT NULL REFERENCES audits (id),       -- what it was seen in
    at       INTEGER NOT NULL,
    state    TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL DEFAULT 0,     -- ready: not before
    answer   TEXT NOT NULL DEFAULT '',       -- the last one received, or why there was none
    about    TEXT NOT NULL DEFAULT ''        -- JSON: what stood when it was written; empty for those of before
) STRICT;
INSERT INTO outbox_now (id, event, kind, app, finding, audit, at, state, attempts, due, answer)
    SELECT id, event, kind, app, finding, audit, at, state, attempts, due, answer FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_now RENAME TO outbox;
CREATE INDEX outbox_unsent ON outbox (app, id) WHERE state <> 'sent';
CREATE INDEX outbox_due ON outbox (due, id) WHERE state = 'ready';
CREATE INDEX outbox_by_audit ON outbox (audit);
