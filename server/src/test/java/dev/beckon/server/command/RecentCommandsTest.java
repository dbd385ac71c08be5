package dev.beckon.server.command;

import static dev.beckon.server.command.Fleet.KITCHEN;
import static dev.beckon.server.command.Fleet.update;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.session.State;
import dev.beckon.server.command.CommandTable.Stored;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept of commands between two reports, and what must not be. */
class RecentCommandsTest {

  @TempDir private Path temp;
  private Fleet fleet;

  @BeforeEach
  void open() {
    fleet = new Fleet(temp);
  }

  @AfterEach
  void close() {
    fleet.close();
  }

  /** Nobody who ends a command could take its secrets out of here. */
  @ParameterizedTest(name = "has a secret: {0}")
  @ValueSource(booleans = {false, true})
  void aCommandIsRememberedUnlessItHasSecrets(boolean secret) {
    Set<String> secrets = secret ? Set.of("pin") : Set.of();
    String id =
        fleet
            .accepted(
                new NewCommand(
                    KITCHEN,
                    "unlock",
                    Map.of("pin", "4711"),
                    null,
                    fleet.now.get().plus(Fleet.DEADLINE),
                    null,
                    secrets,
                    false))
            .id();
    RecentCommands recent = new RecentCommands();
    Stored stored = fleet.database.read(sql -> CommandTable.find(sql, id)).orElseThrow();

    recent.remember(stored);

    Stored found = fleet.database.read(sql -> recent.find(sql, id)).orElseThrow();
    if (secret) {
      assertThat(found).as("read again").isNotSameAs(stored);
    } else {
      assertThat(found).as("remembered").isSameAs(stored);
    }
    assertThat(found.command()).isEqualTo(stored.command());
  }

  /** Evidence for two commands of a device is one transaction, and the second one's fails. */
  @Test
  void evidenceThatWasNotKeptIsNotTold() {
    String first = fleet.accepted(fleet.echo()).id();
    String second = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet
        .database
        .write(
            sql ->
                sql.update(
                    "CREATE TRIGGER full BEFORE INSERT ON timeline WHEN NEW.command_id = '"
                        + second
                        + "' BEGIN SELECT RAISE(ABORT, 'no room'); END"))
        .join();
    fleet.commands.note(KITCHEN, "wake-sent", Map.of());
    fleet.settle();

    fleet.commands.cancel(first).join(); // an entry of its own, so there are as many again
    Command reported =
        fleet
            .commands
            .update(KITCHEN, update(first, State.RUNNING).build(), null)
            .join()
            .orElseThrow();

    assertThat(reported.timeline())
        .extracting(TimelineEntry::event)
        .containsExactly("queued", "cancel-asked", "started");
  }
}
