package dev.beckon.server.store;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Statements that belong together: they take effect as a whole or not at all.
 *
 * <p>Runs on a thread of the database, so it does nothing slow: no files, no network, no locks.
 * What it throws undoes its statements, and only its own.
 *
 * @param <T> what the statements find out
 */
@FunctionalInterface
public interface SqlWork<T extends @Nullable Object> {
  T run(Sql sql) throws SQLException;
}
