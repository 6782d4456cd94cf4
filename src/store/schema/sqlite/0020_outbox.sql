-- What the case backend is to be told: written in the same step as what it tells of.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,            -- order
    event    TEXT NOT NULL UNIQUE,           -- idempotency key: the receiver keeps each once
    kind     TEXT NOT NULL CHECK (kind IN ('finding.confirmed', 'finding.withdrawn', 'app.mended', 'app.overdue')),
    app      INTEGER NOT NULL REFERENCES apps (id),
    finding  TEXT NOT NULL,                  -- empty for those about an app
    audit    INTEGER NOT NULL REFERENCES audits (id),       -- what it was seen in
    at       INTEGER NOT NULL,
    state    TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL DEFAULT 0,     -- ready: not before
    answer   TEXT NOT NULL DEFAULT ''        -- the last one received, or why there was none
) STRICT;
CREATE INDEX outbox_unsent ON outbox (app, id) WHERE state <> 'sent';
CREATE INDEX outbox_due ON outbox (due, id) WHERE state = 'ready';
