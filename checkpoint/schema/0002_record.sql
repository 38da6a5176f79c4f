-- What a run has to say is kept with everything a person may sort by. at is unix milliseconds, n how often it was found,
-- status and correlation are those of the server's answer.

ALTER TABLE record ADD COLUMN at          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN severity    TEXT    NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN value       TEXT    NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN n           INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN legacy_id   TEXT    NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN part        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN status      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN correlation TEXT    NOT NULL DEFAULT '';
