package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Commands on a real database, with one device, a clock that is set by hand, and what was told. */
final class Fleet implements AutoCloseable, CommandListener {

  static final DeviceId KITCHEN = new DeviceId("kitchen");
  static final Instant START = Instant.parse("2026-05-04T03:02:01Z");
  static final Duration DEADLINE = Duration.ofSeconds(60);

  final AtomicReference<Instant> now;
  final InstantSource clock;
  final Database database;
  final Identity identity;
  final Commands commands;
  final List<String> told = Collections.synchronizedList(new ArrayList<>());

  Fleet(Path folder) {
    this(folder, START);
  }

  Fleet(Path folder, Instant start) {
    now = new AtomicReference<>(start);
    clock = now::get;
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> new Advertised("192.0.2.1", 3478, 5349));
    commands = Commands.open(database, identity.devices()::find, clock);
    commands.addListener(this);
    identity.devices().add(KITCHEN, Duration.ofHours(1)).join();
  }

  void pass(Duration time) {
    now.updateAndGet(instant -> instant.plus(time));
  }

  NewCommand echo() {
    return echo("hello", null);
  }

  NewCommand echo(String text, byte @Nullable [] body) {
    return new NewCommand(
        KITCHEN, "echo", Map.of("text", text), body, now.get().plus(DEADLINE), null);
  }

  Submission submit(NewCommand command) {
    return commands.submit(command).join();
  }

  Command accepted(NewCommand command) {
    return ((Submission.Accepted) submit(command)).command();
  }

  List<String> handOver() {
    return commands.handOver(KITCHEN, Set.of(), 16).join().commands().stream()
        .map(Command::id)
        .toList();
  }

  Command report(String id, State state) {
    return commands.update(KITCHEN, update(id, state).build(), null).join().orElseThrow();
  }

  static Update.Builder update(String id, State state) {
    return Update.newBuilder().setCommandId(id).setState(state);
  }

  CommandState state(String id) {
    return commands.find(id).orElseThrow().state();
  }

  List<String> events(String id) {
    return commands.find(id).orElseThrow().timeline().stream().map(TimelineEntry::event).toList();
  }

  /** Waits until all that was submitted is committed and told. */
  void settle() {
    database.write(sql -> true).join();
  }

  @Override
  public void accepted(Command command) {
    told.add("accepted " + command.id());
  }

  @Override
  public void changed(Command command) {
    told.add("changed " + command.state() + " " + command.timeline().size());
  }

  @Override
  public void cancelAsked(Command command) {
    told.add("cancelAsked " + command.id());
  }

  @Override
  public void close() {
    commands.close();
    database.close();
  }
}
