package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Acceptance.Hashes;
import dev.beckon.server.store.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The SQL of group commands; each method runs within the caller's transaction. */
final class GroupTable {

  private static final String SELECT = "SELECT * FROM command_groups ";

  /**
   * A group with what is not shown.
   *
   * @param body name of the body's file
   * @param secrets their values; null if there are none, and once it ended
   * @param addedTo devices up to this ID have their command; null = all have
   * @param cancelledTo commands up to this ID are cancelled or asked for; null = none is to be
   */
  record Stored(
      Group group,
      @Nullable String body,
      @Nullable Map<String, String> secrets,
      @Nullable String addedTo,
      @Nullable String cancelledTo) {

    String id() {
      return group.id();
    }

    /** The group with its secrets, as far as they are still there. */
    Group revealed() {
      return secrets == null ? group : group.revealing(secrets);
    }

    /** Without the secrets. */
    @Override
    public String toString() {
      return group.toString();
    }
  }

  private GroupTable() {}

  static void insert(Sql sql, Group group, NewCommand asked, @Nullable String body, Hashes hashes)
      throws SQLException {
    boolean keyed = asked.idempotencyKey() != null;
    sql.update(
        "INSERT INTO command_groups (id, labels, action, args, body, body_bytes, accepted_at,"
            + " deadline, devices, added_to, secret_args, secret_body, secrets, secrets_hash,"
            + " idempotency_key, content_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?,"
            + " ?, ?)",
        group.id(),
        JsonColumn.json(group.labels()),
        group.action(),
        JsonColumn.json(group.args()),
        body,
        group.bodyBytes(),
        group.acceptedAt().toEpochMilli(),
        group.deadline().toEpochMilli(),
        group.devices(),
        JsonColumn.json(new TreeSet<>(group.secrecy().args())),
        group.secrecy().body() ? 1 : 0,
        group.secrecy().any() ? JsonColumn.json(SecretParts.values(asked)) : null,
        keyed ? hashes.secrets() : null,
        asked.idempotencyKey(),
        keyed ? hashes.content() : null);
  }

  static Optional<Stored> find(Sql sql, String id) throws SQLException {
    return list(sql, "WHERE id = ?", id).stream().findFirst();
  }

  /** What the commands of a group share; without its counts. */
  static Optional<Stored> shared(Sql sql, String id) throws SQLException {
    return sql.first(SELECT + "WHERE id = ?", GroupTable::stored, id);
  }

  /** The group that an idempotency key was used for. */
  static Optional<String> idByKey(Sql sql, String key) throws SQLException {
    return sql.first(
        "SELECT id FROM command_groups WHERE idempotency_key = ?", row -> row.getString("id"), key);
  }

  static Optional<Hashes> hashes(Sql sql, String id) throws SQLException {
    return sql.first(
        "SELECT content_hash, secrets_hash FROM command_groups WHERE id = ? AND content_hash IS"
            + " NOT NULL",
        row -> new Hashes(row.getBytes("content_hash"), row.getBytes("secrets_hash")),
        id);
  }

