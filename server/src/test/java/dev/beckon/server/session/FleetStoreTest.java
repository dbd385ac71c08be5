package dev.beckon.server.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Command;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.store.Database;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What sessions on an application server know of devices, on a real database. */
final class FleetStoreTest {

  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  @TempDir private Path folder;

  private final InstantSource clock = InstantSource.system();
  private Database database;
  private KnownDevices devices;
  private Commands commands;
  private FleetStore store;

  @BeforeEach
  void open() {
    database = Database.open(folder);
    devices = new KnownDevices(database);
    commands = Commands.open(database, devices::find, clock);
    store =
        new FleetStore(
            commands, devices, Optional.empty(), Optional.empty(), new ServedDirectory() {}, clock);
  }

  @AfterEach
  void close() {
    commands.close();
    database.close();
  }

  private void learn(int generation, Device.State state) {
    database.write(sql -> devices.learn(sql, KITCHEN, generation, state, clock.instant())).join();
  }

  /** A session of that generation; returns the IDs of the commands that go out in it. */
  private List<String> session(int generation) {
    return store
        .sessionOpened(KITCHEN, generation, 0, new InetSocketAddress("127.0.0.1", 1))
        .thenCompose(settled -> store.handOver(KITCHEN, Set.of(), 16))
        .join()
        .commands()
        .stream()
        .map(Command::getCommandId)
        .toList();
  }

  private String submit() {
    Submission submission =
        commands
            .submit(
                new NewCommand(
                    KITCHEN,
                    "echo",
                    Map.of(),
                    null,
                    clock.instant().plus(Duration.ofHours(1)),
                    null))
            .join();
    return ((Submission.Accepted) submission).command().id();
  }

  @Test
  void handsNothingOverTwiceToADeviceThatWasEnrolledAgainUnheard() {
    learn(1, Device.State.ENROLLED);
    String first = submit();
    assertThat(session(1)).containsExactly(first);
    assertThat(session(1)).containsExactly(first);
    String second = submit();

    assertThat(session(2)).containsExactly(second);

    assertThat(commands.find(first).orElseThrow().state()).isEqualTo(CommandState.UNKNOWN);
    learn(1, Device.State.ENROLLED); // said before it enrolled again
    assertThat(session(2)).containsExactly(second);
  }

  @Test
  void believesADeviceThatItKnewBeforeThatWasEnrolled() {
    assertThat(store.enrolledGeneration(KITCHEN)).hasValue(0);

    learn(0, Device.State.INVITED);

    assertThat(store.enrolledGeneration(KITCHEN)).hasValue(0);
    learn(2, Device.State.ENROLLED);
    assertThat(store.enrolledGeneration(KITCHEN)).hasValue(2);
  }
}
