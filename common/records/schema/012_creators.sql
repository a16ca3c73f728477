-- Who entered a record; empty for those entered before this was kept.
ALTER TABLE records ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
