package dev.beckon.server.command;

import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Acceptance.Hashes;
import dev.beckon.server.store.Sql;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The SQL of commands; each method runs within the caller's transaction. */
final class CommandTable {

  /**
   * Longest timeline that evidence and progress may fill. What ends a command is always added, so a
   * talkative device cannot fill the disk and cannot hide its end.
   */
  static final int MAX_ENTRIES = 200;

  private static final String SELECT = "SELECT * FROM commands ";

  /** What the rules and the files need beyond what a {@link Command} shows. */
  record Stored(
      Command command,
      boolean handedOver,
      boolean cancelAsked,
      int entries,
      @Nullable String body,
      @Nullable String resultBody,
      @Nullable Map<String, String> secrets) {

    String id() {
      return command.id();
    }

    CommandState state() {
      return command.state();
    }

    /** The command with its secrets, as far as they are still there. */
    Command revealed() {
      return secrets == null ? command : command.revealing(secrets);
    }

    /** Takes the secrets out of what the device says. */
    Redaction redaction() {
      if (!command.secrecy().any()) {
        return Redaction.NONE;
      }
      return secrets == null ? Redaction.ALL : Redaction.of(secrets.values());
    }

    /** Without the secrets. */
    @Override
    public String toString() {
      return command.toString();
    }
  }

  private CommandTable() {}

  static String newestId(Sql sql) throws SQLException {
    return sql.first(
            "SELECT max((SELECT coalesce(max(id), '') FROM commands),"
                + " (SELECT coalesce(max(id), '') FROM command_groups))",
            row -> row.getString(1))
        .orElse("");
  }

  static void insert(
      Sql sql, Command command, NewCommand asked, @Nullable String body, Hashes hashes)
      throws SQLException {
    boolean keyed = asked.idempotencyKey() != null;
    Secrecy secrecy = command.secrecy();
    sql.update(
        "INSERT INTO commands (id, device_id, action, args, body, body_bytes, state, accepted_at,"
            + " deadline, due_at, idempotency_key, content_hash, secret_args, secret_body,"
            + " secret_result_body, secrets, secrets_hash) VALUES (?, ?, ?, ?, ?, ?, 'QUEUED', ?,"
            + " ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        command.id(),
        command.deviceId().value(),
        command.action(),
        JsonColumn.json(command.args()),
        body,
        command.bodyBytes(),
        command.acceptedAt().toEpochMilli(),
        command.deadline().toEpochMilli(),
        millis(CommandLife.dueAt(CommandState.QUEUED, false, command.deadline())),
        asked.idempotencyKey(),
        keyed ? hashes.content() : null,
        JsonColumn.json(new TreeSet<>(secrecy.args())),
        secrecy.body() ? 1 : 0,
        secrecy.resultBody() ? 1 : 0,
        secrecy.any() ? JsonColumn.json(SecretParts.values(asked)) : null,
        keyed ? hashes.secrets() : null);
  }

  static Optional<Stored> find(Sql sql, String id) throws SQLException {
    return withTimelines(sql, sql.list(SELECT + "WHERE id = ?", CommandTable::stored, id)).stream()
        .findFirst();
  }

  /** The command that an idempotency key was used for. */
  static Optional<String> idByKey(Sql sql, String key) throws SQLException {
    return sql.first(
        "SELECT id FROM commands WHERE idempotency_key = ?", row -> row.getString("id"), key);
  }

  static Optional<Hashes> hashes(Sql sql, String id) throws SQLException {
    return sql.first(
        "SELECT content_hash, secrets_hash FROM commands WHERE id = ? AND content_hash IS NOT NULL",
        row -> new Hashes(row.getBytes("content_hash"), row.getBytes("secrets_hash")),
        id);
  }

  static int countWaiting(Sql sql, DeviceId id) throws SQLException {
    return sql.first(
            "SELECT count(*) FROM commands WHERE device_id = ? AND due_at IS NOT NULL",
            row -> row.getInt(1),
            id.value())
        .orElse(0);
  }

