-- Secret parts of commands. In args a secret value reads "(secret)"; the value itself stands in
-- secrets until the command has ended, and nowhere else.
ALTER TABLE commands ADD COLUMN secret_args TEXT NOT NULL DEFAULT '[]';  -- names, JSON array
ALTER TABLE commands ADD COLUMN secret_body INTEGER NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN secret_result_body INTEGER NOT NULL DEFAULT 0;
-- Values by name, of a short textual body under ""; NULL if there are none, and once it ended.
ALTER TABLE commands ADD COLUMN secrets TEXT;
-- SHA-256 of the secret parts, with an idempotency key; NULL once it ended: short secrets could be
-- guessed from it.
ALTER TABLE commands ADD COLUMN secrets_hash BLOB;

-- When it ended, so that it can be deleted some time later.
ALTER TABLE commands ADD COLUMN ended_at INTEGER;
UPDATE commands
  SET ended_at = (SELECT max(at) FROM timeline WHERE command_id = commands.id)
  WHERE due_at IS NULL;
CREATE INDEX commands_ended ON commands (ended_at) WHERE ended_at IS NOT NULL;

-- Files of bodies that no command names any more; each is deleted soon after.
CREATE TABLE discarded_bodies (
  name TEXT PRIMARY KEY
) WITHOUT ROWID;
