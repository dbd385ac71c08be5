package dev.beckon.server.command;

import static dev.beckon.server.command.Fleet.DEADLINE;
import static dev.beckon.server.command.Fleet.KITCHEN;
import static dev.beckon.server.command.Fleet.START;
import static dev.beckon.server.command.Fleet.update;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.State;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Submitting, finding and listing commands, their bodies, and who is told. */
final class CommandsTest {

  private static final DeviceId CELLAR = new DeviceId("cellar");

  @TempDir private Path temp;
  private Fleet fleet;
  private Commands commands;

  @BeforeEach
  void open() {
    fleet = new Fleet(temp);
    commands = fleet.commands;
  }

  @AfterEach
  void close() {
    fleet.close();
  }

  private void reopen() {
    Instant now = fleet.now.get();
    fleet.close();
    fleet = new Fleet(temp, now);
    commands = fleet.commands;
  }

  @Test
  void keepsAnAcceptedCommandAcrossARestart() {
    Command command = fleet.accepted(fleet.echo());
    reopen();

    assertThat(commands.find(command.id())).contains(command);
    assertThat(command.state()).isEqualTo(CommandState.QUEUED);
    assertThat(command.acceptedAt()).isEqualTo(START);
    assertThat(command.deadline()).isEqualTo(START.plus(DEADLINE));
    assertThat(command.timeline()).containsExactly(new TimelineEntry(START, "queued", Map.of()));
  }

  @Test
  void knowsNoCommandOfAnotherId() {
    assertThat(commands.find("01ARZ3NDEKTSV4RRFFQ69G5FAV")).isEmpty();
    assertThat(commands.body("01ARZ3NDEKTSV4RRFFQ69G5FAV")).isEmpty();
  }

  @Test
  void refusesACommandForAnUnknownDevice() {
    NewCommand command = new NewCommand(CELLAR, "echo", Map.of(), null, START.plus(DEADLINE), null);

    assertThat(fleet.submit(command)).isEqualTo(new Submission.DeviceUnknown());
  }

  @Test
  void refusesACommandForARevokedDevice() {
    fleet.identity.devices().revoke(KITCHEN).join();

    assertThat(fleet.submit(fleet.echo())).extracting("code").isEqualTo("device-revoked");
  }

  @Test
  void refusesADeadlineThatHasPassed() {
    NewCommand command = new NewCommand(KITCHEN, "echo", Map.of(), null, START, null);

    assertThat(fleet.submit(command))
        .isEqualTo(
            new Submission.Refused(
                "deadline-passed",
                "deadline: 2026-05-04T03:02:01Z (expected after 2026-05-04T03:02:01Z)"));
  }

  @Test
  void refusesADeadlineOutOfReach() {
    NewCommand command = new NewCommand(KITCHEN, "echo", Map.of(), null, Instant.MAX, null);

    assertThat(fleet.submit(command)).extracting("code").isEqualTo("deadline-too-far");
  }

  @Test
  void refusesWhatTheDeviceDidNotDeclare() {
    Actions declared =
        Actions.newBuilder().addActions(Action.newBuilder().setName("print")).build();
    fleet.identity.devices().declareActions(KITCHEN, declared, new byte[32]).join();

    assertThat(fleet.submit(fleet.echo()))
        .isEqualTo(
            new Submission.Refused("action-unknown", "action: echo (expected one of print)"));
    assertThat(commands.list(new CommandQuery(null, null, null, null, 10))).isEmpty();
  }

  @Test
  void leavesTheDecisionToADeviceThatDeclaredNothingYet() {
    assertThat(fleet.submit(fleet.echo())).isInstanceOf(Submission.Accepted.class);
  }

  @Test
  void refusesMoreThanAThousandWaitingCommands() {
    List<CompletableFuture<Submission>> submissions = new ArrayList<>();
    for (int i = 0; i < Commands.MAX_WAITING; i++) {
      submissions.add(commands.submit(fleet.echo()));
    }
    assertThat(submissions).allMatch(s -> s.join() instanceof Submission.Accepted);

    assertThat(fleet.submit(fleet.echo())).extracting("code").isEqualTo("too-many-commands");
  }

