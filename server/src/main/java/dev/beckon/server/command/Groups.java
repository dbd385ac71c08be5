package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Acceptance.Hashes;
import dev.beckon.server.identity.Labels;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import dev.beckon.server.store.StoreException;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Group commands: one wish for all devices that have some labels. It is durable as a whole when it
 * is accepted; its commands, one for each device, are added afterwards in portions, so that a
 * single command never waits behind more than one of them. What a stop or a crash interrupts goes
 * on after the start. Thread-safe.
 */
public final class Groups implements CommandListener {

  /**
   * The slowest pace, in devices per second, at which the devices of a group are woken: a tenth of
   * what a small server does.
   */
  public static final int SLOWEST_PER_SECOND = 100;

  /**
   * The same for the oldest group and nothing else: half of the turns are its, whoever is back and
   * whatever was accepted later.
   */
  public static final int OLDEST_SLOWEST_PER_SECOND = SLOWEST_PER_SECOND / 2;

  /**
   * Groups that may be under way at once: a page of each is in memory, some 70 kB, and each is
   * looked at once a second.
   */
  static final int MAX_OPEN = 100;

  /** Commands added or cancelled in one commit: some milliseconds on the writer's thread. */
  static final int PORTION = 200;

  private final Database database;
  private final InstantSource clock;
  private final Bodies bodies;
  private final Acceptance acceptance;
  private final GroupAdding adding;
  private final Transitions transitions;
  private final Listeners listeners;
  private final Cancel cancel;
  private final Set<String> changed = ConcurrentHashMap.newKeySet();
  private volatile Runnable work = () -> {};

  /** Cancels one command within a transaction. */
  @FunctionalInterface
  interface Cancel {
    Cancelling cancel(Sql sql, String id) throws SQLException;
  }

  /** A command of a group that its device may not have yet. */
  public record Waiting(String commandId, DeviceId deviceId, Instant deadline) {}

  Groups(
      Database database,
      InstantSource clock,
      Bodies bodies,
      Acceptance acceptance,
      GroupAdding adding,
      Transitions transitions,
      Listeners listeners,
      Cancel cancel) {
    this.database = database;
    this.clock = clock;
    this.bodies = bodies;
    this.acceptance = acceptance;
    this.adding = adding;
    this.transitions = transitions;
    this.listeners = listeners;
    this.cancel = cancel;
  }

  /** Sets what is called, on any thread, when {@link #work} has something to do. */
  public void onWork(Runnable action) {
    work = action;
  }

  /**
   * Completes when the group command is durable, or with the reason why it was not accepted. Counts
   * the devices in the database on the calling thread.
   *
   * <p>An idempotency key works as with {@link Commands#submit}, and is of the same name space.
   */
  public CompletableFuture<GroupSubmission> submit(NewGroup wanted) {
    Submission.Refused refused = SubmissionLimits.refusal(wanted.command()).orElse(null);
    if (refused != null) {
      return CompletableFuture.completedFuture(
          new GroupSubmission.Refused(refused.code(), refused.detail()));
    }
    int devices = database.read(sql -> Labels.countEnrolled(sql, wanted.labels()));
    byte[] body = wanted.command().body();
    if (body == null || body.length == 0) {
      return accept(wanted, devices, null, Hashes.of(wanted));
    }
    return bodies.using(
        body,
        () -> Hashes.of(wanted),
        (file, hashes) -> accept(wanted, devices, file, hashes),
        submission -> submission instanceof GroupSubmission.Accepted);
  }

  private CompletableFuture<GroupSubmission> accept(
      NewGroup wanted, int devices, @Nullable String body, Hashes hashes) {
    return database.write(
        sql ->
            acceptance.accept(
                sql, wanted, devices, OLDEST_SLOWEST_PER_SECOND, body, hashes, clock.instant()),
        submission -> {
          if (submission instanceof GroupSubmission.Accepted accepted) {
            listeners.groupChanged(accepted.group());
            work.run();
          }
        });
  }

  public Optional<Group> find(String id) {
    return database.read(sql -> GroupTable.find(sql, id)).map(GroupTable.Stored::group);
  }

  /** The group with the values of its secret arguments, unless it has ended. */
  public Optional<Group> reveal(String id) {
    return database.read(sql -> GroupTable.find(sql, id)).map(GroupTable.Stored::revealed);
  }

  /**
   * The newest first.
   *
   * @param before only those accepted before this ID; null = from the newest
   * @param limit 1 to {@link CommandQuery#MAX_LIMIT}
   */
  public List<Group> newest(@Nullable String before, int limit) {
    return database.read(sql -> GroupTable.newest(sql, before, limit)).stream()
        .map(GroupTable.Stored::group)
        .toList();
  }

