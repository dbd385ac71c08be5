package dev.beckon.device.wake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When the device dials, in virtual time. */
class DialLogicTest {
  private static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away

  private double random = 0.5;
  private long now = T0;
  private final DialLogic logic = new DialLogic(() -> random, T0);

  @Test
  void dialsAtOnceForAWake() {
    assertThat(wake(9, 30_000, 0)).isFalse();

    assertThat(logic.onTime(now)).isEqualTo(new DialLogic.Dial(9));
    assertThat(logic.onTime(now)).as("once").isNull();
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0.0  | 0    | may be at once
          0.25 | 2500 | spreads a group evenly
          0.99 | 9900 | never after the whole delay
          """)
  void dialsAfterARandomPartOfTheDialBackDelay(double draw, long expectedMillis, String reason) {
    random = draw;
    wake(9, 30_000, 10_000);

    assertThat(nextDialMillis()).as(reason).isEqualTo(expectedMillis);
  }

  @Test
  void triesAFailedDialAgainUntilTheDeadline() {
    wake(9, 20_000, 0);
    List<Long> dials = failUntilItGivesUp();

    assertThat(dials).containsExactly(0L, 1_000L, 3_000L, 7_000L, 15_000L);
  }

  @Test
  void aNewWakeEndsThePauseAfterAFailure() {
    wake(9, 3_600_000, 0);
    for (int i = 0; i < 6; i++) {
      dialAndFail();
    }
    wake(10, 3_600_000, 0);

    assertThat(logic.onTime(now)).isEqualTo(new DialLogic.Dial(10));
  }

  @Test
  void limitsDiallingToABurstOfTenThenOnePerFiveSeconds() {
    List<Long> dials = new ArrayList<>();
    for (int i = 1; i <= 14; i++) {
      wake(i, 600_000, 0);
      dials.add(nextDialMillis());
      logic.onOpened();
      logic.onClosed(DialLogic.Ending.FINISHED, now);
    }

    assertThat(dials.subList(0, 10)).as("a burst of ten").containsOnly(0L);
    assertThat(dials.subList(10, 14))
        .as("delayed, not dropped")
        .containsExactly(5_000L, 10_000L, 15_000L, 20_000L);
  }

  @Test
  void refillsTheBurst() {
    for (int i = 1; i <= 10; i++) {
      wake(i, 600_000, 0);
      nextDialMillis();
      logic.onOpened();
      logic.onClosed(DialLogic.Ending.FINISHED, now);
    }
    now += Duration.ofSeconds(50).toNanos();
    for (int i = 11; i <= 20; i++) {
      wake(i, 600_000, 0);
      assertThat(nextDialMillis()).isEqualTo(50_000);
      logic.onOpened();
      logic.onClosed(DialLogic.Ending.FINISHED, now);
    }
  }

  @Test
  void anOpenSessionIsToldOfAWakeInsteadOfDialling() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic.onOpened();

    assertThat(wake(10, 30_000, 0)).isTrue();
    assertThat(logic.nextNanos()).isNull();
    logic.onClosed(DialLogic.Ending.FINISHED, now);
    assertThat(logic.nextNanos()).as("it was served there").isNull();
  }

  @Test
  void dialsAtOnceIfTheSessionClosedWithoutServingTheWake() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic.onOpened();
    wake(10, 30_000, 0);
    logic.onClosed(DialLogic.Ending.UNSERVED_WAKE, now);

    assertThat(logic.onTime(now)).isEqualTo(new DialLogic.Dial(10));
  }

  @Test
  void dialsForTheSameWakeAgainIfItsSessionBrokeBeforeServingIt() {
    wake(9, 20_000, 0);
    List<Long> dials = new ArrayList<>();
    while (logic.nextNanos() != null) {
      dials.add(nextDialMillis());
      logic.onOpened();
      logic.onClosed(DialLogic.Ending.UNSERVED_WAKE, now);
    }

    assertThat(dials)
        .as("at once, then with pauses, until the deadline")
        .containsExactly(0L, 0L, 1_000L, 3_000L, 7_000L, 15_000L);
  }

  @Test
  void dialsAgainIfASessionBreaksWhileACommandRuns() {
    wake(9, 1_000, 0);
    nextDialMillis();
    logic.onOpened();
    now += Duration.ofMinutes(10).toNanos();
    logic.onClosed(DialLogic.Ending.UNFINISHED, now);

    assertThat(nextDialMillis()).isEqualTo(601_000);
    logic.onFailed(now);
    assertThat(nextDialMillis()).as("no deadline ends it").isEqualTo(603_000);
  }

  @Test
  void theDeadlineOfAServedWakeDoesNotEndTheDialsForWhatIsUnreported() {
    wake(9, 2_000, 0);
    nextDialMillis();
    logic.onOpened();
    wake(10, 2_000, 0); // served in the open session
    logic.onClosed(DialLogic.Ending.UNFINISHED, now);
    for (int i = 0; i < 5; i++) {
      dialAndFail();
    }

    assertThat(logic.nextNanos()).as("no deadline ends it").isNotNull();
  }

  @Test
  void whatIsUnreportedIsDialledForBeyondTheDeadlineOfAnUnservedWake() {
    wake(9, 2_000, 0);
    nextDialMillis();
    logic.onOpened();
    logic.onClosed(DialLogic.Ending.UNSERVED_WAKE, now);
    logic.onUnreported(now);

    assertThat(nextDialMillis()).as("for the wake at once").isEqualTo(0);
    for (int i = 0; i < 5; i++) {
      logic.onFailed(now);
      nextDialMillis();
    }
  }

  @Test
  void dialsForNothingButWakesOnceItIsRefused() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic.onRefused();

    assertThat(logic.nextNanos()).isNull();
    logic.onDialIn(now);
    logic.onUnreported(now);
    assertThat(logic.nextNanos()).isNull();
    wake(10, 30_000, 0);
    assertThat(logic.onTime(now)).isEqualTo(new DialLogic.Dial(10));
    logic.onOpened();
    logic.onClosed(DialLogic.Ending.FINISHED, now);
    logic.onDialIn(now);
    assertThat(logic.nextNanos()).as("the server has it again").isNotNull();
  }

  @Test
  void givesADialInUpAfterAFewMinutes() {
    logic.onDialIn(now);

    assertThat(failUntilItGivesUp()).hasSize(9).last().isEqualTo(255_000L);
  }

  private boolean wake(long id, long millisLeft, long delayMillis) {
    return logic.onWake(id, now + millisLeft * 1_000_000, delayMillis, now);
  }

  private List<Long> failUntilItGivesUp() {
    List<Long> dials = new ArrayList<>();
    while (logic.nextNanos() != null) {
      dials.add(nextDialMillis());
      logic.onFailed(now);
    }
    return dials;
  }

  private void dialAndFail() {
    nextDialMillis();
    logic.onFailed(now);
  }

  private long nextDialMillis() {
    while (true) {
      Long next = logic.nextNanos();
      assertThat(next).as("a dial is planned").isNotNull();
      now = next != null && next - now > 0 ? next : now;
      if (logic.onTime(now) != null) {
        return (now - T0) / 1_000_000;
      }
    }
  }
}