  private NewCommand keyed(String text, byte[] body) {
    return new NewCommand(
        KITCHEN, "echo", Map.of("text", text), body, fleet.now.get().plus(DEADLINE), "key");
  }

  @Test
  void returnsTheFirstCommandForARepeatedKeyAlsoAfterItsEnd() {
    Command first = fleet.accepted(keyed("a", new byte[] {1}));
    fleet.pass(DEADLINE.multipliedBy(2));
    commands.onTime(fleet.now.get());

    Submission again = fleet.submit(keyed("a", new byte[] {1}));

    assertThat(again).isInstanceOf(Submission.Repeated.class);
    assertThat(((Submission.Repeated) again).command().id()).isEqualTo(first.id());
    assertThat(((Submission.Repeated) again).command().state()).isEqualTo(CommandState.EXPIRED);
  }

  @Test
  void reportsAConflictForAKeyWithOtherContent() {
    Command first = fleet.accepted(keyed("a", new byte[] {1}));

    for (NewCommand other :
        List.of(
            keyed("b", new byte[] {1}),
            keyed("a", new byte[] {2}),
            keyed("a", new byte[0]),
            new NewCommand(CELLAR, "echo", Map.of("text", "a"), null, START.plus(DEADLINE), "key"),
            new NewCommand(
                KITCHEN, "ech", Map.of("otext", "a"), null, START.plus(DEADLINE), "key"))) {
      Submission conflict = fleet.submit(other);
      assertThat(conflict).as("%s", other).isInstanceOf(Submission.Conflict.class);
      assertThat(((Submission.Conflict) conflict).id()).isEqualTo(first.id());
    }
  }

  @Test
  void acceptsOneOfManyRequestsWithTheSameKeyAtOnce() {
    List<CompletableFuture<Submission>> submissions = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      submissions.add(commands.submit(keyed("a", new byte[0])));
    }

