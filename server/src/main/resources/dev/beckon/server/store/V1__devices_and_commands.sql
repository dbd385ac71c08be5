-- Times are unix milliseconds. Maps are JSON objects.

-- What belongs to this database as a whole, by name.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE devices (
  id           TEXT PRIMARY KEY,
  generation   INTEGER NOT NULL,  -- counts enrollments; 0 until the first
  state        TEXT NOT NULL,     -- INVITED, ENROLLED, REVOKED
  added_at     INTEGER NOT NULL,
  enrolled_at  INTEGER,
  actions      BLOB,              -- Actions message, as declared
  actions_hash BLOB
) WITHOUT ROWID;

-- Enrollment codes that were not used, or that may still be used again with the same key.
CREATE TABLE invitations (
  secret_hash BLOB PRIMARY KEY,   -- SHA-256: the secret itself is never stored
  device_id   TEXT NOT NULL,
  expires_at  INTEGER NOT NULL,
  -- Set when used:
  public_key  BLOB,               -- SHA-256 of the key that it was used with
  generation  INTEGER,
  certificate BLOB                -- DER
) WITHOUT ROWID;
CREATE INDEX invitations_of_device ON invitations (device_id);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

CREATE TABLE deny_list (
  device_id          TEXT PRIMARY KEY,
  minimum_generation INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE commands (
  id                TEXT PRIMARY KEY,  -- sorts by acceptance
  device_id         TEXT NOT NULL,
  action            TEXT NOT NULL,
  args              TEXT NOT NULL,
  body              TEXT,              -- name of its file
  body_bytes        INTEGER NOT NULL,
  state             TEXT NOT NULL,
  accepted_at       INTEGER NOT NULL,
  deadline          INTEGER NOT NULL,
  handed_over       INTEGER NOT NULL DEFAULT 0,  -- 1 = a session may have sent it
  cancel_asked      INTEGER NOT NULL DEFAULT 0,
  reason            TEXT,
  result            TEXT NOT NULL DEFAULT '{}',
  result_body       TEXT,              -- name of its file
  result_body_bytes INTEGER NOT NULL DEFAULT 0,
  due_at            INTEGER,           -- when to look at it again; NULL exactly if it ended
  entries           INTEGER NOT NULL DEFAULT 0,  -- length of its timeline
  idempotency_key   TEXT,
  content_hash      BLOB               -- with an idempotency key
);
CREATE INDEX commands_of_device ON commands (device_id, id);
CREATE INDEX commands_waiting ON commands (device_id, id) WHERE due_at IS NOT NULL;
CREATE INDEX commands_due ON commands (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX commands_by_key ON commands (idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE timeline (
  command_id TEXT NOT NULL,
  n          INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  event      TEXT NOT NULL,
  details    TEXT NOT NULL,
  PRIMARY KEY (command_id, n)
) WITHOUT ROWID;
