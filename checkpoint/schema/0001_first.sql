-- The checkpoint of one job. Who may say what:
--
--   job, holder, fact, run   one row a job, a holder, a small fact, a run
--   mapping                  digests of mappings, named once
--   part                     one conversation each: the state machine of moves.go
--   message                  where each message of the source went
--   effect                   every other write to the account: uploads, appends, deletes, ...
--   record                   what a run has to say about a ticket
--   tally                    counts of parts and effects, kept by the triggers at the end
--
-- Times ending in _at are unix milliseconds, UTC, 0 for none; part.created_at alone is in seconds, as the API has it.
-- Columns of type ANY hold keys and digests: 64 lower-case hexadecimal digits as a blob of 32 bytes, all else as text.
-- The views at the end show them, and the states, in words.
--
-- job and holder keep their shape in every later schema: they are read before anything else is known of a file.

CREATE TABLE job (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  origin       TEXT NOT NULL,
  account      TEXT NOT NULL,
  source_kind  TEXT NOT NULL,
  key_rule     TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  load         INTEGER NOT NULL DEFAULT 0 -- the number of the last plan load
) STRICT;

CREATE TABLE holder (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  pid   INTEGER NOT NULL,
  host  TEXT NOT NULL,
  since INTEGER NOT NULL -- unix milliseconds
) STRICT;

CREATE TABLE fact (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id             INTEGER PRIMARY KEY,
  command        TEXT NOT NULL,
  config_digest  TEXT NOT NULL,
  source_digest  TEXT NOT NULL,
  mapping_digest TEXT NOT NULL,
  tool_version   TEXT NOT NULL,
  started_at     INTEGER NOT NULL,
  ended_at       INTEGER NOT NULL DEFAULT 0,
  exit_code      INTEGER NOT NULL DEFAULT -1, -- -1 while it runs, or when it died
  summary        BLOB
) STRICT;

CREATE TABLE mapping (
  id     INTEGER PRIMARY KEY,
  digest ANY NOT NULL UNIQUE
) STRICT;

-- state: 0 pending, 1 sending, 2 created, 3 rejected, 4 in doubt, 5 deleted. how: 1 created, 2 recovered, 3 adopted.
CREATE TABLE part (
  id              INTEGER PRIMARY KEY,
  ticket          ANY NOT NULL,
  number          INTEGER NOT NULL,
  total           INTEGER NOT NULL,
  legacy_id       TEXT NOT NULL,
  place           TEXT NOT NULL,
  digest          ANY NOT NULL,
  mapping         INTEGER NOT NULL REFERENCES mapping (id),
  created_at      INTEGER NOT NULL, -- of the conversation, unix seconds
  rank            INTEGER NOT NULL,
  threads         INTEGER NOT NULL,
  units           INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  traits          INTEGER NOT NULL,
  live            INTEGER NOT NULL,
  load            INTEGER NOT NULL, -- the plan load that named it last
  state           INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 5),
  how             INTEGER NOT NULL DEFAULT 0 CHECK (how BETWEEN 0 AND 3),
  conversation_id INTEGER CHECK (conversation_id > 0),
  deleted_id      INTEGER NOT NULL DEFAULT 0, -- the conversation it was, once deleted
  sent_at         INTEGER NOT NULL DEFAULT 0,
  gave_up_at      INTEGER NOT NULL DEFAULT 0,
  done_at         INTEGER NOT NULL DEFAULT 0,
  deleted_at      INTEGER NOT NULL DEFAULT 0,
  attempts        INTEGER NOT NULL DEFAULT 0,
  absences        INTEGER NOT NULL DEFAULT 0,
  resends         INTEGER NOT NULL DEFAULT 0,
  status          INTEGER NOT NULL DEFAULT 0,
  candidate       INTEGER NOT NULL DEFAULT 0,
  run             INTEGER NOT NULL DEFAULT 0, -- the run that moved it last
  reason          TEXT NOT NULL DEFAULT '',
  correlation     TEXT NOT NULL DEFAULT '',
  evidence        BLOB,
  CHECK ((state = 2) = (conversation_id IS NOT NULL)),
  CHECK (state <> 2 OR how > 0)
) STRICT;

