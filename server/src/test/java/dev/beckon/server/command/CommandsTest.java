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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CommandsTest {

  private static final DeviceId CELLAR = new DeviceId("cellar");
  private static final Duration SILENCE = Duration.ofMinutes(5);

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
      assertThat(((Submission.Conflict) conflict).command().id()).isEqualTo(first.id());
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
  void handsOverInTheOrderOfAcceptance() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ids.add(fleet.accepted(fleet.echo()).id());
    }

    HandOver first = commands.handOver(KITCHEN, Set.of(), 16).join();
    HandOver rest = commands.handOver(KITCHEN, new HashSet<>(ids.subList(0, 16)), 16).join();

    assertThat(first.commands()).extracting(Command::id).isEqualTo(ids.subList(0, 16));
    assertThat(rest.commands()).extracting(Command::id).isEqualTo(ids.subList(16, 20));
  }

  @Test
  void handsOverAgainInANewSessionUntilTheDeviceStarts() {
    String id = fleet.accepted(fleet.echo()).id();

    assertThat(fleet.handOver()).containsExactly(id);
    assertThat(fleet.handOver()).as("the first session broke").containsExactly(id);
    fleet.report(id, State.DELIVERED);
    assertThat(fleet.handOver()).as("its journal runs it once").containsExactly(id);
    fleet.report(id, State.RUNNING);
    assertThat(fleet.handOver()).isEmpty();
  }

  @Test
  void handsOverNothingOfAnotherDevice() {
    fleet.accepted(fleet.echo());

    assertThat(commands.handOver(CELLAR, Set.of(), 16).join().commands()).isEmpty();
  }

  @Test
  void expiresAtTheDeadlineWhatNoSessionHad() {
    Command command = fleet.accepted(fleet.echo());
    fleet.pass(DEADLINE.minusMillis(1));
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(command.id())).isEqualTo(CommandState.QUEUED);

    fleet.pass(Duration.ofMillis(1));
    commands.onTime(fleet.now.get());

    Command expired = commands.find(command.id()).orElseThrow();
    assertThat(expired.state()).isEqualTo(CommandState.EXPIRED);
    assertThat(expired.reason()).isEqualTo("the deadline passed before the device had it");
    assertThat(fleet.events(command.id())).containsExactly("queued", "finished");
    assertThat(fleet.handOver()).isEmpty();
  }

  @Test
  void handsOverNothingNewPastItsDeadline() {
    fleet.accepted(fleet.echo());
    fleet.pass(DEADLINE);

    assertThat(fleet.handOver()).isEmpty();
  }

  @Test
  void neverExpiresWhatASessionMayHaveSentAlsoAfterARestart() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    reopen();
    fleet.pass(DEADLINE.plusSeconds(1));
    commands.onTime(fleet.now.get());

    assertThat(fleet.state(id)).isEqualTo(CommandState.QUEUED);
    assertThat(fleet.handOver()).as("so that the device can tell").containsExactly(id);
    fleet.report(id, State.EXPIRED);
    assertThat(fleet.state(id)).isEqualTo(CommandState.EXPIRED);
  }

  @Test
  void becomesUnknownAfterFiveMinutesOfSilencePastTheDeadline() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet.report(id, State.RUNNING);
    fleet.pass(DEADLINE.plus(SILENCE).minusMillis(1));
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.RUNNING);

    fleet.pass(Duration.ofMillis(1));
    commands.onTime(fleet.now.get());

    assertThat(fleet.state(id)).isEqualTo(CommandState.UNKNOWN);
  }

  @Test
  void staysAsItIsWhileASessionIsOpen() {
    String id = fleet.accepted(fleet.echo()).id();
    commands.sessionOpened(KITCHEN, Map.of("from", "192.0.2.7:4000"));
    fleet.handOver();
    fleet.report(id, State.RUNNING);
    for (int hour = 0; hour < 3; hour++) {
      fleet.pass(Duration.ofHours(1));
      commands.onTime(fleet.now.get());
      assertThat(fleet.state(id)).isEqualTo(CommandState.RUNNING);
    }
    commands.sessionClosed(KITCHEN);
    fleet.pass(SILENCE.minusMillis(1));
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.RUNNING);

    fleet.pass(SILENCE);
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.UNKNOWN);
  }

  @Test
  void givesADeviceFiveMinutesAfterARestart() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet.report(id, State.RUNNING);
    fleet.pass(Duration.ofDays(1));
    reopen();
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.RUNNING);

    fleet.pass(SILENCE);
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.UNKNOWN);
  }

  @Test
  void correctsUnknownByALateReport() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet.pass(Duration.ofHours(1));
    commands.onTime(fleet.now.get());
    assertThat(fleet.state(id)).isEqualTo(CommandState.UNKNOWN);

    commands
        .update(KITCHEN, update(id, State.SUCCEEDED).putResult("text", "hello").build(), null)
        .join();

    Command command = commands.find(id).orElseThrow();
    assertThat(command.state()).isEqualTo(CommandState.SUCCEEDED);
    assertThat(command.result()).containsExactly(Map.entry("text", "hello"));
    assertThat(command.reason()).isNull();
    assertThat(fleet.events(id)).containsExactly("queued", "finished", "finished");
  }

  @Test
  void followsACommandFromTheQueueToItsResult() {
    String id = fleet.accepted(fleet.echo()).id();
    commands.note(KITCHEN, "wake-sent", Map.of("n", "1", "to", "198.51.100.1:40001"));
    commands.note(KITCHEN, "wake-answered", Map.of());
    commands.sessionOpened(KITCHEN, Map.of("from", "198.51.100.1:50001"));
    fleet.handOver();
    fleet.pass(Duration.ofMillis(3));
    fleet.report(id, State.DELIVERED);
    fleet.report(id, State.RUNNING);
    commands
        .update(
            KITCHEN,
            update(id, State.RUNNING).setProgressPercent(50).setProgressText("half").build(),
            null)
        .join();
    commands
        .update(
            KITCHEN,
            update(id, State.FAILED)
                .setReason("paper jam")
                .setDeviceTimeMillis(START.plusMillis(2).toEpochMilli())
                .putResult("pages", "3")
                .build(),
            null)
        .join();

    Command command = commands.find(id).orElseThrow();
    assertThat(fleet.events(id))
        .containsExactly(
            "queued",
            "wake-sent",
            "wake-answered",
            "session-opened",
            "delivered",
            "started",
            "progress",
            "finished");
    assertThat(command.timeline().get(1).details())
        .isEqualTo(Map.of("n", "1", "to", "198.51.100.1:40001"));
    assertThat(command.timeline().get(6).details())
        .isEqualTo(Map.of("percent", "50", "text", "half"));
    assertThat(command.timeline().get(7))
        .isEqualTo(
            new TimelineEntry(
                START.plusMillis(3),
                "finished",
                Map.of(
                    "state", "FAILED",
                    "reason", "paper jam",
                    "deviceTime", "2026-05-04T03:02:01.002Z")));
    assertThat(command.reason()).isEqualTo("paper jam");
    assertThat(command.result()).isEqualTo(Map.of("pages", "3"));
  }

  @Test
  void takesARepeatedReportOnce() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    Command first = fleet.report(id, State.SUCCEEDED);
    Command again = fleet.report(id, State.SUCCEEDED);
    Command other = fleet.report(id, State.FAILED);

    assertThat(again).isEqualTo(first);
    assertThat(other).isEqualTo(first);
  }

  @Test
  void takesReportsOnlyFromTheDeviceItself() {
    String id = fleet.accepted(fleet.echo()).id();

    assertThat(commands.update(CELLAR, update(id, State.SUCCEEDED).build(), null).join()).isEmpty();
    assertThat(commands.update(KITCHEN, update("other", State.SUCCEEDED).build(), null).join())
        .isEmpty();
    assertThat(fleet.state(id)).isEqualTo(CommandState.QUEUED);
  }

  @Test
  void refusesAReportThatNoDeviceCanMake() {
    String id = fleet.accepted(fleet.echo()).id();

    for (State state : List.of(State.QUEUED, State.STATE_UNSPECIFIED)) {
      assertThat(commands.update(KITCHEN, update(id, state).build(), null))
          .isCompletedExceptionally();
    }
  }

  @Test
  void limitsATalkativeDevicesTimelineButNotItsEnd() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    for (int i = 0; i < CommandTable.MAX_ENTRIES + 10; i++) {
      commands
          .update(KITCHEN, update(id, State.RUNNING).setProgressText("p" + i).build(), null)
          .join();
      commands.note(id, "wake-sent", Map.of());
    }
    fleet.report(id, State.SUCCEEDED);

    assertThat(fleet.events(id)).hasSize(CommandTable.MAX_ENTRIES + 1).endsWith("finished");
  }

  @Test
  void notesEvidenceOnlyForWhatHasNotStarted() {
    String running = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    fleet.report(running, State.RUNNING);
    String waiting = fleet.accepted(fleet.echo()).id();
    commands.note(KITCHEN, "wake-sent", Map.of());
    fleet.settle();

    assertThat(fleet.events(running)).containsExactly("queued", "started");
    assertThat(fleet.events(waiting)).containsExactly("queued", "wake-sent");
  }

  @Test
  void cancelsAtOnceWhatNoSessionHad() {
    String id = fleet.accepted(fleet.echo()).id();

    Cancelling cancelling = commands.cancel(id).join();

    assertThat(cancelling).isInstanceOf(Cancelling.Cancelled.class);
    assertThat(fleet.state(id)).isEqualTo(CommandState.CANCELLED);
    assertThat(fleet.handOver()).isEmpty();
    assertThat(commands.cancel(id).join()).isInstanceOf(Cancelling.AlreadyEnded.class);
  }

  @Test
  void asksTheDeviceToCancelWhatItMayHave() {
    String id = fleet.accepted(fleet.echo()).id();
    fleet.handOver();

    assertThat(commands.cancel(id).join()).isInstanceOf(Cancelling.Asked.class);
    assertThat(commands.cancel(id).join()).isInstanceOf(Cancelling.Asked.class);

    assertThat(fleet.told).contains("cancelAsked " + id);
    assertThat(fleet.events(id)).containsExactly("queued", "cancel-asked");
    HandOver next = commands.handOver(KITCHEN, Set.of(), 16).join();
    assertThat(next.commands()).as("it is not sent again").isEmpty();
    assertThat(next.cancellations()).containsExactly(id);
    fleet.report(id, State.CANCELLED);
    assertThat(fleet.state(id)).isEqualTo(CommandState.CANCELLED);
    assertThat(commands.handOver(KITCHEN, Set.of(), 16).join().cancellations()).isEmpty();
  }

  @Test
  void cancelsNothingUnknown() {
    assertThat(commands.cancel("x").join()).isEqualTo(new Cancelling.CommandUnknown());
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
  void saysWhenTimeMattersNext() {
    long now = START.toEpochMilli();
    assertThat(commands.onTime(START)).isEqualTo(now + 1000);
    fleet.accepted(new NewCommand(KITCHEN, "echo", Map.of(), null, START.plusMillis(300), null));

    assertThat(commands.onTime(START)).isEqualTo(now + 300);
  }

  @Test
  void expiresManyAtOnce() {
    for (int i = 0; i < Commands.MAX_WAITING; i++) {
      commands.submit(fleet.echo());
    }
    fleet.settle();
    fleet.pass(DEADLINE);
    Instant now = fleet.now.get();

    assertThat(commands.onTime(now)).as("there is more").isEqualTo(now.toEpochMilli());
    commands.onTime(now);
    assertThat(commands.onTime(now)).isEqualTo(now.toEpochMilli() + 1000);
    assertThat(commands.list(new CommandQuery(null, CommandState.EXPIRED, null, null, 1000)))
        .hasSize(Commands.MAX_WAITING);
  }

  @Test
  void knowsUntilWhenAWakeMakesSense() {
    assertThat(commands.latestDeadline(KITCHEN)).isEmpty();
    fleet.accepted(new NewCommand(KITCHEN, "echo", Map.of(), null, START.plusSeconds(90), null));
    String last = fleet.accepted(fleet.echo()).id();

    assertThat(commands.latestDeadline(KITCHEN)).contains(START.plusSeconds(90));
    assertThat(commands.latestDeadline(CELLAR)).isEmpty();
    fleet.pass(Duration.ofSeconds(1));
    reopen();
    assertThat(commands.waiting()).isEqualTo(Map.of(KITCHEN, START.plusSeconds(90)));

    fleet.handOver();
    fleet.report(last, State.DELIVERED);
    assertThat(commands.latestDeadline(KITCHEN)).contains(START.plusSeconds(90));
    fleet.pass(Duration.ofSeconds(90));
    assertThat(commands.latestDeadline(KITCHEN)).isEmpty();
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
