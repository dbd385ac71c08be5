-- The CA roots that the server said it goes by, if they were those of the day, as with devices.
ALTER TABLE application_servers ADD COLUMN roots_hash BLOB;
