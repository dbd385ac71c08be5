package dev.beckon.server.command;

import dev.beckon.server.store.Database;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Deletes what is no longer needed: commands that ended long ago, with their timelines, idempotency
 * keys and bodies; files of bodies that no command names; and, soon after secrets were deleted, the
 * database's log, in which they still stand.
 *
 * <p>Works in portions, one for each call, so that commands never wait for long behind it. Called
 * by one timer.
 */
final class Retention {

  /** Commands deleted in one commit: some milliseconds on the writer's thread. */
  static final int PORTION = 100;

  /** The log is emptied this long after secrets were deleted: many ends share one emptying. */
  static final Duration EMPTY_LOG_AFTER = Duration.ofSeconds(1);

  private final Database database;
  private final Bodies bodies;
  private final Transitions transitions;
  private final Duration keep;
  private final LongAdder deleted = new LongAdder();

  // Whatever the server before this one did not come to.
  private boolean logHoldsSecrets = true;
  private Instant emptyLogAt = Instant.MIN;

  Retention(Database database, Bodies bodies, Transitions transitions, Duration keep) {
    this.database = database;
    this.bodies = bodies;
    this.transitions = transitions;
    this.keep = keep;
  }

  long deleted() {
    return deleted.sum();
  }

  /** Deletes a portion of what is to be deleted now. Blocks for a commit or two, if at all. */
  void onTime(Instant now) {
    deleteEnded(now);
    deleteEndedGroup(now);
    deleteBodies();
    emptyLog(now);
  }

  private void deleteEnded(Instant now) {
    Instant latest = now.minus(keep);
    if (database.read(sql -> CommandTable.endedBy(sql, latest, 1)).isEmpty()) {
      return;
    }
    int count =
        database
            .write(
                sql -> {
                  List<String> ids = CommandTable.endedBy(sql, latest, PORTION);
                  for (String id : ids) {
                    CommandTable.delete(sql, id);
                  }
                  return ids.size();
                })
            .join();
    deleted.add(count);
  }

  /** A group goes as a whole: its commands, in portions, then itself. */
  private void deleteEndedGroup(Instant now) {
    Instant latest = now.minus(keep);
    String id = database.read(sql -> GroupTable.endedBy(sql, latest)).orElse(null);
    if (id != null) {
      deleted.add(database.write(sql -> GroupTable.delete(sql, id, PORTION)).join());
    }
  }

  private void deleteBodies() {
    List<String> names = database.read(sql -> CommandTable.discardedBodies(sql, PORTION));
    if (names.isEmpty()) {
      return;
    }
    // The files first: a crash in between leaves a name without a file, which is tried again.
    names.forEach(bodies::delete);
    database
        .write(
            sql -> {
              for (String name : names) {
                CommandTable.forgetDiscardedBody(sql, name);
              }
              return names.size();
            })
        .join();
  }

  private void emptyLog(Instant now) {
    if (transitions.takeSecretsDeleted() && !logHoldsSecrets) {
      logHoldsSecrets = true;
      emptyLogAt = now.plus(EMPTY_LOG_AFTER);
    }
    // A clock that was set back must not put it off.
    boolean due = !now.isBefore(emptyLogAt) || now.plus(EMPTY_LOG_AFTER).isBefore(emptyLogAt);
    if (logHoldsSecrets && due) {
      logHoldsSecrets = !database.emptyLog().join();
      emptyLogAt = now.plus(EMPTY_LOG_AFTER);
    }
  }
}