CREATE UNIQUE INDEX part_ticket ON part (ticket, number);
CREATE UNIQUE INDEX part_conversation ON part (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX part_state ON part (state, rank, id);
CREATE INDEX part_sent ON part (sent_at) WHERE state = 2;

-- A message has a row while its part (or the effect that appends it) is sending, in doubt, created or rejected by the
-- server; a pending or deleted part has none.
CREATE TABLE message (
  key       ANY PRIMARY KEY,
  digest    ANY NOT NULL,
  part_id   INTEGER NOT NULL REFERENCES part (id),
  thread    INTEGER NOT NULL,
  thread_id INTEGER NOT NULL DEFAULT 0,
  effect_id INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX message_part ON message (part_id, thread);
CREATE INDEX message_effect ON message (effect_id) WHERE effect_id <> 0;

CREATE TABLE effect (
  id         INTEGER PRIMARY KEY,
  part_id    INTEGER NOT NULL, -- 0: about the job
  kind       TEXT NOT NULL CHECK (kind <> ''),
  slot       TEXT NOT NULL,
  digest     ANY NOT NULL,
  state      INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
  remote_id  INTEGER NOT NULL DEFAULT 0,
  sent_at    INTEGER NOT NULL DEFAULT 0,
  gave_up_at INTEGER NOT NULL DEFAULT 0,
  done_at    INTEGER NOT NULL DEFAULT 0,
  attempts   INTEGER NOT NULL DEFAULT 0,
  absences   INTEGER NOT NULL DEFAULT 0,
  status     INTEGER NOT NULL DEFAULT 0,
  run        INTEGER NOT NULL DEFAULT 0,
  reason     TEXT NOT NULL DEFAULT '',
  evidence   BLOB,
  messages   TEXT, -- JSON: the messages it appends, placed when it begins
  UNIQUE (part_id, kind, slot)
) STRICT;

CREATE INDEX effect_state ON effect (state, kind, part_id);

CREATE TABLE record (
  id     INTEGER PRIMARY KEY,
  run    INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  code   TEXT NOT NULL,
  ticket TEXT NOT NULL,
  place  TEXT NOT NULL,
  text   TEXT NOT NULL
) STRICT;

CREATE INDEX record_run ON record (run, kind, id);

-- kind is empty for parts, else the effects' kind.
CREATE TABLE tally (
  kind    TEXT NOT NULL,
  state   INTEGER NOT NULL,
  how     INTEGER NOT NULL,
  run     INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  units   INTEGER NOT NULL,
  PRIMARY KEY (kind, state, how, run)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER part_comes AFTER INSERT ON part BEGIN
  INSERT INTO tally VALUES ('', new.state, new.how, new.run, 1, new.threads, new.units)
    ON CONFLICT DO UPDATE SET n = n + 1, threads = threads + excluded.threads, units = units + excluded.units;
END;

CREATE TRIGGER part_goes AFTER DELETE ON part BEGIN
  UPDATE tally SET n = n - 1, threads = threads - old.threads, units = units - old.units
    WHERE kind = '' AND state = old.state AND how = old.how AND run = old.run;
END;

CREATE TRIGGER part_moves AFTER UPDATE OF state, how, run, threads, units ON part BEGIN
  UPDATE tally SET n = n - 1, threads = threads - old.threads, units = units - old.units
    WHERE kind = '' AND state = old.state AND how = old.how AND run = old.run;
  INSERT INTO tally VALUES ('', new.state, new.how, new.run, 1, new.threads, new.units)
    ON CONFLICT DO UPDATE SET n = n + 1, threads = threads + excluded.threads, units = units + excluded.units;
END;

CREATE TRIGGER effect_comes AFTER INSERT ON effect BEGIN
  INSERT INTO tally VALUES (new.kind, new.state, 0, 0, 1, 0, 0) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER effect_goes AFTER DELETE ON effect BEGIN
  UPDATE tally SET n = n - 1 WHERE kind = old.kind AND state = old.state AND how = 0 AND run = 0;
END;

CREATE TRIGGER effect_moves AFTER UPDATE OF state ON effect BEGIN
  UPDATE tally SET n = n - 1 WHERE kind = old.kind AND state = old.state AND how = 0 AND run = 0;
  INSERT INTO tally VALUES (new.kind, new.state, 0, 0, 1, 0, 0) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE VIEW parts AS
  SELECT id, CASE typeof(ticket) WHEN 'blob' THEN lower(hex(ticket)) ELSE ticket END AS ticket,
         number, total, legacy_id, place, threads,
         CASE state WHEN 0 THEN 'pending' WHEN 1 THEN 'sending' WHEN 2 THEN 'created' WHEN 3 THEN 'rejected'
                    WHEN 4 THEN 'in_doubt' ELSE 'deleted' END AS state,
         CASE how WHEN 1 THEN 'created' WHEN 2 THEN 'recovered' WHEN 3 THEN 'adopted' ELSE '' END AS how,
         conversation_id, datetime(created_at, 'unixepoch') AS created_at,
         CASE sent_at WHEN 0 THEN NULL ELSE datetime(sent_at / 1000, 'unixepoch') END AS sent_at,
         status, reason, correlation, run
  FROM part;

CREATE VIEW messages AS
  SELECT CASE typeof(key) WHEN 'blob' THEN lower(hex(key)) ELSE key END AS key, part_id, thread, thread_id, effect_id
  FROM message;
