-- Jobs that died outlive their run, and are told by stage and reason.
-- `reason` holds JSON: what the job was about and why it failed, as reports tell a skip.
ALTER TABLE jobs ADD COLUMN stage TEXT COLLATE "C" NOT NULL DEFAULT '';      -- of its queue, written when it dies
ALTER TABLE jobs ADD COLUMN code  TEXT COLLATE "C" NOT NULL DEFAULT '';      -- of the reason, written when it dies
ALTER TABLE jobs ADD COLUMN died  BIGINT NOT NULL DEFAULT 0;    -- when it last died; stays while it is tried again
CREATE INDEX jobs_dead ON jobs (died DESC, id DESC) WHERE state = 'dead';