    assertThat(submissions).filteredOn(s -> s.join() instanceof Submission.Accepted).hasSize(1);
    assertThat(submissions).filteredOn(s -> s.join() instanceof Submission.Repeated).hasSize(49);
  }

  @Test
  void keepsBodiesOfCommandsAndResults() throws IOException {
    byte[] body = bytes(Commands.MAX_BODY_BYTES);
    byte[] result = bytes(100_000);
    Command command = fleet.accepted(fleet.echo("a", body));
    assertThat(command.bodyBytes()).isEqualTo(body.length);
    assertThat(commands.resultBody(command.id())).isEmpty();
    fleet.handOver();
    commands.update(KITCHEN, update(command.id(), State.SUCCEEDED).build(), result).join();
    reopen();

    assertThat(content(commands.body(command.id()))).isEqualTo(body);
    assertThat(content(commands.resultBody(command.id()))).isEqualTo(result);
    assertThat(commands.find(command.id()).orElseThrow().resultBodyBytes())
        .isEqualTo(result.length);
  }

  @Test
  void refusesABodyBeyondTheLimit() {
    assertThat(fleet.submit(fleet.echo("a", new byte[Commands.MAX_BODY_BYTES + 1])))
        .extracting("code")
        .isEqualTo("body-too-large");
    assertThatThrownBy(
            () ->
                commands
                    .update(
                        KITCHEN,
                        update("x", State.SUCCEEDED).build(),
                        new byte[Commands.MAX_BODY_BYTES + 1])
                    .join())
        .hasRootCauseInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void leavesNoFileOfABodyThatNobodyNeeds() throws IOException {
    Command kept = fleet.accepted(keyed("a", new byte[] {1}));
    fleet.submit(keyed("a", new byte[] {1}));
    fleet.submit(keyed("a", new byte[] {2}));
    for (int i = 0; i < 2; i++) {
      commands.update(KITCHEN, update(kept.id(), State.SUCCEEDED).build(), new byte[] {3}).join();
    }
    Files.write(temp.resolve("bodies/left-behind-by-a-crash"), new byte[] {4});
    reopen();

    try (Stream<Path> files = Files.list(temp.resolve("bodies"))) {
      assertThat(files).hasSize(2);
    }
    assertThat(content(commands.body(kept.id()))).containsExactly(1);
    assertThat(content(commands.resultBody(kept.id()))).containsExactly(3);
  }

  @Test
  void leavesNoFileOfABodyThatTheStoreRefused() throws IOException {
    fleet.database.write(sql -> sql.update("ALTER TABLE commands RENAME TO gone")).join();

    assertThat(commands.submit(fleet.echo("a", new byte[] {1}))).failsWithin(Duration.ofSeconds(9));
    assertThat(commands.update(KITCHEN, update("A", State.SUCCEEDED).build(), new byte[] {3}))
        .failsWithin(Duration.ofSeconds(9));

    try (Stream<Path> files = Files.list(temp.resolve("bodies"))) {
      assertThat(files).isEmpty();
    }
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + (i >> 8));
    }
    return bytes;
  }

  private static byte[] content(Optional<InputStream> body) throws IOException {
    try (InputStream in = body.orElseThrow()) {
      return in.readAllBytes();
    }
  }

  @Test
  void tellsListenersAfterTheCommitAndInItsOrder() {
    String id = fleet.accepted(fleet.echo()).id();
    commands.note(KITCHEN, "wake-sent", Map.of());
    fleet.handOver();
    fleet.report(id, State.DELIVERED);
    fleet.report(id, State.DELIVERED);
    fleet.report(id, State.SUCCEEDED);
    fleet.settle();

    assertThat(fleet.told)
        .containsExactly(
            "accepted " + id, "changed QUEUED 2", "changed DELIVERED 3", "changed SUCCEEDED 4");
  }

  @Test
  void survivesAListenerThatFails() {
    commands.addListener(
        new CommandListener() {
          @Override
          public void accepted(Command command) {
            throw new IllegalStateException("a listener's bug (expected in this test's log)");
          }
        });

    assertThat(fleet.submit(fleet.echo())).isInstanceOf(Submission.Accepted.class);
  }

  @Test
  void listsByDeviceStateAndCursor() {
    fleet.identity.devices().add(CELLAR, Duration.ofHours(1)).join();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      DeviceId device = i % 2 == 0 ? KITCHEN : CELLAR;
      ids.add(
          fleet
              .accepted(new NewCommand(device, "echo", Map.of(), null, START.plus(DEADLINE), null))
              .id());
    }
    commands.cancel(ids.get(0)).join();

    assertThat(listed(null, null, null, null, 10)).isEqualTo(ids.reversed());
    assertThat(listed(null, null, null, null, 2)).containsExactly(ids.get(5), ids.get(4));
    assertThat(listed(null, null, ids.get(4), null, 2)).containsExactly(ids.get(3), ids.get(2));
    assertThat(listed(null, null, null, ids.get(1), 2)).containsExactly(ids.get(2), ids.get(3));
    assertThat(listed(CELLAR, null, null, null, 10))
        .containsExactly(ids.get(5), ids.get(3), ids.get(1));
    assertThat(listed(KITCHEN, CommandState.CANCELLED, null, null, 10)).containsExactly(ids.get(0));
    assertThat(listed(KITCHEN, CommandState.QUEUED, null, null, 10))
        .containsExactly(ids.get(4), ids.get(2));
  }

  private List<String> listed(
      @Nullable DeviceId device,
      @Nullable CommandState state,
      @Nullable String before,
      @Nullable String after,
      int limit) {
    return commands.list(new CommandQuery(device, state, before, after, limit)).stream()
        .map(Command::id)
        .toList();
  }

  @Test
  void refusesAQueryThatMakesNoSense() {
    assertThatThrownBy(() -> new CommandQuery(null, null, null, null, 0))
        .hasMessage("limit: 0 (expected 1 to 1000)");
    assertThatThrownBy(() -> new CommandQuery(null, null, "a", "b", 1))
        .hasMessage("after: b (expected not together with before)");
  }

  @Test
  void keepsAnyText() {
    String text = "zero \u0000, quote \", emoji \uD83D\uDE00, line\nbreak";
    Command command = fleet.accepted(fleet.echo(text, null));
    commands
        .update(
            KITCHEN,
            update(command.id(), State.FAILED).setReason(text).putResult(text, text).build(),
            null)
        .join();

    Command read = commands.find(command.id()).orElseThrow();
    assertThat(read.args()).isEqualTo(Map.of("text", text));
    assertThat(read.result()).isEqualTo(Map.of(text, text));
    assertThat(read.reason()).isEqualTo(text);
  }
}