  static List<Stored> list(Sql sql, CommandQuery query) throws SQLException {
    StringBuilder where = new StringBuilder("WHERE 1 = 1");
    List<Object> parameters = new ArrayList<>();
    String groupId = query.groupId();
    if (groupId != null) {
      where.append(" AND group_id = ?");
      parameters.add(groupId);
    } else if (query.singleOnly()) {
      where.append(" AND group_id IS NULL");
    }
    DeviceId deviceId = query.deviceId();
    if (deviceId != null) {
      where.append(" AND device_id = ?");
      parameters.add(deviceId.value());
    }
    CommandState state = query.state();
    if (state != null) {
      // The second half lets the small index of waiting commands answer.
      where.append(state.ended() ? " AND state = ?" : " AND state = ? AND due_at IS NOT NULL");
      parameters.add(state.name());
    }
    String before = query.before();
    if (before != null) {
      where.append(" AND id < ?");
      parameters.add(before);
    }
    String after = query.after();
    if (after != null) {
      where.append(" AND id > ?");
      parameters.add(after);
    }
    where.append(after != null ? " ORDER BY id LIMIT ?" : " ORDER BY id DESC LIMIT ?");
    parameters.add(query.limit());
    return withTimelines(sql, sql.list(SELECT + where, CommandTable::stored, parameters.toArray()));
  }

  /** What the device may be sent, in order of acceptance. */
  static List<Stored> sendable(Sql sql, DeviceId id, Instant now, int limit) throws SQLException {
    return withTimelines(
        sql,
        sql.list(
            SELECT
                + "WHERE device_id = ? AND due_at IS NOT NULL AND state IN ('QUEUED', 'DELIVERED')"
                + " AND cancel_asked = 0 AND (handed_over = 1 OR deadline > ?)"
                // One that was given up and reported again has lost its secrets.
                + " AND (CASE WHEN group_id IS NULL THEN secrets IS NOT NULL OR (secret_args = '[]'"
                + " AND secret_body = 0) ELSE EXISTS (SELECT 1 FROM command_groups g WHERE g.id ="
                + " group_id AND g.cancel_asked = 0 AND (g.secrets IS NOT NULL OR (g.secret_args ="
                + " '[]' AND g.secret_body = 0))) END)"
                + " ORDER BY id LIMIT ?",
            CommandTable::stored,
            id.value(),
            now.toEpochMilli(),
            limit));
  }

  /** Commands that a session may have sent and whose end is not known. */
  static List<Stored> handedOver(Sql sql, DeviceId id) throws SQLException {
    return withTimelines(
        sql,
        sql.list(
            SELECT
                + "WHERE device_id = ? AND due_at IS NOT NULL"
                + " AND (handed_over = 1 OR state IN ('DELIVERED', 'RUNNING')) ORDER BY id",
            CommandTable::stored,
            id.value()));
  }

  /** Commands that the device has not started and somebody wants cancelled. */
  static List<String> cancelsAsked(Sql sql, DeviceId id) throws SQLException {
    return sql.list(
        "SELECT id FROM commands WHERE device_id = ? AND due_at IS NOT NULL AND cancel_asked = 1"
            + " AND state IN ('QUEUED', 'DELIVERED') ORDER BY id",
        row -> row.getString("id"),
        id.value());
  }

  /** Commands that the device has not started; the oldest of them if they are many. */
  static List<Stored> notStarted(Sql sql, DeviceId id, int limit) throws SQLException {
    return withTimelines(
        sql,
        sql.list(
            SELECT
                + "WHERE device_id = ? AND due_at IS NOT NULL AND state IN ('QUEUED', 'DELIVERED')"
                + " ORDER BY id LIMIT ?",
            CommandTable::stored,
            id.value(),
            limit));
  }

  static List<Stored> due(Sql sql, Instant now, int limit) throws SQLException {
    return withTimelines(
        sql,
        sql.list(
            SELECT + "WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            CommandTable::stored,
            now.toEpochMilli(),
            limit));
  }

  /** Those of single commands only, however many of groups are due too. */
  static List<Stored> dueSingle(Sql sql, Instant now, int limit) throws SQLException {
    return withTimelines(
        sql,
        sql.list(
            "SELECT * FROM commands INDEXED BY commands_due_single WHERE due_at <= ? AND group_id"
                + " IS NULL ORDER BY due_at LIMIT ?",
            CommandTable::stored,
            now.toEpochMilli(),
            limit));
  }

