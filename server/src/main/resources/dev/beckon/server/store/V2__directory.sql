-- Times are unix milliseconds.

-- The servers that devices can be sent to, as the operator of the rendezvous server wants them.
CREATE TABLE application_servers (
  number      INTEGER PRIMARY KEY,  -- 1 to 65535; 65535 = a directory server of its own
  name        TEXT NOT NULL,
  address     TEXT NOT NULL,
  generation  INTEGER NOT NULL,     -- counts enrollments; 0 until the first
  state       TEXT NOT NULL,        -- INVITED, ENROLLED, REMOVED
  added_at    INTEGER NOT NULL,
  enrolled_at INTEGER
);

-- Enrollment codes of servers, as invitations are those of devices.
CREATE TABLE server_invitations (
  secret_hash BLOB PRIMARY KEY,     -- SHA-256: the secret itself is never stored
  number      INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  -- Set when used:
  public_key  BLOB,                 -- SHA-256 of the key that it was used with
  generation  INTEGER,
  certificate BLOB                  -- DER
) WITHOUT ROWID;
CREATE INDEX server_invitations_of_number ON server_invitations (number);

-- The signed list that this server holds, if any.
CREATE TABLE directory (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  signed  BLOB NOT NULL             -- SignedDirectory
);

-- What the device told or was sent last; 0 = none. Who is below the list's version is woken for it.
ALTER TABLE devices ADD COLUMN directory_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX devices_by_directory ON devices (directory_version);