  /**
   * Asks for all commands of the group to be cancelled, as {@link Commands#cancel} does for one.
   * From when this completes none of them is sent any more; {@link #work} then ends them. The group
   * as it stands, or empty if there is none; unchanged if it has ended.
   */
  public CompletableFuture<Optional<Group>> cancel(String id) {
    return database.write(
        sql -> {
          GroupTable.Stored stored = GroupTable.find(sql, id).orElse(null);
          if (stored == null) {
            return Optional.empty();
          }
          if (stored.group().endedAt() == null && !stored.group().cancelAsked()) {
            GroupTable.askCancel(sql, id);
          }
          return GroupTable.find(sql, id).map(GroupTable.Stored::group);
        },
        group -> {
          group.ifPresent(listeners::groupChanged);
          work.run();
        });
  }

  /**
   * The group commands whose devices may have to be woken, the oldest first: whether every device
   * has its command, by ID.
   */
  public Map<String, Boolean> open() {
    return database.read(GroupTable::open);
  }

  /**
   * Commands of the group that their devices may not have yet (a session may have broken), in the
   * order in which they were added.
   *
   * @param after only those behind this command's ID; "" = from the first
   */
  public List<Waiting> waiting(String id, String after, int limit) {
    Instant now = clock.instant();
    return database.read(sql -> GroupTable.waiting(sql, id, after, now, limit));
  }

  /**
   * Goes on with what takes many transactions: adds or cancels one portion of commands, of the
   * oldest group that has some left; if that fails, of the next one. Blocks for a commit; not on a
   * thread that others wait for.
   *
   * @return whether there was something to do, so that there may be more
   * @throws CompletionException or {@link StoreException}, of the oldest group, if none could go on
   */
  public boolean work() {
    RuntimeException failure = null;
    for (String id : database.read(GroupTable::unfinished)) {
      try {
        workOn(id);
        return true;
      } catch (CompletionException | StoreException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
    return false;
  }

  private void workOn(String id) {
    // Who has the labels is found out here: the writer, on which all wait, only looks them up.
    GroupAdding.Portion next = database.read(sql -> adding.next(sql, id, PORTION)).orElse(null);
    database
        .write(
            sql -> portion(sql, id, next),
            cancellings -> {
              changed.add(id);
              cancellings.forEach(listeners::cancelling);
            })
        .join();
  }

  private List<Cancelling> portion(Sql sql, String id, GroupAdding.@Nullable Portion next)
      throws SQLException {
    GroupTable.Stored stored = GroupTable.find(sql, id).orElse(null);
    if (stored == null || stored.group().endedAt() != null) {
      return List.of();
    }
    String cancelledTo = stored.cancelledTo();
    if (cancelledTo != null) {
      return cancelPortion(sql, stored, cancelledTo);
    }
    if (next != null && adding.add(sql, stored, next, clock.instant())) {
      transitions.endIfOver(sql, id);
    }
    return List.of();
  }

  private List<Cancelling> cancelPortion(Sql sql, GroupTable.Stored stored, String cancelledTo)
      throws SQLException {
    String id = stored.id();
    if (stored.addedTo() != null) {
      GroupTable.cutShort(sql, id); // the rest of the devices get none
    }
    List<Cancelling> cancellings = new ArrayList<>();
    List<String> commands = GroupTable.notEnded(sql, id, cancelledTo, PORTION);
    for (String command : commands) {
      cancellings.add(cancel.cancel(sql, command));
    }
    GroupTable.cancelledTo(sql, id, commands.size() < PORTION ? null : commands.getLast());
    transitions.endIfOver(sql, id); // there may have been nothing to cancel
    return cancellings;
  }

  @Override
  public void changed(Command command) {
    if (command.groupId() != null) {
      changed.add(command.groupId());
    }
  }

  /** Tells the listeners how far the groups are that changed since the last call. */
  void tellChanges() {
    for (String id : List.copyOf(changed)) {
      changed.remove(id);
      // A write that changes nothing, so that this too is told behind what was committed before.
      var _ =
          database
              .write(
                  sql -> GroupTable.find(sql, id).map(GroupTable.Stored::group),
                  group -> group.ifPresent(listeners::groupChanged))
              .whenComplete(
                  (group, failure) -> {
                    if (failure != null) {
                      changed.add(id); // it may have been its end, which somebody waits for
                    }
                  });
    }
  }
}
