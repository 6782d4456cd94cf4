-- Packages that a listing promised and the store did not hand out: one row an app, gone as soon
-- as its package is had or its listing promises none.
CREATE TABLE withheld (
    app      INTEGER PRIMARY KEY REFERENCES apps (id),
    offer    TEXT NOT NULL,              -- hash of what the listing promised: another offer is asked for at once
    outcome  TEXT NOT NULL,              -- of the last try: not-found, throttled, ...
    detail   TEXT NOT NULL,              -- facts of it
    times    INTEGER NOT NULL,           -- sweeps in a row that did not get this offer
    again_at INTEGER NOT NULL            -- not asked for before
) STRICT;
