package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;

/**
 * How many commands SQLite takes on this disk if nothing else is to be done: the server's tables
 * and settings and, for each command, the statements by which the server accepts one, so many
 * commands in each commit. A program of its own, to run where the server ran.
 */
public final class StoreLimit {

  private static final String ARGS = "{\"text\":\"hello\"}";
  private static final long HOUR_MILLIS = 3_600_000;

  private StoreLimit() {}

  /**
   * Arguments: a folder, which is made if it is missing; commands in a commit; seconds. Prints
   * commands per second.
   */
  public static void main(String[] arguments) throws IOException, SQLException {
    Path folder = Path.of(arguments[0]);
    int group = Integer.parseInt(arguments[1]);
    double seconds = Double.parseDouble(arguments[2]);
    Database.open(folder).close(); // makes the tables, as they are today
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("beckon.db"));
        Statement plain = connection.createStatement()) {
      for (String pragma :
          List.of("journal_mode = WAL", "synchronous = FULL", "secure_delete = 1")) {
        plain.execute("PRAGMA " + pragma);
      }
      run(connection, plain, group, seconds / 4); // compiles what is measured next
      System.out.printf(Locale.ROOT, "%.0f%n", run(connection, plain, group, seconds));
    }
  }

  private static double run(Connection connection, Statement plain, int group, double seconds)
      throws SQLException {
    try (PreparedStatement device =
            connection.prepareStatement(
                "SELECT id, generation, state, added_at, enrolled_at, actions FROM devices WHERE id"
                    + " = ?");
        PreparedStatement waiting =
            connection.prepareStatement(
                "SELECT count(*) FROM commands WHERE device_id = ? AND due_at IS NOT NULL");
        PreparedStatement command =
            connection.prepareStatement(
                "INSERT INTO commands (id, device_id, action, args, body, body_bytes, state,"
                    + " accepted_at, deadline, due_at, secret_args, secret_body,"
                    + " secret_result_body) VALUES (?, ?, 'echo', ?, NULL, 0, 'QUEUED', ?, ?, ?,"
                    + " '[]', 0, 0)");
        PreparedStatement entry =
            connection.prepareStatement(
                "INSERT INTO timeline (command_id, n, at, event, details) SELECT id, entries, ?,"
                    + " 'queued', '{}' FROM commands WHERE id = ?");
        PreparedStatement entries =
            connection.prepareStatement("UPDATE commands SET entries = entries + 1 WHERE id = ?")) {
      long begin = System.nanoTime();
      long end = begin + (long) (seconds * 1e9);
      long n = 0;
      while (System.nanoTime() - end < 0) {
        plain.execute("BEGIN IMMEDIATE");
        for (int i = 0; i < group; i++, n++) {
          String id = String.format(Locale.ROOT, "%013d%013d", System.nanoTime(), n);
          String deviceId = FleetIds.of((int) n).value();
          long now = System.currentTimeMillis();
          read(device, deviceId);
          read(waiting, deviceId);
          command.setString(1, id);
          command.setString(2, deviceId);
          command.setString(3, ARGS);
          command.setLong(4, now);
          command.setLong(5, now + HOUR_MILLIS);
          command.setLong(6, now + HOUR_MILLIS);
          command.executeUpdate();
          entry.setLong(1, now);
          entry.setString(2, id);
          entry.executeUpdate();
          entries.setString(1, id);
          entries.executeUpdate();
        }
        plain.execute("COMMIT");
      }
      return n / ((System.nanoTime() - begin) / 1e9);
    }
  }

  private static void read(PreparedStatement query, String id) throws SQLException {
    query.setString(1, id);
    try (ResultSet rows = query.executeQuery()) {
      while (rows.next()) {
        rows.getObject(1);
      }
    }
  }
}
