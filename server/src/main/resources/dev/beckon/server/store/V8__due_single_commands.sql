-- Single commands that are due are found among the 100,000 of a group that are due at the same time.
CREATE INDEX commands_due_single ON commands (due_at)
  WHERE due_at IS NOT NULL AND group_id IS NULL;
