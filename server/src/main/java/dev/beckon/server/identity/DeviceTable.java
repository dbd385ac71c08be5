package dev.beckon.server.identity;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Actions;
import dev.beckon.server.store.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** The SQL of devices; each method runs within the caller's transaction. */
final class DeviceTable {

  private static final String COLUMNS =
      "SELECT id, generation, state, added_at, enrolled_at, actions FROM devices ";

  static final Invitations<DeviceId> INVITATIONS =
      new Invitations<>(
          "device ID",
          "invitations",
          "device_id",
          DeviceId::value,
          row -> new DeviceId(row.getString("device_id")));

  private DeviceTable() {}

  static Optional<Device> find(Sql sql, DeviceId id) throws SQLException {
    return sql.first(COLUMNS + "WHERE id = ?", DeviceTable::device, id.value());
  }

  static List<Device> list(Sql sql, @Nullable String after, int limit) throws SQLException {
    return sql.list(
        COLUMNS + "WHERE id > ? ORDER BY id LIMIT ?",
        DeviceTable::device,
        after == null ? "" : after,
        limit);
  }

  /** Those that have all the labels. */
  static List<Device> list(Sql sql, SortedSet<String> labels, @Nullable String after, int limit)
      throws SQLException {
    List<Object> parameters = new ArrayList<>();
    String behind = after == null ? "" : after;
    String from = Labels.having(Labels.rarestFirst(sql, labels, behind), parameters);
    parameters.add(behind);
    parameters.add(limit);
    return sql.list(
        "SELECT d.id, d.generation, d.state, d.added_at, d.enrolled_at, d.actions "
            + from
            + " AND l.device_id > ? ORDER BY l.device_id LIMIT ?",
        DeviceTable::device,
        parameters.toArray());
  }

  private static Device device(ResultSet row) throws SQLException {
    DeviceId id = new DeviceId(row.getString("id"));
    Long enrolledAt = Sql.nullableLong(row, "enrolled_at");
    byte[] actions = row.getBytes("actions");
    return new Device(
        id,
        row.getInt("generation"),
        Device.State.valueOf(row.getString("state")),
        Instant.ofEpochMilli(row.getLong("added_at")),
        enrolledAt == null ? null : Instant.ofEpochMilli(enrolledAt),
        actions == null ? null : actions(id, actions));
  }

  private static Actions actions(DeviceId id, byte[] bytes) throws SQLException {
    try {
      return Actions.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new SQLException("the stored actions of device " + id + " are damaged", e);
    }
  }

  /** Whether it was missing. */
  static boolean addIfMissing(Sql sql, DeviceId id, Instant now) throws SQLException {
    return sql.update(
            "INSERT INTO devices (id, generation, state, added_at) VALUES (?, 0, 'INVITED', ?) ON"
                + " CONFLICT (id) DO NOTHING",
            id.value(),
            now.toEpochMilli())
        == 1;
  }

  /**
   * The next generation takes over. What its predecessor declared is forgotten: this may be other
   * hardware.
   */
  static void enroll(Sql sql, DeviceId id, int generation, int keyId, byte[] rootsHash, Instant now)
      throws SQLException {
    sql.update(
        "UPDATE devices SET generation = ?, state = 'ENROLLED', enrolled_at = ?, actions = NULL,"
            + " actions_hash = NULL, key_id = ?, roots_hash = ? WHERE id = ?",
        generation,
        now.toEpochMilli(),
        keyId,
        rootsHash,
        id.value());
  }

  /** Another server's word about the device; what it declared stays with its generation. */
  static void learn(Sql sql, DeviceId id, int generation, Device.State state, Instant now)
      throws SQLException {
    sql.update(
        "INSERT INTO devices (id, generation, state, added_at, enrolled_at) VALUES (?, ?, ?, ?, ?)"
            + " ON CONFLICT (id) DO UPDATE SET state = excluded.state, actions = CASE WHEN"
            + " generation = excluded.generation THEN actions END, actions_hash = CASE WHEN"
            + " generation = excluded.generation THEN actions_hash END, generation ="
            + " excluded.generation",
        id.value(),
        generation,
        state.name(),
        now.toEpochMilli(),
        generation > 0 ? now.toEpochMilli() : null);
  }

  static void forget(Sql sql, DeviceId id) throws SQLException {
    sql.update("DELETE FROM devices WHERE id = ?", id.value());
  }

  /**
   * What a device was last known to hold.
   *
   * @param rootsHash null if that is not known
   */
  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  record Holding(int keyId, byte @Nullable [] rootsHash) {}

  static Optional<Holding> holding(Sql sql, DeviceId id) throws SQLException {
    return sql.first(
        "SELECT key_id, roots_hash FROM devices WHERE id = ?",
        row -> new Holding(row.getInt(1), row.getBytes(2)),
        id.value());
  }

  static void holds(Sql sql, DeviceId id, int keyId, byte @Nullable [] rootsHash)
      throws SQLException {
    sql.update(
        "UPDATE devices SET key_id = ?, roots_hash = ? WHERE id = ?", keyId, rootsHash, id.value());
  }

  static int countOfKey(Sql sql, int keyId) throws SQLException {
    return sql.first(
            "SELECT count(*) FROM devices WHERE state = 'ENROLLED' AND key_id = ?",
            row -> row.getInt(1),
            keyId)
        .orElse(0);
  }

  static int countEnrolled(Sql sql) throws SQLException {
    return sql.first("SELECT count(*) FROM devices WHERE state = 'ENROLLED'", row -> row.getInt(1))
        .orElse(0);
  }

  /** Enrolled devices that are not known to have moved to these roots. */
  static int countOfOtherRoots(Sql sql, byte[] rootsHash) throws SQLException {
    return sql.first(
            "SELECT count(*) FROM devices WHERE state = 'ENROLLED' AND (roots_hash IS NULL OR"
                + " roots_hash <> ?)",
            row -> row.getInt(1),
            rootsHash)
        .orElse(0);
  }

  static void revoke(Sql sql, DeviceId id) throws SQLException {
    sql.update("UPDATE devices SET state = 'REVOKED' WHERE id = ?", id.value());
    INVITATIONS.withdraw(sql, id);
  }

  static void declareActions(Sql sql, DeviceId id, Actions actions, byte[] hash)
      throws SQLException {
    sql.update(
        "UPDATE devices SET actions = ?, actions_hash = ? WHERE id = ?",
        actions.toByteArray(),
        hash,
        id.value());
  }

  static Optional<byte[]> actionsHash(Sql sql, DeviceId id) throws SQLException {
    return sql.first(
        "SELECT actions_hash FROM devices WHERE id = ? AND actions_hash IS NOT NULL",
        row -> row.getBytes(1),
        id.value());
  }
}
