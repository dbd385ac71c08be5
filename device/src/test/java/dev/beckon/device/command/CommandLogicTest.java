package dev.beckon.device.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandLogicTest {
  private static final long NOW = 1_800_000_000_000L;
  private static final String A = "A";
  private static final String B = "B";
  private static final String C = "C";

  private final FakeJournal journal = new FakeJournal();
  private CommandLogic logic = fresh();

  @Test
  void writesTheJournalBeforeItAcknowledgesAndBeforeItRuns() {
    List<CommandEffect> effects = logic.onCommand(0, command(A, "echo"), NOW);

    assertThat(journal.log).containsExactly("A RUNNING");
    assertThat(text(effects)).containsExactly("report A DELIVERED", "report A RUNNING", "run A");
    logic.onCommand(0, command(B, "echo"), NOW);
    assertThat(journal.log).as("one that waits").containsExactly("A RUNNING", "B DELIVERED");
  }

  @Test
  void runsOneCommandAtATimePerActionAndActionsSideBySide() {
    logic.onCommand(0, command(A, "echo"), NOW);
    assertThat(text(logic.onCommand(0, command(B, "echo"), NOW)))
        .containsExactly("report B DELIVERED");
    assertThat(text(logic.onCommand(0, command(C, "print"), NOW))).contains("run C");

    assertThat(text(end(A, State.SUCCEEDED)))
        .containsExactly("report A SUCCEEDED", "report B RUNNING", "run B");
  }

  @Test
  void runsACommandOnceHoweverOftenItIsHandedOver() {
    logic.onCommand(0, command(A, "echo"), NOW);
    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .containsExactly("report A RUNNING");
    end(A, State.SUCCEEDED);
    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .containsExactly("report A SUCCEEDED");
  }

  @Test
  void repeatsAnEndInEverySessionUntilItsReceipt() {
    logic.onCommand(0, command(A, "echo"), NOW);
    end(A, State.SUCCEEDED);

    assertThat(text(logic.onSession(0, NOW))).containsExactly("report A SUCCEEDED");
    assertThat(text(logic.onSession(0, NOW))).containsExactly("report A SUCCEEDED");
    assertThat(logic.isUnfinished(0)).isTrue();
    assertThat(text(logic.onReceipt(key(A)))).containsExactly("discard A");
    assertThat(text(logic.onSession(0, NOW))).isEmpty();
    assertThat(journal.entries).isEmpty();
    assertThat(logic.isUnfinished(0)).isFalse();
  }

  @Test
  void repeatsAnEndAfterARestartWithItsResult() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onEnded(key(A), State.SUCCEEDED, "", Map.of("text", "hello"), 12, NOW);
    logic = fresh();

    Update update = ((CommandEffect.Report) logic.onSession(0, NOW).get(0)).update();
    assertThat(update.getState()).isEqualTo(State.SUCCEEDED);
    assertThat(update.getResultMap()).containsEntry("text", "hello");
    assertThat(update.getBodyBytes()).isEqualTo(12);
    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW))).doesNotContain("run A");
  }

  @Test
  void saysUnknownOfWhatRanWhenThePowerFailed() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic = fresh();

    assertThat(text(logic.onSession(0, NOW))).containsExactly("report A UNKNOWN");
    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .containsExactly("report A UNKNOWN");
  }

  @Test
  void runsWhatWasDeliveredButNotStartedWhenThePowerFailed() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);
    logic = fresh();

    assertThat(logic.isKnown(key(B))).isFalse();
    assertThat(text(logic.onCommand(0, command(B, "echo"), NOW))).contains("run B");
  }

  @Test
  void rejectsWhenTheJournalCannotBeWritten() {
    journal.broken = true;

    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .containsExactly("report A REJECTED");
    journal.broken = false;
    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .as("what was told is not taken back")
        .containsExactly("report A REJECTED");
  }

  @Test
  void writesDownThatTheBodyOfACommandFromBeforeARestartFoundNoRoom() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);
    logic = fresh();
    logic.onReceipt(key(A));

    assertThat(text(logic.onUnstorable(0, command(B, "echo"), NOW)))
        .containsExactly("report B REJECTED");
    logic = fresh();
    assertThat(text(logic.onSession(0, NOW))).containsExactly("report B REJECTED");
    logic.onReceipt(key(B));
    assertThat(journal.entries).as("its receipt takes it out of the journal").isEmpty();
  }

  @Test
  void aBodyThatFindsNoRoomDoesNotRejectTheCommandThatRuns() {
    logic.onCommand(0, command(A, "echo"), NOW);

    assertThat(text(logic.onUnstorable(0, command(A, "echo"), NOW)))
        .containsExactly("report A RUNNING");
    assertThat(text(end(A, State.SUCCEEDED))).containsExactly("report A SUCCEEDED");
  }

  @Test
  void doesNotStartWhatItCannotWriteDownAsStarted() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);
    journal.broken = true;

    assertThat(text(end(A, State.SUCCEEDED)))
        .containsExactly("report A SUCCEEDED", "report B REJECTED");
  }

  @Test
  void refusesACommandForAnotherDevice() {
    Command command = command(A, "echo").toBuilder().setDeviceId("cellar").build();

    assertThat(text(logic.onCommand(0, command, NOW))).containsExactly("report A REJECTED");
    assertThat(logic.isEmpty()).isTrue();
  }

  @Test
  void refusesWhatTheDeviceCannotDo() {
    assertThat(text(logic.onCommand(0, command(A, "dance"), NOW)))
        .containsExactly("report A REJECTED");
    assertThat(journal.log).isEmpty();
  }

  @Test
  void doesNotStartACommandPastItsDeadline() {
    Command late = command(A, "echo").toBuilder().setDeadlineMillis(NOW - 1).build();
    assertThat(text(logic.onCommand(0, late, NOW))).containsExactly("report A EXPIRED");

    logic.onCommand(0, command(B, "echo"), NOW);
    logic.onCommand(0, command(C, "echo"), NOW);
    assertThat(text(logic.onEnded(key(B), State.SUCCEEDED, "", Map.of(), 0, NOW + 60_001)))
        .as("it waited behind another for too long")
        .containsExactly("report B SUCCEEDED", "report C EXPIRED");
  }

  @Test
  void expiresWhatWasDeliveredBeforeARestartAndNeverCameAgain() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);
    logic = fresh();

    assertThat(text(logic.onSession(0, NOW + 60_001)))
        .containsExactly("report A UNKNOWN", "report B EXPIRED");
  }

  @Test
  void cancellingWinsBeforeTheStartOnly() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);

    assertThat(text(logic.onCancellation(key(A), NOW))).containsExactly("report A RUNNING");
    assertThat(text(logic.onCancellation(key(B), NOW))).containsExactly("report B CANCELLED");
    assertThat(text(end(A, State.SUCCEEDED))).containsExactly("report A SUCCEEDED");
  }

  @Test
  void remembersACancellationThatOvertakesItsCommand() {
    assertThat(text(logic.onCancellation(key(A), NOW))).containsExactly("report A CANCELLED");
    logic = fresh();

    assertThat(text(logic.onCommand(0, command(A, "echo"), NOW)))
        .containsExactly("report A CANCELLED");
  }

  @Test
  void failsACommandWhoseResultIsTooLongForAFrame() {
    logic.onCommand(0, command(A, "echo"), NOW);
    List<CommandEffect> effects =
        logic.onEnded(key(A), State.SUCCEEDED, "", Map.of("x", "y".repeat(70_000)), 0, NOW);

    assertThat(text(effects)).containsExactly("report A FAILED");
    assertThat(((CommandEffect.Report) effects.get(0)).update().getSerializedSize())
        .isLessThan(60_000);
  }

  @Test
  void reportsProgressOfARunningCommandOnly() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);

    assertThat(text(logic.onProgress(key(A), 50, "half", NOW))).containsExactly("report A RUNNING");
    assertThat(logic.onProgress(key(B), 50, "half", NOW)).isEmpty();
    end(A, State.SUCCEEDED);
    assertThat(logic.onProgress(key(A), 99, "late", NOW)).isEmpty();
  }

  @Test
  void twoServersMayGiveTheSameCommandId() {
    logic.onCommand(0, command(A, "echo"), NOW);

    assertThat(text(logic.onCommand(7, command(A, "print"), NOW))).contains("run A");
    end(A, State.SUCCEEDED);
    assertThat(text(logic.onSession(0, NOW))).containsExactly("report A SUCCEEDED");
    assertThat(text(logic.onSession(7, NOW))).containsExactly("report A RUNNING");
    assertThat(logic.servers()).containsExactlyInAnyOrder(0, 7);
  }

  @Test
  void aServerCanNeitherConfirmNorCancelAnotherServersCommand() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);

    logic.onCancellation(foreign(B), NOW);
    end(A, State.SUCCEEDED);
    assertThat(logic.onReceipt(foreign(A))).isEmpty();
    assertThat(text(logic.onSession(0, NOW)))
        .containsExactly("report A SUCCEEDED", "report B RUNNING");
  }

  @Test
  void runsOneCommandAtATimePerActionWhoeverGaveIt() {
    logic.onCommand(0, command(A, "echo"), NOW);
    assertThat(text(logic.onCommand(7, command(B, "echo"), NOW)))
        .containsExactly("report B DELIVERED");

    List<CommandEffect> effects = end(A, State.SUCCEEDED);
    assertThat(text(effects)).containsExactly("report A SUCCEEDED", "report B RUNNING", "run B");
    assertThat(effects.stream().map(effect -> effect.key().server())).containsExactly(0, 7, 7);
    assertThat(logic.isBusy(0)).isFalse();
    assertThat(logic.isUnfinished(0)).as("no receipt yet").isTrue();
    assertThat(logic.openCount(7)).isEqualTo(1);
  }

  @Test
  void knowsAfterARestartWhoGaveACommand() {
    logic.onCommand(7, command(A, "echo"), NOW);
    logic = fresh();

    assertThat(logic.servers()).containsExactly(7);
    assertThat(text(logic.onSession(0, NOW))).isEmpty();
    assertThat(text(logic.onSession(7, NOW))).containsExactly("report A UNKNOWN");
  }

  @Test
  void saysThatACommandExpiredWhenItsDeadlinePassesAndNotWhenItsTurnComes() {
    logic.onCommand(0, command(A, "echo"), NOW);
    logic.onCommand(0, command(B, "echo"), NOW);

    assertThat(logic.onTime(NOW + 60_000)).isEmpty();
    assertThat(text(logic.onTime(NOW + 60_001))).containsExactly("report B EXPIRED");
    assertThat(logic.onTime(NOW + 60_002)).as("once").isEmpty();
  }

  private CommandLogic fresh() {
    return new CommandLogic(
        "kitchen",
        journal,
        command ->
            command.getAction().equals("dance") ? "action: dance (expected echo or print)" : null,
        NOW);
  }

  private static CommandKey key(String id) {
    return new CommandKey(0, id);
  }

  private static CommandKey foreign(String id) {
    return new CommandKey(7, id);
  }

  private List<CommandEffect> end(String id, State state) {
    return logic.onEnded(key(id), state, "", Map.of(), 0, NOW);
  }

  private static Command command(String id, String action) {
    return Command.newBuilder()
        .setDeviceId("kitchen")
        .setCommandId(id)
        .setAction(action)
        .setDeadlineMillis(NOW + 60_000)
        .build();
  }

  private static List<String> text(List<CommandEffect> effects) {
    return effects.stream()
        .map(
            effect -> {
              if (effect instanceof CommandEffect.Report report) {
                return "report "
                    + report.update().getCommandId()
                    + " "
                    + report.update().getState();
              }
              return effect instanceof CommandEffect.Run run
                  ? "run " + run.command().getCommandId()
                  : "discard " + effect.key().commandId();
            })
        .toList();
  }
}