  /** The newest first. */
  static List<Stored> newest(Sql sql, @Nullable String before, int limit) throws SQLException {
    return before == null
        ? list(sql, "ORDER BY id DESC LIMIT ?", limit)
        : list(sql, "WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit);
  }

  /** IDs of those with commands to be added or cancelled, the oldest first. */
  static List<String> unfinished(Sql sql) throws SQLException {
    return sql.list(
        "SELECT id FROM command_groups WHERE ended_at IS NULL"
            + " AND (added_to IS NOT NULL OR cancelled_to IS NOT NULL) ORDER BY id",
        row -> row.getString(1));
  }

  /**
   * What has its turns before a new group.
   *
   * @param groups that have not ended
   * @param devices of those that are not cancelled
   */
  record Ahead(int groups, long devices) {}

  static Ahead ahead(Sql sql) throws SQLException {
    return sql.first(
            "SELECT count(*), coalesce(sum(CASE WHEN cancel_asked = 0 THEN devices END), 0) FROM"
                + " command_groups WHERE ended_at IS NULL",
            row -> new Ahead(row.getInt(1), row.getLong(2)))
        .orElseThrow();
  }

  /** Those whose devices may have to be woken, and whether each is complete. */
  static Map<String, Boolean> open(Sql sql) throws SQLException {
    Map<String, Boolean> open = new TreeMap<>();
    sql.list(
            "SELECT id, added_to IS NULL FROM command_groups WHERE ended_at IS NULL AND"
                + " cancel_asked = 0",
            row -> Map.entry(row.getString(1), row.getInt(2) == 1))
        .forEach(row -> open.put(row.getKey(), row.getValue()));
    return open;
  }

  /**
   * Adds a device's command.
   *
   * @param refused why the device cannot be sent it; null if it can
   */
  static void addCommand(
      Sql sql, Group group, String id, DeviceId device, @Nullable String refused, Instant now)
      throws SQLException {
    CommandState state = refused == null ? CommandState.QUEUED : CommandState.REJECTED;
    long accepted = group.acceptedAt().toEpochMilli();
    sql.update(
        "INSERT INTO commands (id, device_id, action, args, body_bytes, state, accepted_at,"
            + " deadline, due_at, reason, ended_at, group_id, entries) VALUES (?, ?, ?, '{}', ?, ?,"
            + " ?, ?, ?, ?, ?, ?, 1)",
        id,
        device.value(),
        group.action(),
        group.bodyBytes(),
        state.name(),
        accepted,
        group.deadline().toEpochMilli(),
        CommandTable.millis(CommandLife.dueAt(state, false, group.deadline())),
        refused,
        refused == null ? null : now.toEpochMilli(),
        group.id());
    sql.update(
        "INSERT INTO timeline (command_id, n, at, event, details) VALUES (?, 0, ?, 'queued', '{}')",
        id,
        accepted);
    if (refused != null) {
      CommandTable.append(sql, id, Report.finished(now, state, refused));
    }
  }

  /** Whether the group's command for this device was added before its portion. */
  static boolean hasCommand(Sql sql, String id, DeviceId device) throws SQLException {
    return sql.first(
            "SELECT 1 FROM commands WHERE device_id = ? AND id > ? AND group_id = ?",
            row -> true,
            device.value(),
            id,
            id)
        .isPresent();
  }

  /** IDs of those that have not come to this device yet, which has their labels; oldest first. */
  static List<String> owed(Sql sql, DeviceId device) throws SQLException {
    return sql.list(
        "SELECT id FROM command_groups g WHERE ended_at IS NULL AND cancel_asked = 0"
            + " AND added_to < ?1 AND NOT EXISTS (SELECT 1 FROM json_each(g.labels) j WHERE NOT"
            + " EXISTS (SELECT 1 FROM labels l WHERE l.label = j.value AND l.device_id = ?1))"
            + " ORDER BY id",
        row -> row.getString(1),
        device.value());
  }

  static void addedTo(Sql sql, String id, String deviceId) throws SQLException {
    sql.update("UPDATE command_groups SET added_to = ? WHERE id = ?", deviceId, id);
  }

  /** No device is added any more: those with a command are the group. */
  static void complete(Sql sql, String id) throws SQLException {
    sql.update(
        "UPDATE command_groups SET added_to = NULL, devices = (SELECT coalesce(sum(commands), 0)"
            + " FROM group_counts WHERE group_id = ?1) WHERE id = ?1",
        id);
  }

  /** No device is added any more; the group still tells how many there should have been. */
  static void cutShort(Sql sql, String id) throws SQLException {
    sql.update("UPDATE command_groups SET added_to = NULL WHERE id = ?", id);
  }

  static void askCancel(Sql sql, String id) throws SQLException {
    sql.update("UPDATE command_groups SET cancel_asked = 1, cancelled_to = '' WHERE id = ?", id);
  }

  static void cancelledTo(Sql sql, String id, @Nullable String commandId) throws SQLException {
    sql.update("UPDATE command_groups SET cancelled_to = ? WHERE id = ?", commandId, id);
  }

  /** IDs of a group's commands behind one of them that have not ended, in their order. */
  static List<String> notEnded(Sql sql, String id, String after, int limit) throws SQLException {
    return sql.list(
        "SELECT id FROM commands WHERE group_id = ? AND id > ? AND due_at IS NOT NULL ORDER BY id"
            + " LIMIT ?",
        row -> row.getString(1),
        id,
        after,
        limit);
  }

  /** A group's commands behind one of them that their devices may not have yet, in their order. */
  static List<Groups.Waiting> waiting(Sql sql, String id, String after, Instant now, int limit)
      throws SQLException {
    return sql.list(
        "SELECT id, device_id, deadline FROM commands WHERE group_id = ? AND id > ? AND due_at IS"
            + " NOT NULL AND state = 'QUEUED' AND cancel_asked = 0 AND deadline > ? ORDER BY id"
            + " LIMIT ?",
        row ->
            new Groups.Waiting(
                row.getString(1),
                new DeviceId(row.getString(2)),
                Instant.ofEpochMilli(row.getLong(3))),
        id,
        after,
        now.toEpochMilli(),
        limit);
  }

  /**
   * Ends the group if none of its commands is left; its secrets go with that.
   *
   * @return whether secrets were deleted
   */
  static boolean endIfOver(Sql sql, String id, Instant now) throws SQLException {
    boolean over =
        sql.first(
                "SELECT 1 FROM command_groups WHERE id = ?1 AND ended_at IS NULL AND added_to IS"
                    + " NULL AND NOT EXISTS (SELECT 1 FROM group_counts WHERE group_id = ?1 AND"
                    + " commands > 0 AND state IN ('QUEUED', 'DELIVERED', 'RUNNING'))",
                row -> true,
                id)
            .isPresent();
    if (!over) {
      return false;
    }
    Stored stored = find(sql, id).orElseThrow();
    boolean secret = stored.group().secrecy().any();
    sql.update(
        "UPDATE command_groups SET ended_at = ?, cancelled_to = NULL, secrets = NULL, secrets_hash"
            + " = NULL WHERE id = ?",
        now.toEpochMilli(),
        id);
    if (stored.group().secrecy().body() && stored.body() != null) {
      sql.update("UPDATE command_groups SET body = NULL WHERE id = ?", id);
      CommandTable.discardBody(sql, stored.body());
    }
    return secret;
  }

  /** The group that ended first, if it was at that time or before. */
  static Optional<String> endedBy(Sql sql, Instant latest) throws SQLException {
    return sql.first(
        "SELECT id FROM command_groups WHERE ended_at <= ? ORDER BY ended_at LIMIT 1",
        row -> row.getString(1),
        latest.toEpochMilli());
  }

  /**
   * Deletes a portion of the group's commands, and with the last ones the group.
   *
   * @return how many commands were deleted
   */
  static int delete(Sql sql, String id, int portion) throws SQLException {
    List<String> commands =
        sql.list(
            "SELECT id FROM commands WHERE group_id = ? LIMIT ?",
            row -> row.getString(1),
            id,
            portion);
    for (String command : commands) {
      CommandTable.delete(sql, command);
    }
    if (commands.size() < portion) {
      sql.update(
          "INSERT OR IGNORE INTO discarded_bodies (name) SELECT body FROM command_groups WHERE id ="
              + " ? AND body IS NOT NULL",
          id);
      sql.update("DELETE FROM group_counts WHERE group_id = ?", id);
      sql.update("DELETE FROM command_groups WHERE id = ?", id);
    }
    return commands.size();
  }

  private static List<Stored> list(Sql sql, String where, Object... parameters)
      throws SQLException {
    List<Stored> rows = sql.list(SELECT + where, GroupTable::stored, parameters);
    return rows.isEmpty() ? rows : withCounts(sql, rows);
  }

  private static List<Stored> withCounts(Sql sql, List<Stored> rows) throws SQLException {
    List<Stored> complete = new ArrayList<>(rows.size());
    for (Stored row : rows) {
      Map<CommandState, Integer> counts = new EnumMap<>(CommandState.class);
      sql.list(
              "SELECT state, commands FROM group_counts WHERE group_id = ? AND commands > 0",
              count -> Map.entry(CommandState.valueOf(count.getString(1)), count.getInt(2)),
              row.id())
          .forEach(count -> counts.put(count.getKey(), count.getValue()));
      complete.add(
          new Stored(
              row.group().with(counts),
              row.body(),
              row.secrets(),
              row.addedTo(),
              row.cancelledTo()));
    }
    return complete;
  }

  private static Stored stored(ResultSet row) throws SQLException {
    String addedTo = row.getString("added_to");
    Long endedAt = Sql.nullableLong(row, "ended_at");
    String secrets = row.getString("secrets");
    boolean secretBody = row.getInt("secret_body") == 1;
    Group group =
        new Group(
            row.getString("id"),
            List.copyOf(new TreeSet<>(JsonColumn.names(row.getString("labels")))),
            row.getString("action"),
            JsonColumn.texts(row.getString("args")),
            row.getLong("body_bytes"),
            Instant.ofEpochMilli(row.getLong("accepted_at")),
            Instant.ofEpochMilli(row.getLong("deadline")),
            row.getInt("devices"),
            addedTo == null,
            row.getInt("cancel_asked") == 1,
            Map.of(),
            endedAt == null ? null : Instant.ofEpochMilli(endedAt),
            new Secrecy(JsonColumn.names(row.getString("secret_args")), secretBody, secretBody));
    return new Stored(
        group,
        row.getString("body"),
        secrets == null ? null : JsonColumn.texts(secrets),
        addedTo,
        row.getString("cancelled_to"));
  }
}
