-- What refers to a row is looked up when the row is about to be forgotten.
CREATE INDEX findings_by_first_audit ON findings (first_audit);
CREATE INDEX findings_by_last_audit  ON findings (last_audit);
CREATE INDEX reviews_by_audit        ON reviews (audit);
CREATE INDEX outbox_by_audit         ON outbox (audit);
CREATE INDEX desk_by_audit           ON desk (audit);
CREATE INDEX audits_by_listing       ON audits (listing);
CREATE INDEX audits_by_artifact      ON audits (artifact) WHERE artifact IS NOT NULL;
CREATE INDEX apps_by_listing         ON apps (listing);
CREATE INDEX packages_by_artifact    ON packages (artifact);
CREATE INDEX packages_by_answer      ON packages (answer) WHERE answer IS NOT NULL;
CREATE INDEX listings_by_answer      ON listings (answer) WHERE answer IS NOT NULL;
