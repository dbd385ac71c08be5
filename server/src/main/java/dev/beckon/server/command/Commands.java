package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.command.Acceptance.Hashes;
import dev.beckon.server.command.CommandTable.Stored;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import dev.beckon.server.store.SqlWork;
import java.io.InputStream;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commands of all devices: accepted durably, handed to the device's session, followed to their
 * end by the rules of {@link CommandLife}. Thread-safe.
 *
 * <p>Methods that return a future, and {@link #note}, return at once. The others read the database
 * on the calling thread. Futures complete on the thread that all writes wait for ({@link
 * Database#write}).
 */
public final class Commands implements AutoCloseable {

  /** Longest body of a command or a result. */
  public static final int MAX_BODY_BYTES = 16 * 1024 * 1024;

  /** A deadline is no farther away than this. */
  public static final Duration MAX_DEADLINE = SubmissionLimits.MAX_DEADLINE;

  /** How long ended commands are kept unless set otherwise. */
  public static final Duration DEFAULT_KEEP = Duration.ofDays(30);

  /** An idempotency key holds for as long as its command is kept, and for this long at least. */
  public static final Duration MIN_KEEP = Duration.ofDays(1);

  public static final Duration MAX_KEEP = Duration.ofDays(3650);

  /** Commands that may wait for one device. */
  static final int MAX_WAITING = 1000;

  /** Timelines that one piece of evidence about a device goes to. */
  private static final int MAX_NOTED = 100;

  /** Commands looked at in one commit when time has passed: some milliseconds of the writer. */
  static final int MAX_DUE = 250;

  /** Longest wait of the timer: a new command may be due earlier than all that it knew. */
  private static final long TIMER_MILLIS = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

  private final Database database;
  private final InstantSource clock;
  private final Bodies bodies;
  private final Acceptance acceptance;
  private final Silence silence;
  private final Transitions transitions;
  private final Reports reports;
  private final Retention retention;
  private final Groups groups;
  private final Listeners listeners = new Listeners();

  private Commands(
      Database database,
      InstantSource clock,
      Bodies bodies,
      Acceptance acceptance,
      GroupAdding groupAdding,
      Duration keep) {
    this.database = database;
    this.clock = clock;
    this.bodies = bodies;
    this.acceptance = acceptance;
    this.silence = new Silence(CommandLife.SILENCE, clock.instant());
    this.transitions = new Transitions(clock);
    this.reports = new Reports(database, bodies, transitions, clock, this::changed);
    this.retention = new Retention(database, bodies, transitions, keep);
    this.groups =
        new Groups(
            database, clock, bodies, acceptance, groupAdding, transitions, listeners, this::cancel);
    addListener(groups);
  }

  /** Opens the commands of a database, to be kept for 30 days after their end. */
  public static Commands open(Database database, DeviceLookup devices, InstantSource clock) {
    return open(database, devices, clock, DEFAULT_KEEP);
  }

  /**
   * Opens the commands of a database.
   *
   * @param devices which may get commands
   * @param keep how long an ended command is kept, {@link #MIN_KEEP} to {@link #MAX_KEEP}
   * @throws dev.beckon.server.store.StoreException if the bodies' folder cannot be used
   */
  public static Commands open(
      Database database, DeviceLookup devices, InstantSource clock, Duration keep) {
    if (keep.compareTo(MIN_KEEP) < 0 || keep.compareTo(MAX_KEEP) > 0) {
      throw new IllegalArgumentException(
          "keep: " + keep + " (expected " + MIN_KEEP + " to " + MAX_KEEP + ")");
    }
    Bodies bodies = new Bodies(database.folder());
    bodies.deleteAllBut(database.read(CommandTable::bodyNames));
    CommandIds ids = new CommandIds(new SecureRandom(), database.read(CommandTable::newestId));
    GroupAdding groupAdding = new GroupAdding(devices, ids);
    return new Commands(
        database, clock, bodies, new Acceptance(devices, ids, groupAdding), groupAdding, keep);
  }

  /**
   * Completes when the command is durable, or with the reason why it was not accepted.
   *
   * <p>With an idempotency key the same content (device, action, arguments and body; not the
   * deadline, which a repetition counts from another moment) returns the first command, whatever
   * became of it.
   */
  public CompletableFuture<Submission> submit(NewCommand command) {
    Submission refused = SubmissionLimits.refusal(command).orElse(null);
    if (refused != null) {
      return CompletableFuture.completedFuture(refused);
    }
    byte[] body = command.body();
    if (body == null || body.length == 0) {
      return accept(command, null, Hashes.of(command));
    }
    return bodies.using(
        body,
        () -> Hashes.of(command),
        (file, hashes) -> accept(command, file, hashes),
        submission -> submission instanceof Submission.Accepted);
  }

  private CompletableFuture<Submission> accept(
      NewCommand command, @Nullable String body, Hashes hashes) {
    return database.write(
        sql -> acceptance.accept(sql, command, body, hashes, clock.instant()),
        submission -> {
          if (submission instanceof Submission.Accepted accepted) {
            listeners.accepted(accepted.command());
          }
        });
  }

  /** The group commands. */
  public Groups groups() {
    return groups;
  }

  public Optional<Command> find(String id) {
    return database.read(sql -> CommandTable.find(sql, id)).map(Stored::command);
  }

  /**
   * The command with the values of its secret arguments, unless it has ended: then they are gone.
   */
  public Optional<Command> reveal(String id) {
    return database.read(sql -> CommandTable.find(sql, id)).map(Stored::revealed);
  }

  public List<Command> list(CommandQuery query) {
    return database.read(sql -> CommandTable.list(sql, query)).stream()
        .map(Stored::command)
        .toList();
  }

  /**
   * What a session may send its device now: the commands that the device has not started as far as
   * known. It is durable that they were handed over before this completes, because from then on
   * only the device can say how they end: a command that was handed over is not cancelled or
   * expired here. One that was handed over to an earlier session comes again, also past its
   * deadline: the device's journal knows what it did, and a device that never got it will not start
   * it any more.
   *
   * <p>The commands come with their secrets.
   *
   * @param alreadySent IDs that this session sent before
   * @param limit most commands to return, at least 1
   */
  public CompletableFuture<HandOver> handOver(DeviceId id, Set<String> alreadySent, int limit) {
    Set<String> sent = Set.copyOf(alreadySent);
    return database.write(
        sql -> {
          List<Command> commands = new ArrayList<>();
          for (Stored stored :
              CommandTable.sendable(sql, id, clock.instant(), limit + sent.size())) {
            if (!sent.contains(stored.id()) && commands.size() < limit) {
              if (!stored.handedOver()) {
                CommandTable.markHandedOver(sql, stored);
              }
              commands.add(stored.revealed());
            }
          }
          return new HandOver(commands, CommandTable.cancelsAsked(sql, id));
        });
  }

  /** The body of a command; close it. Empty if the command is unknown or has none. */
  public Optional<InputStream> body(String id) {
    return openBody(id, Stored::body);
  }

  /** The body of a command's result; close it. Empty if the command is unknown or has none. */
  public Optional<InputStream> resultBody(String id) {
    return openBody(id, Stored::resultBody);
  }

  private Optional<InputStream> openBody(String id, Function<Stored, @Nullable String> file) {
    Stored stored = database.read(sql -> CommandTable.find(sql, id)).orElse(null);
    String name = stored == null ? null : file.apply(stored);
    return name == null ? Optional.empty() : bodies.open(name);
  }

  /**
   * Takes a device's report. Completes when it is durable: only then may a receipt be sent. A
   * repeated report changes nothing and completes all the same. Empty if that device has no such
   * command here; a receipt for an ended state is still right, or the device repeats it for ever.
   *
   * <p>Fails with {@link IllegalArgumentException} if no device can report this state, or the body
   * is too long.
   *
   * @param resultBody the result's body, complete; not copied; null if there is none
   */
  public CompletableFuture<Optional<Command>> update(
      DeviceId from, Update update, byte @Nullable [] resultBody) {
    return reports.update(from, update, resultBody);
  }

  /**
   * Cancels the command at once if no session had it yet; else the device is asked ({@link
   * CommandListener#cancelAsked}, and {@link HandOver#cancellations} in its next session), and its
   * report tells. From now on no session sends it any more.
   */
  public CompletableFuture<Cancelling> cancel(String id) {
    return database.write(sql -> cancel(sql, id), listeners::cancelling);
  }

  private Cancelling cancel(Sql sql, String id) throws SQLException {
    Stored stored = CommandTable.find(sql, id).orElse(null);
    if (stored == null) {
      return new Cancelling.CommandUnknown();
    }
    return switch (CommandLife.onCancel(stored.state(), stored.handedOver())) {
      case ALREADY_ENDED -> new Cancelling.AlreadyEnded(stored.command());
      case CANCEL ->
          new Cancelling.Cancelled(
              transitions.end(
                  sql, stored, CommandState.CANCELLED, "cancelled before the device had it"));
      case ASK_DEVICE -> {
        if (!stored.cancelAsked()) {
          CommandTable.markCancelAsked(sql, id);
          CommandTable.append(
              sql, id, new TimelineEntry(clock.instant(), "cancel-asked", Map.of()));
        }
        yield new Cancelling.Asked(Transitions.reread(sql, id));
      }
    };
  }

  /** Adds evidence to the timelines of what the device has not started yet. */
  public void note(DeviceId id, String event, Map<String, String> details) {
    note(id, clock.instant(), event, details);
  }

  /** The same of something that happened a moment ago. */
  public void note(DeviceId id, Instant at, String event, Map<String, String> details) {
    TimelineEntry entry = new TimelineEntry(at, event, details);
    noteAll(sql -> CommandTable.notStarted(sql, id, MAX_NOTED), entry);
  }

  /** Adds evidence to one command's timeline. */
  public void note(String commandId, String event, Map<String, String> details) {
    TimelineEntry entry = new TimelineEntry(clock.instant(), event, details);
    noteAll(sql -> CommandTable.find(sql, commandId).stream().toList(), entry);
  }

  private void noteAll(SqlWork<List<Stored>> affected, TimelineEntry entry) {
    List<String> ids = new ArrayList<>(); // the writer's until the future completes
    CompletableFuture<List<Command>> noting =
        database.write(
            sql -> {
              List<Command> noted = new ArrayList<>();
              for (Stored stored : affected.run(sql)) {
                if (stored.entries() < CommandTable.MAX_ENTRIES) {
                  CommandTable.append(sql, stored.id(), entry);
                  ids.add(stored.id());
                  noted.add(reports.noted(stored, entry));
                }
              }
              return noted;
            },
            noted -> noted.forEach(this::changed));
    var _ =
        noting.exceptionally(
            failure -> {
              reports.notNoted(ids);
              // Evidence is lost, no command is: whoever noted it cannot do anything about it.
              LOG.warn("timeline entry {} was not kept: {}", entry.event(), failure.toString());
              return List.of();
            });
  }

  /**
   * A session of the device stands (its Hello was accepted): noted in the timelines, and none of
   * its commands becomes UNKNOWN while it lasts.
   */
  public void sessionOpened(DeviceId id, Map<String, String> details) {
    silence.opened(id);
    note(id, "session-opened", details);
  }

  /** The session ended. Each {@link #sessionOpened} is followed by exactly one of these. */
  public void sessionClosed(DeviceId id) {
    silence.closed(id, clock.instant());
  }

  /**
   * Ends what is past its time: EXPIRED at the deadline if no session had it, UNKNOWN after 5
   * minutes of silence past it; deletes what was kept for long enough. Ends a portion only and
   * blocks for a few commits; call it from a timer's thread.
   *
   * @return when to call again, unix milliseconds; at most a second after {@code now}, and not
   *     after {@code now} if more is due
   */
  public long onTime(Instant now) {
    silence.forgetOld(now);
    groups.tellChanges();
    retention.onTime(now);
    long latest = now.toEpochMilli() + TIMER_MILLIS;
    Instant next = database.read(CommandTable::nextDue).orElse(Instant.MAX);
    if (next.isAfter(now)) {
      return next.isBefore(Instant.ofEpochMilli(latest)) ? next.toEpochMilli() : latest;
    }
    // Single commands first: a group of 100,000 has one deadline, and takes many commits.
    int singles = endDue(sql -> CommandTable.dueSingle(sql, now, MAX_DUE), now);
    int others = endDue(sql -> CommandTable.due(sql, now, MAX_DUE), now);
    return Math.max(singles, others) < MAX_DUE ? latest : now.toEpochMilli();
  }

  /** How many were due; one can also be put off. */
  private int endDue(SqlWork<List<Stored>> which, Instant now) {
    return database
        .write(
            sql -> {
              List<Command> changes = new ArrayList<>();
              List<Stored> due = which.run(sql);
              for (Stored stored : due) {
                onDue(sql, stored, now).ifPresent(changes::add);
              }
              return new Due(due.size(), changes);
            },
            due -> due.changes().forEach(this::changed))
        .join()
        .count();
  }

  private record Due(int count, List<Command> changes) {}

  private Optional<Command> onDue(Sql sql, Stored stored, Instant now) throws SQLException {
    Optional<CommandState> expired = CommandLife.onDeadline(stored.state(), stored.handedOver());
    if (expired.isPresent()) {
      return Optional.of(
          transitions.end(
              sql, stored, expired.get(), "the deadline passed before the device had it"));
    }
    Instant silentAt = silence.enoughAt(stored.command().deviceId(), now);
    if (silentAt.isAfter(now)) {
      CommandTable.postpone(sql, stored.id(), silentAt);
      return Optional.empty();
    }
    Optional<CommandState> unknown = CommandLife.onSilence(stored.state());
    return unknown.isEmpty()
        ? Optional.empty()
        : Optional.of(
            transitions.end(
                sql,
                stored,
                unknown.get(),
                "the device may have it, but did not report; no session for 5 minutes"));
  }

  /**
   * The device was enrolled again, perhaps as another piece of hardware: the journal that knows
   * what became of the commands it had may be gone. They must not be handed over to it once more,
   * so they end as UNKNOWN; if the journal is still there, its report corrects that.
   */
  public void deviceEnrolledAgain(DeviceId id) {
    logFailure(deviceEnrolledAgain(id, sql -> true), id, CommandState.UNKNOWN);
  }

  /**
   * As {@link #deviceEnrolledAgain(DeviceId)} if that is what {@code again} finds out, in one
   * transaction with it. Completes when it is durable.
   */
  public CompletableFuture<Void> deviceEnrolledAgain(DeviceId id, SqlWork<Boolean> again) {
    return endAll(
        sql -> again.run(sql) ? CommandTable.handedOver(sql, id) : List.of(),
        CommandState.UNKNOWN,
        "the device had it, and was enrolled again before it reported");
  }

  /**
   * There is no such device, or it may not be sent anything: what waits for it is rejected.
   *
   * @param reason why, for people
   */
  public void deviceRefused(DeviceId id, String reason) {
    logFailure(
        endAll(
            sql ->
                CommandTable.notStarted(sql, id, MAX_WAITING).stream()
                    .filter(
                        stored ->
                            CommandLife.onDeviceRefused(stored.state(), stored.handedOver())
                                .isPresent())
                    .toList(),
            CommandState.REJECTED,
            reason),
        id,
        CommandState.REJECTED);
  }

  private CompletableFuture<Void> endAll(
      SqlWork<List<Stored>> which, CommandState state, String reason) {
    return database
        .write(
            sql -> {
              List<Command> changes = new ArrayList<>();
              for (Stored stored : which.run(sql)) {
                changes.add(transitions.end(sql, stored, state, reason));
              }
              return changes;
            },
            changes -> changes.forEach(this::changed))
        .thenAccept(changes -> {});
  }

  private static void logFailure(CompletableFuture<?> ending, DeviceId id, CommandState state) {
    var _ =
        ending.exceptionally(
            failure -> {
              LOG.error("commands of {} were not ended as {}", id, state, failure);
              return null;
            });
  }

  /** All calls to a listener come one after the other, after what they tell is durable. */
  public void addListener(CommandListener listener) {
    listeners.add(listener);
  }

  private void changed(Command command) {
    listeners.changed(command);
  }

  /** Ended commands that were deleted since the start, because they were kept long enough. */
  public long deleted() {
    return retention.deleted();
  }

  /**
   * What waits for a device.
   *
   * @param deadline until when a wake for it makes sense
   * @param single whether a command that is not part of a group is among it
   */
  public record Waiting(Instant deadline, boolean single) {}

  /** What waits for the device; empty if nothing does. */
  public Optional<Waiting> waiting(DeviceId id) {
    Instant now = clock.instant();
    return database.read(sql -> CommandTable.waiting(sql, id, now));
  }

  /** Devices with waiting commands of their own, with the latest deadline: woken after a start. */
  public Map<DeviceId, Instant> waiting() {
    Instant now = clock.instant();
    return database.read(sql -> CommandTable.latestDeadlines(sql, now));
  }

  /** Finishes the bodies that are being written; the database is closed after this. */
  @Override
  public void close() {
    bodies.close();
  }
}
