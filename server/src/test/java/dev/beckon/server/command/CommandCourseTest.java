package dev.beckon.server.command;

import static dev.beckon.server.command.Fleet.DEADLINE;
import static dev.beckon.server.command.Fleet.KITCHEN;
import static dev.beckon.server.command.Fleet.START;
import static dev.beckon.server.command.Fleet.update;
import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.State;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a command: handed over, reported on, cancelled, overtaken by time. */
final class CommandCourseTest {

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
  void handsNothingOverTwiceToADeviceThatWasEnrolledAgain() {
    String handedOver = fleet.accepted(fleet.echo()).id();
    fleet.handOver();
    String waiting = fleet.accepted(fleet.echo()).id();

    fleet.commands.deviceEnrolledAgain(KITCHEN);

    assertThat(fleet.handOver()).containsExactly(waiting);
    assertThat(fleet.state(handedOver)).isEqualTo(CommandState.UNKNOWN);
    fleet.report(handedOver, State.SUCCEEDED);
    assertThat(fleet.state(handedOver)).isEqualTo(CommandState.SUCCEEDED);
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
    assertThat(commands.waiting(KITCHEN)).isEmpty();
    fleet.accepted(new NewCommand(KITCHEN, "echo", Map.of(), null, START.plusSeconds(90), null));
    String last = fleet.accepted(fleet.echo()).id();

    assertThat(commands.waiting(KITCHEN))
        .contains(new Commands.Waiting(START.plusSeconds(90), true));
    assertThat(commands.waiting(CELLAR)).isEmpty();
    fleet.pass(Duration.ofSeconds(1));
    reopen();
    assertThat(commands.waiting()).isEqualTo(Map.of(KITCHEN, START.plusSeconds(90)));

    fleet.handOver();
    fleet.report(last, State.DELIVERED);
    assertThat(commands.waiting(KITCHEN))
        .contains(new Commands.Waiting(START.plusSeconds(90), true));
    fleet.pass(Duration.ofSeconds(90));
    assertThat(commands.waiting(KITCHEN)).isEmpty();
  }
}
