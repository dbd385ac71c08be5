package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of the enrollment codes that were given out to one kind of guest: devices, or servers.
 * Each method runs within the caller's transaction.
 *
 * @param <G> what a guest is known by
 */
public final class Invitations<G> {

  /** Expired codes are kept this long, to be told "expired" rather than "unknown". */
  private static final Duration EXPIRED_KEPT = Duration.ofDays(1);

  /**
   * A stored code.
   *
   * @param publicKey SHA-256 of the key that it was used with; null until then
   * @param generation the one that its use made
   * @param certificate what its use gave, DER; null until then
   */
  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  public record Invitation<G>(
      G guest,
      Instant expiresAt,
      byte @Nullable [] publicKey,
      int generation,
      byte @Nullable [] certificate) {}

  private final String nameOfGuests;
  private final Function<G, Object> column;
  private final Sql.Row<G> guest;
  private final String deleteExpired;
  private final String deleteUnused;
  private final String deleteAll;
  private final String insert;
  private final String select;
  private final String use;

  /**
   * @param nameOfGuests what people call {@code G}
   * @param guests the column of {@code table} that names the guest
   * @param guest reads the column {@code guests}
   */
  public Invitations(
      String nameOfGuests,
      String table,
      String guests,
      Function<G, Object> column,
      Sql.Row<G> guest) {
    this.nameOfGuests = nameOfGuests;
    this.column = column;
    this.guest = guest;
    deleteExpired = "DELETE FROM " + table + " WHERE expires_at < ?";
    deleteAll = "DELETE FROM " + table + " WHERE " + guests + " = ?";
    deleteUnused = deleteAll + " AND public_key IS NULL";
    insert = "INSERT INTO " + table + " (secret_hash, " + guests + ", expires_at) VALUES (?, ?, ?)";
    select =
        "SELECT "
            + guests
            + ", expires_at, public_key, generation, certificate FROM "
            + table
            + " WHERE secret_hash = ?";
    use =
        "UPDATE "
            + table
            + " SET public_key = ?, generation = ?, certificate = ? WHERE secret_hash = ? AND"
            + " public_key IS NULL";
  }

  /**
   * Keeps a code. The newest code of a guest is its only unused one; old codes of all guests go.
   *
   * @param generation of the guest now
   * @throws IllegalStateException if there is no generation behind it; the message is for people
   */
  public void invite(Sql sql, G guest, int generation, EnrollmentCode code, Instant now)
      throws SQLException {
    if (generation >= DeviceKey.MAX_GENERATION) {
      throw new IllegalStateException(
          nameOfGuests + ": " + guest + " (enrolled " + generation + " times; expected another)");
    }
    sql.update(deleteExpired, now.minus(EXPIRED_KEPT).toEpochMilli());
    sql.update(deleteUnused, column.apply(guest));
    sql.update(
        insert, FleetCa.sha256(code.secret()), column.apply(guest), code.expiry().toEpochMilli());
  }

  /** Takes back all codes of a guest. */
  public void withdraw(Sql sql, G guest) throws SQLException {
    sql.update(deleteAll, column.apply(guest));
  }

  Optional<Invitation<G>> find(Sql sql, byte[] secretHash) throws SQLException {
    return sql.first(
        select,
        row ->
            new Invitation<>(
                guest.read(row),
                Instant.ofEpochMilli(row.getLong("expires_at")),
                row.getBytes("public_key"),
                row.getInt("generation"),
                row.getBytes("certificate")),
        secretHash);
  }

  /** Whether the code was unused until now. */
  boolean use(Sql sql, byte[] secretHash, byte[] publicKeyHash, int generation, byte[] certificate)
      throws SQLException {
    return sql.update(use, publicKeyHash, generation, certificate, secretHash) == 1;
  }
}
