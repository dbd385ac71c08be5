package dev.beckon.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.NewGroup;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.store.Database;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When devices are woken, in virtual time. */
final class DispatcherTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final Instant START = Instant.parse("2026-05-04T03:02:01Z");
  private static final Instant DEADLINE = START.plus(Duration.ofMinutes(5));

  /** What is to be done later, by the time at which it is. */
  private final TreeMap<Duration, Runnable> later = new TreeMap<>();

  private final List<Instant> wakes = new ArrayList<>();
  private Duration passed = Duration.ZERO;
  private boolean sessionOpen;

  @TempDir private Path folder;
  private Database database;
  private Identity identity;
  private Commands commands;
  private Dispatcher dispatcher;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    identity = Identity.open(database, () -> START, () -> new Advertised("192.0.2.1", 3478, 5349));
    identity.devices().add(KITCHEN, Duration.ofHours(1)).join();
    commands = Commands.open(database, identity.devices()::find, () -> START);
    dispatcher =
        new Dispatcher(
            Wake.RENDEZVOUS_SERVER,
            commands,
            Runnable::run,
            pause -> task -> later.put(passed.plus(pause), task));
    dispatcher.begin(
        new Waker() {
          @Override
          public boolean wake(DeviceId id, Instant deadline) {
            wakes.add(deadline);
            return true;
          }

          @Override
          public void served(DeviceId id) {}
        },
        id -> sessionOpen);
  }

  @AfterEach
  void close() {
    commands.close();
    database.close();
  }

  private void submit() {
    commands
        .submit(new NewCommand(KITCHEN, "echo", Map.of("text", "hello"), null, DEADLINE, null))
        .join();
    database.write(sql -> true).join(); // by then the dispatcher was told
  }

  private void pass(Duration time) {
    passed = passed.plus(time);
    while (!later.isEmpty() && later.firstKey().compareTo(passed) <= 0) {
      later.pollFirstEntry().getValue().run();
    }
  }

  private void sessionEnds(CloseReason reason) {
    dispatcher.closed(KITCHEN, Wake.RENDEZVOUS_SERVER, reason, START.toEpochMilli());
  }

  @Test
  void wakesForACommandUnlessASessionTakesIt() {
    submit();
    sessionOpen = true;
    submit();

    assertThat(wakes).containsExactly(DEADLINE);
  }

  @Test
  void wakesAtOnceForWhatASessionLeft() {
    sessionOpen = true;
    submit();

    sessionEnds(CloseReason.CONNECTION_LOST);

    assertThat(wakes).containsExactly(DEADLINE);
  }

  @Test
  void leavesADeviceAloneForHalfAMinuteThatItCouldNotServe() {
    sessionOpen = true;
    submit();

    sessionEnds(CloseReason.SERVER_FAILED);
    pass(Duration.ofMillis(29_999));
    assertThat(wakes).as("before 30 s").isEmpty();

    pass(Duration.ofMillis(1));
    assertThat(wakes).as("after 30 s").containsExactly(DEADLINE);
    assertThat(later).isEmpty();
  }

  @Test
  void leavesAGroupsDeviceToWhoeverPaces() {
    List<DeviceId> left = new ArrayList<>();
    dispatcher.pace(left::add);
    database
        .write(sql -> sql.update("UPDATE devices SET state = 'ENROLLED', generation = 1"))
        .join();
    identity.devices().label(KITCHEN, List.of("hall")).join();
    NewCommand echo = new NewCommand(KITCHEN, "echo", Map.of(), null, DEADLINE, null);
    commands.groups().submit(new NewGroup(new TreeSet<>(List.of("hall")), echo, false)).join();
    while (commands.groups().work()) {
      // once for each portion
    }

    sessionEnds(CloseReason.CONNECTION_LOST);

    assertThat(left).containsExactly(KITCHEN);
    assertThat(wakes).as("without a pace").isEmpty();
  }

  @Test
  void wakesForNothingOfAnotherServersSession() {
    sessionOpen = true;
    submit();

    dispatcher.closed(KITCHEN, 7, CloseReason.CONNECTION_LOST, START.toEpochMilli());

    assertThat(wakes).isEmpty();
  }
}
