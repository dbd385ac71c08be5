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
    List<CommandEffect> effects = logic.onCommand(command(A, "echo"), NOW);

    assertThat(journal.log).containsExactly("A RUNNING");
    assertThat(text(effects)).containsExactly("report A DELIVERED", "report A RUNNING", "run A");
    logic.onCommand(command(B, "echo"), NOW);
    assertThat(journal.log).as("one that waits").containsExactly("A RUNNING", "B DELIVERED");
  }

  @Test
  void runsOneCommandAtATimePerActionAndActionsSideBySide() {
    logic.onCommand(command(A, "echo"), NOW);
    assertThat(text(logic.onCommand(command(B, "echo"), NOW)))
        .containsExactly("report B DELIVERED");
    assertThat(text(logic.onCommand(command(C, "print"), NOW))).contains("run C");

    assertThat(text(end(A, State.SUCCEEDED)))
        .containsExactly("report A SUCCEEDED", "report B RUNNING", "run B");
  }

  @Test
  void runsACommandOnceHoweverOftenItIsHandedOver() {
    logic.onCommand(command(A, "echo"), NOW);
    assertThat(text(logic.onCommand(command(A, "echo"), NOW))).containsExactly("report A RUNNING");
    end(A, State.SUCCEEDED);
    assertThat(text(logic.onCommand(command(A, "echo"), NOW)))
        .containsExactly("report A SUCCEEDED");
  }

  @Test
  void repeatsAnEndInEverySessionUntilItsReceipt() {
    logic.onCommand(command(A, "echo"), NOW);
    end(A, State.SUCCEEDED);

    assertThat(text(logic.onSession(NOW))).containsExactly("report A SUCCEEDED");
    assertThat(text(logic.onSession(NOW))).containsExactly("report A SUCCEEDED");
    assertThat(logic.isUnfinished()).isTrue();
    assertThat(text(logic.onReceipt(A))).containsExactly("discard A");
    assertThat(text(logic.onSession(NOW))).isEmpty();
    assertThat(journal.entries).isEmpty();
    assertThat(logic.isUnfinished()).isFalse();
  }

  @Test
  void repeatsAnEndAfterARestartWithItsResult() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onEnded(A, State.SUCCEEDED, "", Map.of("text", "hello"), 12, NOW);
    logic = fresh();

    Update update = ((CommandEffect.Report) logic.onSession(NOW).get(0)).update();
    assertThat(update.getState()).isEqualTo(State.SUCCEEDED);
    assertThat(update.getResultMap()).containsEntry("text", "hello");
    assertThat(update.getBodyBytes()).isEqualTo(12);
    assertThat(text(logic.onCommand(command(A, "echo"), NOW))).doesNotContain("run A");
  }

  @Test
  void saysUnknownOfWhatRanWhenThePowerFailed() {
    logic.onCommand(command(A, "echo"), NOW);
    logic = fresh();

    assertThat(text(logic.onSession(NOW))).containsExactly("report A UNKNOWN");
    assertThat(text(logic.onCommand(command(A, "echo"), NOW))).containsExactly("report A UNKNOWN");
  }

  @Test
  void runsWhatWasDeliveredButNotStartedWhenThePowerFailed() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onCommand(command(B, "echo"), NOW);
    logic = fresh();

    assertThat(logic.isKnown(B)).isFalse();
    assertThat(text(logic.onCommand(command(B, "echo"), NOW))).contains("run B");
  }

  @Test
  void rejectsWhenTheJournalCannotBeWritten() {
    journal.broken = true;

    assertThat(text(logic.onCommand(command(A, "echo"), NOW))).containsExactly("report A REJECTED");
    journal.broken = false;
    assertThat(text(logic.onCommand(command(A, "echo"), NOW)))
        .as("what was told is not taken back")
        .containsExactly("report A REJECTED");
  }

  @Test
  void doesNotStartWhatItCannotWriteDownAsStarted() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onCommand(command(B, "echo"), NOW);
    journal.broken = true;

    assertThat(text(end(A, State.SUCCEEDED)))
        .containsExactly("report A SUCCEEDED", "report B REJECTED");
  }

  @Test
  void refusesACommandForAnotherDevice() {
    Command command = command(A, "echo").toBuilder().setDeviceId("cellar").build();

    assertThat(text(logic.onCommand(command, NOW))).containsExactly("report A REJECTED");
    assertThat(logic.isEmpty()).isTrue();
  }

  @Test
  void refusesWhatTheDeviceCannotDo() {
    assertThat(text(logic.onCommand(command(A, "dance"), NOW)))
        .containsExactly("report A REJECTED");
    assertThat(journal.log).isEmpty();
  }

  @Test
  void doesNotStartACommandPastItsDeadline() {
    Command late = command(A, "echo").toBuilder().setDeadlineMillis(NOW - 1).build();
    assertThat(text(logic.onCommand(late, NOW))).containsExactly("report A EXPIRED");

    logic.onCommand(command(B, "echo"), NOW);
    logic.onCommand(command(C, "echo"), NOW);
    assertThat(text(logic.onEnded(B, State.SUCCEEDED, "", Map.of(), 0, NOW + 60_001)))
        .as("it waited behind another for too long")
        .containsExactly("report B SUCCEEDED", "report C EXPIRED");
  }

  @Test
  void expiresWhatWasDeliveredBeforeARestartAndNeverCameAgain() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onCommand(command(B, "echo"), NOW);
    logic = fresh();

    assertThat(text(logic.onSession(NOW + 60_001)))
        .containsExactly("report A UNKNOWN", "report B EXPIRED");
  }

  @Test
  void cancellingWinsBeforeTheStartOnly() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onCommand(command(B, "echo"), NOW);

    assertThat(text(logic.onCancellation(A, NOW))).containsExactly("report A RUNNING");
    assertThat(text(logic.onCancellation(B, NOW))).containsExactly("report B CANCELLED");
    assertThat(text(end(A, State.SUCCEEDED))).containsExactly("report A SUCCEEDED");
  }

  @Test
  void remembersACancellationThatOvertakesItsCommand() {
    assertThat(text(logic.onCancellation(A, NOW))).containsExactly("report A CANCELLED");
    logic = fresh();

    assertThat(text(logic.onCommand(command(A, "echo"), NOW)))
        .containsExactly("report A CANCELLED");
  }

  @Test
  void failsACommandWhoseResultIsTooLongForAFrame() {
    logic.onCommand(command(A, "echo"), NOW);
    List<CommandEffect> effects =
        logic.onEnded(A, State.SUCCEEDED, "", Map.of("x", "y".repeat(70_000)), 0, NOW);

    assertThat(text(effects)).containsExactly("report A FAILED");
    assertThat(((CommandEffect.Report) effects.get(0)).update().getSerializedSize())
        .isLessThan(60_000);
  }

  @Test
  void reportsProgressOfARunningCommandOnly() {
    logic.onCommand(command(A, "echo"), NOW);
    logic.onCommand(command(B, "echo"), NOW);

    assertThat(text(logic.onProgress(A, 50, "half", NOW))).containsExactly("report A RUNNING");
    assertThat(logic.onProgress(B, 50, "half", NOW)).isEmpty();
    end(A, State.SUCCEEDED);
    assertThat(logic.onProgress(A, 99, "late", NOW)).isEmpty();
  }

  private CommandLogic fresh() {
    return new CommandLogic(
        "kitchen",
        journal,
        command ->
            command.getAction().equals("dance") ? "action: dance (expected echo or print)" : null,
        NOW);
  }

  private List<CommandEffect> end(String id, State state) {
    return logic.onEnded(id, state, "", Map.of(), 0, NOW);
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
                  : "discard " + ((CommandEffect.Discard) effect).commandId();
            })
        .toList();
  }
}
