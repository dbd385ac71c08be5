package dev.beckon.server.directory;

import dev.beckon.server.store.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The SQL of application servers and their invitations, within the caller's transaction. */
final class ServerTable {

  /** Expired codes are kept this long, to be told "expired" rather than "unknown". */
  private static final Duration EXPIRED_KEPT = Duration.ofDays(1);

  private static final String COLUMNS =
      "SELECT number, name, address, generation, state, added_at, enrolled_at"
          + " FROM application_servers ";

  /**
   * A stored enrollment code.
   *
   * @param publicKey SHA-256 of the key that it was used with; null until then
   * @param generation the one that its use made
   * @param certificate what its use gave, DER
   */
  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  record Invitation(
      int number,
      Instant expiresAt,
      byte @Nullable [] publicKey,
      int generation,
      byte @Nullable [] certificate) {}

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
    sql.update("DELETE FROM server_invitations WHERE number = ?", number);
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

  /** The newest code of a server is its only unused one; old codes of all servers go. */
  static void invite(Sql sql, int number, byte[] secretHash, Instant expiresAt, Instant now)
      throws SQLException {
    sql.update(
        "DELETE FROM server_invitations WHERE expires_at < ?",
        now.minus(EXPIRED_KEPT).toEpochMilli());
    sql.update("DELETE FROM server_invitations WHERE number = ? AND public_key IS NULL", number);
    sql.update(
        "INSERT INTO server_invitations (secret_hash, number, expires_at) VALUES (?, ?, ?)",
        secretHash,
        number,
        expiresAt.toEpochMilli());
  }

  static Optional<Invitation> invitation(Sql sql, byte[] secretHash) throws SQLException {
    return sql.first(
        "SELECT number, expires_at, public_key, generation, certificate FROM server_invitations"
            + " WHERE secret_hash = ?",
        row ->
            new Invitation(
                row.getInt("number"),
                Instant.ofEpochMilli(row.getLong("expires_at")),
                row.getBytes("public_key"),
                row.getInt("generation"),
                row.getBytes("certificate")),
        secretHash);
  }

  /** Whether the code was unused until now. */
  static boolean use(
      Sql sql, byte[] secretHash, byte[] publicKeyHash, int generation, byte[] certificate)
      throws SQLException {
    return sql.update(
            "UPDATE server_invitations SET public_key = ?, generation = ?, certificate = ? WHERE"
                + " secret_hash = ? AND public_key IS NULL",
            publicKeyHash,
            generation,
            certificate,
            secretHash)
        == 1;
  }
}
