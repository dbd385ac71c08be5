-- Times are unix milliseconds. Maps and lists are JSON.

CREATE TABLE labels (
  label     TEXT NOT NULL,
  device_id TEXT NOT NULL,
  PRIMARY KEY (label, device_id)
) WITHOUT ROWID;
CREATE INDEX labels_of_device ON labels (device_id);

-- Commands to all devices that have some labels. What is the same for all of them stands here once;
-- each device's own command stands in commands.
CREATE TABLE command_groups (
  id              TEXT PRIMARY KEY,  -- of the same series as those of commands
  labels          TEXT NOT NULL,
  action          TEXT NOT NULL,
  args            TEXT NOT NULL,
  body            TEXT,              -- name of its file
  body_bytes      INTEGER NOT NULL,
  accepted_at     INTEGER NOT NULL,
  deadline        INTEGER NOT NULL,
  devices         INTEGER NOT NULL,  -- as counted when it was accepted, exact once added_to is NULL
  added_to        TEXT,              -- devices up to this ID have their command; NULL = all have
  cancel_asked    INTEGER NOT NULL DEFAULT 0,
  cancelled_to    TEXT,              -- while its commands are being cancelled: those up to this ID are
  secret_args     TEXT NOT NULL,
  secret_body     INTEGER NOT NULL,
  secrets         TEXT,              -- as in commands
  secrets_hash    BLOB,
  idempotency_key TEXT,
  content_hash    BLOB,
  ended_at        INTEGER            -- when the last of its commands ended
);
CREATE UNIQUE INDEX command_groups_by_key ON command_groups (idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX command_groups_open ON command_groups (id) WHERE ended_at IS NULL;
CREATE INDEX command_groups_ended ON command_groups (ended_at) WHERE ended_at IS NOT NULL;

-- In a group's command args, body and secrets are empty: its group has them.
ALTER TABLE commands ADD COLUMN group_id TEXT;
CREATE INDEX commands_of_group ON commands (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX commands_single ON commands (id) WHERE group_id IS NULL;

-- A group's commands are deleted with their group, not each by itself.
DROP INDEX commands_ended;
CREATE INDEX commands_ended ON commands (ended_at)
  WHERE ended_at IS NOT NULL AND group_id IS NULL;

-- How many commands of each group are in each state: counting 100,000 of them at each look would
-- take too long.
CREATE TABLE group_counts (
  group_id TEXT NOT NULL,
  state    TEXT NOT NULL,
  commands INTEGER NOT NULL,
  PRIMARY KEY (group_id, state)
) WITHOUT ROWID;

CREATE TRIGGER group_command_added AFTER INSERT ON commands WHEN new.group_id IS NOT NULL
BEGIN
  INSERT INTO group_counts (group_id, state, commands) VALUES (new.group_id, new.state, 1)
    ON CONFLICT (group_id, state) DO UPDATE SET commands = commands + 1;
END;

CREATE TRIGGER group_command_moved AFTER UPDATE OF state ON commands
  WHEN new.group_id IS NOT NULL AND new.state <> old.state
BEGIN
  UPDATE group_counts SET commands = commands - 1
    WHERE group_id = old.group_id AND state = old.state;
  INSERT INTO group_counts (group_id, state, commands) VALUES (new.group_id, new.state, 1)
    ON CONFLICT (group_id, state) DO UPDATE SET commands = commands + 1;
END;
