-- What is told of a finding is what was seen: see `../sqlite/0070_truth.sql`.

ALTER TABLE findings ADD COLUMN sight   TEXT COLLATE "C" NOT NULL DEFAULT 'whole'
    CHECK (sight IN ('whole', 'part', 'none'));               -- how the latest audit saw it, while it is open
ALTER TABLE findings ADD COLUMN because TEXT COLLATE "C" NOT NULL DEFAULT '';     -- part, none: ids of the limits in the way, with spaces
ALTER TABLE findings ADD COLUMN ended   BIGINT NOT NULL DEFAULT 0;   -- the audit that ended it; 0 while it is open
ALTER TABLE findings ADD COLUMN cause   TEXT COLLATE "C" NOT NULL DEFAULT '';     -- app; else what changed of the judge, with spaces
CREATE INDEX findings_by_ended ON findings (ended) WHERE ended > 0;
UPDATE findings SET cause = 'app' WHERE state = 'gone';

CREATE TABLE former_ids (
    former  TEXT COLLATE "C" PRIMARY KEY,
    finding TEXT COLLATE "C" NOT NULL
);
CREATE INDEX former_ids_by_finding ON former_ids (finding);
ALTER TABLE reviews ADD COLUMN former TEXT COLLATE "C" NOT NULL DEFAULT '';       -- the id it was made under, where that was another

CREATE TABLE upgrades (
    step TEXT COLLATE "C" PRIMARY KEY
);
INSERT INTO upgrades (step) VALUES ('finding-ids');

ALTER TABLE audits ADD COLUMN facts TEXT COLLATE "C" NOT NULL DEFAULT '';         -- hash of the blob; empty where none were kept
CREATE INDEX audits_by_facts ON audits (facts) WHERE facts <> '';

ALTER TABLE desk ADD COLUMN findings   BIGINT NOT NULL DEFAULT 0;    -- of it, ever
ALTER TABLE desk ADD COLUMN unseen     BIGINT NOT NULL DEFAULT 0;    -- open, and not or only partly seen by the latest audit
ALTER TABLE desk ADD COLUMN reassessed BIGINT NOT NULL DEFAULT 0;    -- confirmed, and ended by other rules, not by the app
DROP INDEX desk_counts;
CREATE INDEX desk_counts ON desk (waiting, fresh, changed, stale, confirmed, dismissed, mended, mend_by, findings, unseen,
    reassessed);

ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('finding.confirmed', 'finding.withdrawn',
    'finding.reassessed', 'app.mended', 'app.overdue'));
ALTER TABLE outbox ADD COLUMN about TEXT COLLATE "C" NOT NULL DEFAULT '';       -- JSON: what stood when it was written; empty for those of before
