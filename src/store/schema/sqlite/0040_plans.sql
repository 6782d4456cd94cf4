-- What workers that join a run are told: JSON; NULL where one process does it alone.
ALTER TABLE runs ADD COLUMN plan TEXT;

-- FETCH is a word of SQL elsewhere: the statements are the same for every engine.
ALTER TABLE listings RENAME COLUMN fetch TO answer;
ALTER TABLE packages RENAME COLUMN fetch TO answer;
