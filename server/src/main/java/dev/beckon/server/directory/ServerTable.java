package dev.beckon.server.directory;

import dev.beckon.server.identity.Invitations;
import dev.beckon.server.store.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The SQL of application servers, within the caller's transaction. */
final class ServerTable {

  static final Invitations<Integer> INVITATIONS =
      new Invitations<>(
          "number", "server_invitations", "number", number -> number, row -> row.getInt("number"));

  private static final String COLUMNS =
      "SELECT number, name, address, generation, state, added_at, enrolled_at"
          + " FROM application_servers ";

  private ServerTable() {}

  /** Removed ones too. */
  static Optional<ApplicationServer> find(Sql sql, int number) throws SQLException {
    return sql.first(COLUMNS + "WHERE number = ?", ServerTable::server, number);
  }

  /** Those that are not removed, by number. */
  static List<ApplicationServer> list(Sql sql) throws SQLException {
    return sql.list(COLUMNS + "WHERE state <> 'REMOVED' ORDER BY number", ServerTable::server);
  }

  private static ApplicationServer server(ResultSet row) throws SQLException {
    Long enrolledAt = Sql.nullableLong(row, "enrolled_at");
    return new ApplicationServer(
        row.getInt("number"),
        row.getString("name"),
        row.getString("address"),
        row.getInt("generation"),
        ApplicationServer.State.valueOf(row.getString("state")),
        Instant.ofEpochMilli(row.getLong("added_at")),
        enrolledAt == null ? null : Instant.ofEpochMilli(enrolledAt));
  }

  /** Adds the server, brings a removed one back, or changes name and address of a known one. */
  static void put(Sql sql, int number, String name, String address, Instant now)
      throws SQLException {
    sql.update(
        "INSERT INTO application_servers (number, name, address, generation, state, added_at)"
            + " VALUES (?, ?, ?, 0, 'INVITED', ?) ON CONFLICT (number) DO UPDATE SET"
            + " name = excluded.name, address = excluded.address,"
            + " added_at = iif(state = 'REMOVED', excluded.added_at, added_at),"
            + " state = iif(state = 'REMOVED', 'INVITED', state)",
        number,
        name,
        address,
        now.toEpochMilli());
  }

  /** A bound of the list's length, in bytes. */
  static long listBytes(Sql sql) throws SQLException {
    // Behind name and address come number, lengths and field numbers, 16 bytes at most.
    return sql.first(
            "SELECT sum(octet_length(name) + octet_length(address) + 16) FROM application_servers"
                + " WHERE state <> 'REMOVED'",
            row -> row.getLong(1))
        .orElse(0L);
  }

  static void remove(Sql sql, int number) throws SQLException {
    sql.update("UPDATE application_servers SET state = 'REMOVED' WHERE number = ?", number);
    INVITATIONS.withdraw(sql, number);
  }

  static void enroll(Sql sql, int number, int generation, Instant now) throws SQLException {
    sql.update(
        "UPDATE application_servers SET generation = ?, state = 'ENROLLED', enrolled_at = ?,"
            + " roots_hash = NULL WHERE number = ?",
        generation,
        now.toEpochMilli(),
        number);
  }

  /** Notes which roots the server goes by; null if they are not those of the day. */
  static void holds(Sql sql, int number, int generation, byte @Nullable [] rootsHash)
      throws SQLException {
    sql.update(
        "UPDATE application_servers SET roots_hash = ? WHERE number = ? AND generation = ?",
        rootsHash,
        number,
        generation);
  }

  static int countEnrolled(Sql sql) throws SQLException {
    return sql.first(
            "SELECT count(*) FROM application_servers WHERE state = 'ENROLLED'",
            row -> row.getInt(1))
        .orElse(0);
  }

  /** Enrolled servers that are not known to have moved to these roots. */
  static int countOfOtherRoots(Sql sql, byte[] rootsHash) throws SQLException {
    return sql.first(
            "SELECT count(*) FROM application_servers WHERE state = 'ENROLLED' AND (roots_hash IS"
                + " NULL OR roots_hash <> ?)",
            row -> row.getInt(1),
            rootsHash)
        .orElse(0);
  }
}
