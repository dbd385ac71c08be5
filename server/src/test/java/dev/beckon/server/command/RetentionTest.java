package dev.beckon.server.command;

import static dev.beckon.server.command.Fleet.KITCHEN;
import static dev.beckon.server.command.Fleet.update;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.session.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is deleted, and when, in days that pass at once. */
class RetentionTest {

  private static final Duration KEEP = Commands.DEFAULT_KEEP;

  @TempDir Path temp;
  private Fleet fleet;

  @BeforeEach
  void start() {
    fleet = new Fleet(temp);
  }

  @AfterEach
  void stop() {
    fleet.close();
  }

  private String ended(byte @Nullable [] body, @Nullable String key) {
    NewCommand asked =
        new NewCommand(
            KITCHEN, "echo", Map.of("text", "a"), body, fleet.now.get().plus(Fleet.DEADLINE), key);
    String id = fleet.accepted(asked).id();
    fleet.commands.update(KITCHEN, update(id, State.SUCCEEDED).build(), body).join();
    return id;
  }

  private void tick() {
    fleet.commands.onTime(fleet.now.get());
  }

  @Test
  void deletesACommandWithItsTimelineBodiesAndKeyThirtyDaysAfterItsEnd() throws IOException {
    String id = ended(new byte[] {1}, "k");
    fleet.pass(KEEP.minusSeconds(1));
    tick();
    assertThat(fleet.commands.find(id)).isPresent();
    assertThat(fleet.submit(fleet.echo("b", null))).isInstanceOf(Submission.Accepted.class);

    fleet.pass(Duration.ofSeconds(1));
    tick();

    assertThat(fleet.commands.find(id)).isEmpty();
    assertThat(count("SELECT count(*) FROM timeline WHERE command_id = '" + id + "'")).isZero();
    assertThat(count("SELECT count(*) FROM discarded_bodies")).isZero();
    try (Stream<Path> files = Files.list(temp.resolve("bodies"))) {
      assertThat(files).isEmpty();
    }
    assertThat(fleet.commands.deleted()).isEqualTo(1);
    assertThat(ended(null, "k")).as("the key is free again").isNotEqualTo(id);
  }

  @Test
  void keepsWhatHasNotEnded() {
    NewCommand asked =
        new NewCommand(
            KITCHEN, "echo", Map.of(), null, fleet.now.get().plus(Duration.ofDays(60)), null);
    String id = fleet.accepted(asked).id();

    fleet.pass(KEEP.plusDays(5));
    tick();

    assertThat(fleet.state(id)).isEqualTo(CommandState.QUEUED);
  }

  @Test
  void countsFromTheLastEndOfACommandThatWasGivenUp() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet.commands.deviceEnrolledAgain(KITCHEN);
    fleet.settle();
    fleet.pass(KEEP.minusDays(1));
    fleet.report(id, State.SUCCEEDED);
    fleet.pass(Duration.ofDays(2));
    tick();

    assertThat(fleet.state(id)).isEqualTo(CommandState.SUCCEEDED);
  }

  @Test
  void worksInPortionsSoThatCommandsNeverWaitForLong() {
    for (int i = 0; i < Retention.PORTION + 5; i++) {
      ended(null, null);
    }
    fleet.pass(KEEP);

    tick();
    assertThat(fleet.commands.deleted()).isEqualTo(Retention.PORTION);
    tick();
    assertThat(fleet.commands.deleted()).isEqualTo(Retention.PORTION + 5);
  }

  @Test
  void givesTheReceiptForACommandThatIsNoLongerKnown() {
    String id = ended(null, null);
    fleet.pass(KEEP);
    tick();

    assertThat(fleet.commands.update(KITCHEN, update(id, State.SUCCEEDED).build(), null).join())
        .isEmpty();
  }

  @Test
  void keepsForADayAtLeast() {
    assertThatThrownBy(
            () ->
                Commands.open(
                    fleet.database,
                    fleet.identity.devices()::find,
                    fleet.clock,
                    Duration.ofHours(23)))
        .hasMessage("keep: PT23H (expected PT24H to PT87600H)");
  }

  private int count(String sql) {
    return fleet.database.read(reader -> reader.first(sql, row -> row.getInt(1))).orElseThrow();
  }
}
