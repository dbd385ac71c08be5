package dev.beckon.server.command;

import dev.beckon.server.command.CommandTable.Stored;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The changes of state, each within the caller's transaction. Remembers that secrets were deleted,
 * because what is deleted from the tables still stands in the database's log for a while.
 */
final class Transitions {

  private final InstantSource clock;
  private volatile boolean secretsDeleted;

  Transitions(InstantSource clock) {
    this.clock = clock;
  }

  /** Changes the state as {@link CommandLife} decided. */
  void move(Sql sql, Stored stored, CommandState state, @Nullable String reason)
      throws SQLException {
    CommandTable.move(sql, stored, state, reason, clock.instant());
    String groupId = stored.command().groupId();
    if (state.ended() && groupId != null) {
      endIfOver(sql, groupId);
    } else if (state.ended() && stored.secrets() != null) {
      secretsDeleted = true;
    }
  }

  /** Ends the group if none of its commands is left. */
  void endIfOver(Sql sql, String groupId) throws SQLException {
    secretsDeleted |= GroupTable.endIfOver(sql, groupId, clock.instant());
  }

  /** An end that this server decided, with its entry in the timeline; the command after it. */
  Command end(Sql sql, Stored stored, CommandState state, String reason) throws SQLException {
    move(sql, stored, state, reason);
    TimelineEntry entry = Report.finished(clock.instant(), state, reason);
    CommandTable.append(sql, stored.id(), entry);
    // Not read again: thousands may end at one deadline.
    return stored.command().after(state, reason, List.of(entry));
  }

  static Command reread(Sql sql, String id) throws SQLException {
    return CommandTable.find(sql, id)
        .map(Stored::command)
        .orElseThrow(() -> new IllegalStateException("command " + id + " is gone"));
  }

  /** Whether secrets were deleted since the last call. */
  boolean takeSecretsDeleted() {
    boolean deleted = secretsDeleted;
    secretsDeleted = false;
    return deleted;
  }
}
