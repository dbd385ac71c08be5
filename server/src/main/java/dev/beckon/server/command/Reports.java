package dev.beckon.server.command;

import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.command.CommandTable.Stored;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes in what devices report. A command's secrets are taken out before anything is kept, so
 * neither the database nor a listener ever has them from here. Thread-safe.
 */
final class Reports {

  private static final Logger LOG = LoggerFactory.getLogger(Reports.class);

  private final Database database;
  private final Bodies bodies;
  private final Transitions transitions;
  private final InstantSource clock;
  private final Consumer<Command> changed;
  private final RecentCommands recent = new RecentCommands();

  /**
   * @param changed is told after a change is durable
   */
  Reports(
      Database database,
      Bodies bodies,
      Transitions transitions,
      InstantSource clock,
      Consumer<Command> changed) {
    this.database = database;
    this.bodies = bodies;
    this.transitions = transitions;
    this.clock = clock;
    this.changed = changed;
  }

  /** As {@link Commands#update}. */
  CompletableFuture<Optional<Command>> update(
      DeviceId from, Update update, byte @Nullable [] resultBody) {
    Report report;
    try {
      report = Report.of(update, resultBody);
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedFuture(e);
    }
    if (resultBody == null || resultBody.length == 0 || !report.state().ended()) {
      return apply(from, report, null).thenApply(Applied::command);
    }
    return bodies
        .offThread(
            () -> {
              // Looked for first: what fails leaves no file behind.
              boolean secret = holdsSecret(report.commandId(), resultBody);
              return new Body(bodies.write(resultBody), secret);
            })
        .thenCompose(
            body ->
                apply(from, report, body)
                    .whenComplete(
                        (applied, failure) -> {
                          if (failure != null || !applied.moved()) {
                            bodies.delete(body.file());
                          }
                        })
                    .thenApply(Applied::command));
  }

  /** The command with an entry that was just added to its timeline; its device may report soon. */
  Command noted(Stored before, TimelineEntry entry) {
    Stored after =
        RecentCommands.after(before, before.state(), before.command().reason(), List.of(entry));
    recent.remember(after);
    return after.command();
  }

  /** What {@link #noted} told of these was not committed. */
  void notNoted(Collection<String> ids) {
    ids.forEach(recent::forget);
  }

  private boolean holdsSecret(String commandId, byte[] resultBody) {
    return database
        .read(sql -> CommandTable.find(sql, commandId))
        .map(Stored::redaction)
        .orElse(Redaction.NONE)
        .occursIn(resultBody);
  }

  /** A result's body on disk. */
  private record Body(String file, boolean holdsSecret) {}

  /**
   * @param moved whether the report changed the state
   */
  private record Applied(Optional<Command> command, boolean moved, boolean changed) {}

  private CompletableFuture<Applied> apply(DeviceId from, Report report, @Nullable Body body) {
    return database
        .write(
            sql -> apply(sql, from, report, body),
            applied -> {
              if (applied.changed()) {
                applied.command().ifPresent(changed);
              }
            })
        .whenComplete(
            (applied, failure) -> {
              if (failure != null) {
                recent.forget(report.commandId());
              }
            });
  }

  private Applied apply(Sql sql, DeviceId from, Report asReported, @Nullable Body body)
      throws SQLException {
    Stored stored = recent.find(sql, asReported.commandId()).orElse(null);
    if (stored == null || !stored.command().deviceId().equals(from)) {
      return new Applied(Optional.empty(), false, false);
    }
    Redaction redaction = stored.redaction();
    Report report = asReported.redacted(redaction);
    Optional<CommandState> next = CommandLife.onReport(stored.state(), report.state());
    next.ifPresent(state -> LOG.debug("command {}: {}", stored.id(), state));
    List<TimelineEntry> added = new ArrayList<>(2);
    if (next.isPresent()) {
      transitions.move(sql, stored, next.get(), report.reason());
      if (next.get().ended()) {
        CommandTable.setResult(
            sql,
            stored.id(),
            report.result(),
            body == null ? null : body.file(),
            report.bodyBytes(),
            stored.command().secrecy().body()
                // The secrets may have gone between the look into the body and now.
                || (body != null && (body.holdsSecret() || redaction == Redaction.ALL)));
      }
      added.add(report.entry(clock.instant()));
    }
    Optional<TimelineEntry> progress = report.progress(clock.instant());
    boolean noted =
        progress.isPresent()
            && next.orElse(stored.state()) == CommandState.RUNNING
            && stored.entries() < CommandTable.MAX_ENTRIES;
    if (noted) {
      added.add(progress.get());
    }
    for (TimelineEntry entry : added) {
      CommandTable.append(sql, stored.id(), entry);
    }
    Command command = after(sql, stored, next.orElse(stored.state()), report, added);
    return new Applied(Optional.of(command), next.isPresent(), !added.isEmpty());
  }

  /** The command behind the report. Only an end changes more of it than can be told from here. */
  private Command after(
      Sql sql, Stored before, CommandState state, Report report, List<TimelineEntry> added)
      throws SQLException {
    if (added.isEmpty()) {
      return before.command();
    }
    if (state.ended()) {
      recent.forget(before.id());
      return Transitions.reread(sql, before.id());
    }
    Stored after =
        RecentCommands.after(
            before,
            state,
            state == before.state() ? before.command().reason() : report.reason(),
            added);
    recent.remember(after);
    return after.command();
  }
}
