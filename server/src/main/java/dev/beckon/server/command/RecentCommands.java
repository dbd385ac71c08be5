package dev.beckon.server.command;

import dev.beckon.server.command.CommandTable.Stored;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The commands that devices reported about last: the next report comes soon, and reading a command
 * with its timeline costs more than storing the report. A remembered command counts only if its row
 * still says the same, so it does not matter who else changes it. Thread-safe.
 *
 * <p>A command that has secrets is never remembered: whoever ends it deletes them from the tables
 * and from the disk, and does not know what is remembered here.
 */
final class RecentCommands {

  /** Some 10 MB, unless commands are long. */
  private static final int MAX = 4_096;

  /** Longer ones are read again; what is remembered stays small. */
  private static final int MAX_CHARS = 4_096;

  private final Map<String, Stored> recent =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Stored> eldest) {
          return size() > MAX;
        }
      };

  /** The command as it is now, with its timeline. */
  Optional<Stored> find(Sql sql, String id) throws SQLException {
    Stored before;
    synchronized (recent) {
      before = recent.get(id);
    }
    return before != null && isStill(sql, before)
        ? Optional.of(before)
        : CommandTable.find(sql, id);
  }

  /** Whether nothing has changed about it: no change goes without an entry in the timeline. */
  private static boolean isStill(Sql sql, Stored stored) throws SQLException {
    return sql.first(
            "SELECT 1 FROM commands WHERE id = ? AND state = ? AND entries = ?",
            row -> true,
            stored.id(),
            stored.state().name(),
            stored.entries())
        .isPresent();
  }

  /** The same command in that state, with more in its timeline. */
  static Stored after(
      Stored before, CommandState state, @Nullable String reason, List<TimelineEntry> added) {
    return new Stored(
        before.command().after(state, reason, added),
        before.handedOver(),
        before.cancelAsked(),
        before.entries() + added.size(),
        before.body(),
        before.resultBody(),
        before.secrets());
  }

  /** As it will be once the transaction is committed. */
  void remember(Stored stored) {
    int chars = 0;
    for (Map.Entry<String, String> arg : stored.command().args().entrySet()) {
      chars += arg.getKey().length() + arg.getValue().length();
    }
    synchronized (recent) {
      if (chars <= MAX_CHARS && !stored.state().ended() && stored.secrets() == null) {
        recent.put(stored.id(), stored);
      } else {
        recent.remove(stored.id());
      }
    }
  }

  /** The transaction was not committed. */
  void forget(String id) {
    synchronized (recent) {
      recent.remove(id);
    }
  }
}
