-- What devices hold, so that it shows when an old master key or CA root can go.

-- ID of the master key that the device's key comes from: given at enrollment, then as its last
-- Hello to the rendezvous server says. Before this version there was only key 1.
ALTER TABLE devices ADD COLUMN key_id INTEGER NOT NULL DEFAULT 1;

-- Hash of the CA roots that it trusts, likewise; NULL if not known, or if its own certificate is of
-- an older root than the newest of these.
ALTER TABLE devices ADD COLUMN roots_hash BLOB;