  static Optional<Instant> nextDue(Sql sql) throws SQLException {
    return sql.first(
        "SELECT due_at FROM commands WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        row -> Instant.ofEpochMilli(row.getLong("due_at")));
  }

  /** The latest deadline of the single commands that wait for each device. */
  static Map<DeviceId, Instant> latestDeadlines(Sql sql, Instant now) throws SQLException {
    Map<DeviceId, Instant> latest = new TreeMap<>();
    sql.list(
            "SELECT device_id, max(deadline) AS latest FROM commands WHERE due_at IS NOT NULL AND"
                + " state = 'QUEUED' AND cancel_asked = 0 AND deadline > ? AND group_id IS NULL"
                + " GROUP BY device_id",
            row ->
                Map.entry(
                    new DeviceId(row.getString("device_id")),
                    Instant.ofEpochMilli(row.getLong("latest"))),
            now.toEpochMilli())
        .forEach(entry -> latest.put(entry.getKey(), entry.getValue()));
    return latest;
  }

  /** What waits for one device and may be sent to it. */
  static Optional<Commands.Waiting> waiting(Sql sql, DeviceId id, Instant now) throws SQLException {
    return sql.first(
        "SELECT max(deadline) AS latest, max(group_id IS NULL) AS single FROM commands WHERE"
            + " due_at IS NOT NULL AND state = 'QUEUED' AND cancel_asked = 0 AND deadline > ? AND"
            + " device_id = ? AND (group_id IS NULL OR EXISTS (SELECT 1 FROM command_groups g WHERE"
            + " g.id = group_id AND g.cancel_asked = 0)) HAVING latest IS NOT NULL",
        row ->
            new Commands.Waiting(
                Instant.ofEpochMilli(row.getLong("latest")), row.getInt("single") == 1),
        now.toEpochMilli(),
        id.value());
  }

  static void markHandedOver(Sql sql, Stored stored) throws SQLException {
    Command command = stored.command();
    sql.update(
        "UPDATE commands SET handed_over = 1, due_at = ? WHERE id = ?",
        millis(CommandLife.dueAt(command.state(), true, command.deadline())),
        command.id());
  }

  static void markCancelAsked(Sql sql, String id) throws SQLException {
    sql.update("UPDATE commands SET cancel_asked = 1 WHERE id = ?", id);
  }

  static void postpone(Sql sql, String id, Instant dueAt) throws SQLException {
    sql.update("UPDATE commands SET due_at = ? WHERE id = ?", dueAt.toEpochMilli(), id);
  }

  /**
   * Changes the state, provided nobody did meanwhile. A command that ends loses its secrets: nobody
   * needs them any more.
   */
  static void move(Sql sql, Stored from, CommandState to, @Nullable String reason, Instant now)
      throws SQLException {
    Command command = from.command();
    int changed =
        sql.update(
            "UPDATE commands SET state = ?, reason = ?, due_at = ?, ended_at = ? WHERE id = ? AND"
                + " state = ?",
            to.name(),
            reason,
            // A device that reports has the command, whatever this server knew before.
            millis(CommandLife.dueAt(to, true, command.deadline())),
            to.ended() ? now.toEpochMilli() : null,
            command.id(),
            command.state().name());
    if (changed != 1) {
      throw new IllegalStateException(
          "command " + command.id() + " is no longer " + command.state());
    }
    // The secrets of a group go with the end of its last command.
    if (to.ended() && from.secrets() != null && command.groupId() == null) {
      sql.update(
          "UPDATE commands SET secrets = NULL, secrets_hash = NULL WHERE id = ?", command.id());
      if (command.secrecy().body() && from.body() != null) {
        sql.update("UPDATE commands SET body = NULL WHERE id = ?", command.id());
        discardBody(sql, from.body());
      }
    }
  }

  /** Leaves the file to {@link Retention}, which deletes it once this is committed. */
  static void discardBody(Sql sql, String name) throws SQLException {
    sql.update("INSERT OR IGNORE INTO discarded_bodies (name) VALUES (?)", name);
  }

  static void setResult(
      Sql sql,
      String id,
      Map<String, String> result,
      @Nullable String body,
      long bodyBytes,
      boolean secretBody)
      throws SQLException {
    sql.update(
        "UPDATE commands SET result = ?, result_body = ?, result_body_bytes = ?,"
            + " secret_result_body = ? WHERE id = ?",
        JsonColumn.json(result),
        body,
        bodyBytes,
        secretBody ? 1 : 0,
        id);
  }

  static void append(Sql sql, String id, TimelineEntry entry) throws SQLException {
    sql.update(
        "INSERT INTO timeline (command_id, n, at, event, details) SELECT id, entries, ?, ?, ? FROM"
            + " commands WHERE id = ?",
        entry.at().toEpochMilli(),
        entry.event(),
        JsonColumn.json(entry.details()),
        id);
    sql.update("UPDATE commands SET entries = entries + 1 WHERE id = ?", id);
  }

  /** IDs of what ended at that time or before, the first ended first. */
  static List<String> endedBy(Sql sql, Instant latest, int limit) throws SQLException {
    return sql.list(
        "SELECT id FROM commands WHERE ended_at <= ? AND group_id IS NULL ORDER BY ended_at LIMIT"
            + " ?",
        row -> row.getString("id"),
        latest.toEpochMilli(),
        limit);
  }

  /** Deletes a command with its timeline; its bodies are discarded. */
  static void delete(Sql sql, String id) throws SQLException {
    sql.update(
        "INSERT OR IGNORE INTO discarded_bodies (name)"
            + " SELECT body FROM commands WHERE id = ?1 AND body IS NOT NULL UNION ALL"
            + " SELECT result_body FROM commands WHERE id = ?1 AND result_body IS NOT NULL",
        id);
    sql.update("DELETE FROM timeline WHERE command_id = ?", id);
    sql.update("DELETE FROM commands WHERE id = ?", id);
  }

  static List<String> discardedBodies(Sql sql, int limit) throws SQLException {
    return sql.list(
        "SELECT name FROM discarded_bodies LIMIT ?", row -> row.getString("name"), limit);
  }

  static void forgetDiscardedBody(Sql sql, String name) throws SQLException {
    sql.update("DELETE FROM discarded_bodies WHERE name = ?", name);
  }

  /** Names of every file that a row refers to. */
  static Set<String> bodyNames(Sql sql) throws SQLException {
    return new HashSet<>(
        sql.list(
            "SELECT body FROM commands WHERE body IS NOT NULL UNION ALL SELECT result_body FROM"
                + " commands WHERE result_body IS NOT NULL UNION ALL SELECT body FROM"
                + " command_groups WHERE body IS NOT NULL",
            row -> row.getString(1)));
  }

  private static Stored stored(ResultSet row) throws SQLException {
    Command command =
        new Command(
            row.getString("id"),
            new DeviceId(row.getString("device_id")),
            row.getString("action"),
            JsonColumn.texts(row.getString("args")),
            row.getLong("body_bytes"),
            CommandState.valueOf(row.getString("state")),
            Instant.ofEpochMilli(row.getLong("accepted_at")),
            Instant.ofEpochMilli(row.getLong("deadline")),
            row.getString("reason"),
            JsonColumn.texts(row.getString("result")),
            row.getLong("result_body_bytes"),
            List.of(),
            new Secrecy(
                JsonColumn.names(row.getString("secret_args")),
                row.getInt("secret_body") == 1,
                row.getInt("secret_result_body") == 1),
            row.getString("group_id"));
    String secrets = row.getString("secrets");
    return new Stored(
        command,
        row.getInt("handed_over") == 1,
        row.getInt("cancel_asked") == 1,
        row.getInt("entries"),
        row.getString("body"),
        row.getString("result_body"),
        secrets == null ? null : JsonColumn.texts(secrets));
  }

  /** Adds what stands in other tables: the timeline, and of a group's command what all share. */
  private static List<Stored> withTimelines(Sql sql, List<Stored> rows) throws SQLException {
    List<Stored> complete = new ArrayList<>(rows.size());
    Map<String, GroupTable.Stored> groups = new HashMap<>(); // most rows have none, or the same
    for (Stored row : rows) {
      List<TimelineEntry> timeline =
          sql.list(
              "SELECT at, event, details FROM timeline WHERE command_id = ? ORDER BY n",
              entry ->
                  new TimelineEntry(
                      Instant.ofEpochMilli(entry.getLong("at")),
                      entry.getString("event"),
                      JsonColumn.texts(entry.getString("details"))),
              row.id());
      Command command = row.command().with(timeline);
      String groupId = command.groupId();
      GroupTable.Stored shared = groupId == null ? null : groups.get(groupId);
      if (groupId != null && shared == null) {
        shared =
            GroupTable.shared(sql, groupId)
                .orElseThrow(() -> new SQLException("group " + groupId + " is gone"));
        groups.put(groupId, shared);
      }
      complete.add(
          new Stored(
              shared == null ? command : command.with(shared.group()),
              row.handedOver(),
              row.cancelAsked(),
              row.entries(),
              shared == null ? row.body() : shared.body(),
              row.resultBody(),
              shared == null ? row.secrets() : shared.secrets()));
    }
    return complete;
  }

  static @Nullable Long millis(@Nullable Instant instant) {
    return instant == null ? null : instant.toEpochMilli();
  }
}
