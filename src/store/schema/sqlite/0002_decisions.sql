-- Decisions say why, and by when a confirmed finding is to be mended.
-- `verdict` is one of confirmed, dismissed, again (needs another look), undone (the one before it is taken back).
ALTER TABLE reviews ADD COLUMN reason  TEXT NOT NULL DEFAULT '';  -- id of a reason from the list; empty where none fits
ALTER TABLE reviews ADD COLUMN mend_by TEXT NOT NULL DEFAULT '';  -- day, e.g. 2026-12-31; confirmed findings only
