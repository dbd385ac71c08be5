package dev.beckon.server;

import dev.beckon.server.api.MetricsText;
import dev.beckon.server.command.Commands;
import dev.beckon.server.store.Database;

/** The store's figures. */
final class StoreMetrics {

  private StoreMetrics() {}

  static void write(MetricsText text, Database database, Commands commands) {
    text.gauge(
        "beckon_store_writable",
        "1 while the disk takes writes, else 0.",
        database.isWritable() ? 1 : 0);
    text.counter("beckon_store_writes_total", "Writes that are on the disk.", database.writes());
    text.counter("beckon_store_commits_total", "Commits that carried them.", database.commits());
    text.counter(
        "beckon_store_failures_total", "Writes that the disk refused.", database.failures());
    text.counter(
        "beckon_commands_deleted_total",
        "Ended commands deleted after they were kept long enough.",
        commands.deleted());
  }
}
