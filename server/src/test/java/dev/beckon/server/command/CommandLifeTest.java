package dev.beckon.server.command;

import static dev.beckon.server.command.CommandState.CANCELLED;
import static dev.beckon.server.command.CommandState.DELIVERED;
import static dev.beckon.server.command.CommandState.EXPIRED;
import static dev.beckon.server.command.CommandState.FAILED;
import static dev.beckon.server.command.CommandState.QUEUED;
import static dev.beckon.server.command.CommandState.REJECTED;
import static dev.beckon.server.command.CommandState.RUNNING;
import static dev.beckon.server.command.CommandState.SUCCEEDED;
import static dev.beckon.server.command.CommandState.UNKNOWN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.beckon.server.command.CommandLife.CancelStep;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every state with every event. "-" means: nothing changes. */
final class CommandLifeTest {

  private static final Instant DEADLINE = Instant.parse("2026-05-04T03:02:01Z");

  /** What devices report, in the order of the columns below. */
  private static final List<CommandState> REPORTS =
      List.of(DELIVERED, RUNNING, SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED, UNKNOWN);

  private static final Map<CommandState, String> AFTER_REPORT =
      Map.of(
          QUEUED, "DELIVERED RUNNING SUCCEEDED FAILED REJECTED EXPIRED CANCELLED UNKNOWN",
          DELIVERED, "- RUNNING SUCCEEDED FAILED REJECTED EXPIRED CANCELLED UNKNOWN",
          RUNNING, "- - SUCCEEDED FAILED REJECTED EXPIRED CANCELLED UNKNOWN",
          SUCCEEDED, "- - - - - - - -",
          FAILED, "- - - - - - - -",
          REJECTED, "- - - - - - - -",
          EXPIRED, "- - - - - - - -",
          CANCELLED, "- - - - - - - -",
          UNKNOWN, "DELIVERED RUNNING SUCCEEDED FAILED REJECTED EXPIRED CANCELLED -");

  /**
   * Columns: deadline passed (no session had it | handed over), device silent, cancel (likewise).
   */
  private static final Map<CommandState, String> AFTER_OTHERS =
      Map.of(
          QUEUED, "EXPIRED - UNKNOWN CANCEL ASK_DEVICE",
          DELIVERED, "- - UNKNOWN ASK_DEVICE ASK_DEVICE",
          RUNNING, "- - UNKNOWN ASK_DEVICE ASK_DEVICE",
          SUCCEEDED, "- - - ALREADY_ENDED ALREADY_ENDED",
          FAILED, "- - - ALREADY_ENDED ALREADY_ENDED",
          REJECTED, "- - - ALREADY_ENDED ALREADY_ENDED",
          EXPIRED, "- - - ALREADY_ENDED ALREADY_ENDED",
          CANCELLED, "- - - ALREADY_ENDED ALREADY_ENDED",
          UNKNOWN, "- - - ALREADY_ENDED ALREADY_ENDED");

  @ParameterizedTest
  @EnumSource
  void followsTheTableOfReports(CommandState state) {
    List<String> after = new ArrayList<>();
    for (CommandState report : REPORTS) {
      after.add(CommandLife.onReport(state, report).map(CommandState::name).orElse("-"));
    }

    assertThat(String.join(" ", after)).isEqualTo(AFTER_REPORT.get(state));
  }

  @ParameterizedTest
  @EnumSource
  void followsTheTableOfTimeAndCancellation(CommandState state) {
    String after =
        String.join(
            " ",
            CommandLife.onDeadline(state, false).map(CommandState::name).orElse("-"),
            CommandLife.onDeadline(state, true).map(CommandState::name).orElse("-"),
            CommandLife.onSilence(state).map(CommandState::name).orElse("-"),
            CommandLife.onCancel(state, false).name(),
            CommandLife.onCancel(state, true).name());

    assertThat(after).isEqualTo(AFTER_OTHERS.get(state));
  }

  @ParameterizedTest
  @EnumSource
  void noDeviceReportsQueued(CommandState state) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CommandLife.onReport(state, QUEUED))
        .withMessage("state: QUEUED (expected a state that devices report)");
  }

  @ParameterizedTest
  @EnumSource
  void timeMattersExactlyUntilTheEnd(CommandState state) {
    Instant past = DEADLINE.plus(Duration.ofMinutes(5));
    boolean ended = state.ended();

    assertThat(CommandLife.dueAt(state, true, DEADLINE)).isEqualTo(ended ? null : past);
    assertThat(CommandLife.dueAt(state, false, DEADLINE))
        .isEqualTo(ended ? null : state == QUEUED ? DEADLINE : past);
  }

  @Test
  void whatCanStillChangeHasNotEnded() {
    assertThat(List.of(CommandState.values()))
        .filteredOn(state -> CommandLife.onCancel(state, true) != CancelStep.ALREADY_ENDED)
        .allMatch(state -> !state.ended())
        .containsExactly(QUEUED, DELIVERED, RUNNING);
  }
}
