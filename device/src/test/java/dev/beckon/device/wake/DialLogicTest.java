package dev.beckon.device.wake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When the device dials one server, in virtual time. */
class DialLogicTest {
  private static final long T0 = Long.MAX_VALUE - 1; // monotonic time wraps right away

  private double random = 0.5;
  private long now = T0;
  private final Dials dials = new Dials(() -> random, T0);

  @Test
  void dialsAtOnceForAWake() {
    assertThat(wake(9, 30_000, 0)).isFalse();

    assertThat(dials.onTime(now)).isEqualTo(dial(9));
    assertThat(dials.onTime(now)).as("once").isNull();
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
    List<Long> times = failUntilItGivesUp();

    assertThat(times).containsExactly(0L, 1_000L, 3_000L, 7_000L, 15_000L);
  }

  @Test
  void aNewWakeEndsThePauseAfterAFailure() {
    wake(9, 3_600_000, 0);
    for (int i = 0; i < 6; i++) {
      dialAndFail();
    }
    wake(10, 3_600_000, 0);

    assertThat(dials.onTime(now)).isEqualTo(dial(10));
  }

  @Test
  void limitsDiallingToABurstOfTenThenOnePerFiveSeconds() {
    List<Long> times = new ArrayList<>();
    for (int i = 1; i <= 14; i++) {
      wake(i, 600_000, 0);
      times.add(nextDialMillis());
      logic().onOpened(now);
      logic().onClosed(DialLogic.Ending.FINISHED, now);
    }

    assertThat(times.subList(0, 10)).as("a burst of ten").containsOnly(0L);
    assertThat(times.subList(10, 14))
        .as("delayed, not dropped")
        .containsExactly(5_000L, 10_000L, 15_000L, 20_000L);
  }

  @Test
  void refillsTheBurst() {
    for (int i = 1; i <= 10; i++) {
      wake(i, 600_000, 0);
      nextDialMillis();
      logic().onOpened(now);
      logic().onClosed(DialLogic.Ending.FINISHED, now);
    }
    now += Duration.ofSeconds(50).toNanos();
    for (int i = 11; i <= 20; i++) {
      wake(i, 600_000, 0);
      assertThat(nextDialMillis()).isEqualTo(50_000);
      logic().onOpened(now);
      logic().onClosed(DialLogic.Ending.FINISHED, now);
    }
  }

  @Test
  void anOpenSessionIsToldOfAWakeInsteadOfDialling() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic().onOpened(now);

    assertThat(wake(10, 30_000, 0)).isTrue();
    assertThat(dials.nextNanos()).isNull();
    logic().onClosed(DialLogic.Ending.FINISHED, now);
    assertThat(dials.nextNanos()).as("it was served there").isNull();
  }

  @Test
  void dialsAtOnceIfTheSessionClosedWithoutServingTheWake() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic().onOpened(now);
    wake(10, 30_000, 0);
    logic().onClosed(DialLogic.Ending.UNSERVED_WAKE, now);

    assertThat(dials.onTime(now)).isEqualTo(dial(10));
  }

  @Test
  void dialsForTheSameWakeAgainIfItsSessionBrokeBeforeServingIt() {
    wake(9, 20_000, 0);
    List<Long> times = new ArrayList<>();
    while (dials.nextNanos() != null) {
      times.add(nextDialMillis());
      logic().onOpened(now);
      logic().onClosed(DialLogic.Ending.UNSERVED_WAKE, now);
    }

    assertThat(times)
        .as("at once, then with pauses, until the deadline")
        .containsExactly(0L, 0L, 1_000L, 3_000L, 7_000L, 15_000L);
  }

  @Test
  void dialsAgainIfASessionBreaksWhileACommandRuns() {
    wake(9, 1_000, 0);
    nextDialMillis();
    logic().onOpened(now);
    now += Duration.ofMinutes(10).toNanos();
    logic().onClosed(DialLogic.Ending.UNFINISHED, now);

    assertThat(nextDialMillis()).isEqualTo(601_000);
    logic().onFailed(now);
    assertThat(nextDialMillis()).as("no deadline ends it").isEqualTo(603_000);
  }

  @Test
  void theDeadlineOfAServedWakeDoesNotEndTheDialsForWhatIsUnreported() {
    wake(9, 2_000, 0);
    nextDialMillis();
    logic().onOpened(now);
    wake(10, 2_000, 0); // served in the open session
    logic().onClosed(DialLogic.Ending.UNFINISHED, now);
    for (int i = 0; i < 5; i++) {
      dialAndFail();
    }

    assertThat(dials.nextNanos()).as("no deadline ends it").isNotNull();
  }

  @Test
  void whatIsUnreportedIsDialledForBeyondTheDeadlineOfAnUnservedWake() {
    wake(9, 2_000, 0);
    nextDialMillis();
    logic().onOpened(now);
    logic().onClosed(DialLogic.Ending.UNSERVED_WAKE, now);
    logic().onUnreported(now);

    assertThat(nextDialMillis()).as("for the wake at once").isEqualTo(0);
    for (int i = 0; i < 5; i++) {
      logic().onFailed(now);
      nextDialMillis();
    }
  }

  @Test
  void dialsForNothingButWakesOnceItIsRefused() {
    wake(9, 30_000, 0);
    nextDialMillis();
    logic().onRefused();

    assertThat(dials.nextNanos()).isNull();
    logic().onDialIn(now);
    logic().onUnreported(now);
    assertThat(dials.nextNanos()).isNull();
    wake(10, 30_000, 0);
    assertThat(dials.onTime(now)).isEqualTo(dial(10));
    logic().onOpened(now);
    logic().onClosed(DialLogic.Ending.FINISHED, now);
    logic().onDialIn(now);
    assertThat(dials.nextNanos()).as("the server has it again").isNotNull();
  }

  @Test
  void givesADialInUpAfterAFewMinutes() {
    logic().onDialIn(now);

    assertThat(failUntilItGivesUp()).hasSize(9).last().isEqualTo(255_000L);
  }

  @Test
  void aLongGoodSessionEndsThePausesAfterFailures() {
    wake(9, 3_600_000, 0);
    for (int i = 0; i < 6; i++) {
      dialAndFail();
    }
    nextDialMillis();
    logic().onOpened(now);
    now += Duration.ofMinutes(1).toNanos();
    long broken = now;
    logic().onClosed(DialLogic.Ending.UNFINISHED, now);

    assertThat(dials.nextNanos()).isEqualTo(broken + Duration.ofSeconds(1).toNanos());
  }

  @Test
  void aServerThatHangsUpAtOnceIsDialledWithPauses() {
    wake(9, 3_600_000, 0);
    List<Long> at = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      at.add(nextDialMillis());
      logic().onOpened(now);
      now += Duration.ofSeconds(1).toNanos();
      logic().onClosed(DialLogic.Ending.UNFINISHED, now);
    }

    assertThat(at).containsExactly(0L, 2_000L, 5_000L, 10_000L);
  }

  private DialLogic logic() {
    return dials.of(0);
  }

  private static Dials.Dial dial(long wakeId) {
    return new Dials.Dial(0, wakeId, false, 0);
  }

  private boolean wake(long id, long millisLeft, long delayMillis) {
    return logic().onWake(id, now + millisLeft * 1_000_000, delayMillis, now);
  }

  private List<Long> failUntilItGivesUp() {
    List<Long> times = new ArrayList<>();
    while (dials.nextNanos() != null) {
      times.add(nextDialMillis());
      logic().onFailed(now);
    }
    return times;
  }

  private void dialAndFail() {
    nextDialMillis();
    logic().onFailed(now);
  }

  private long nextDialMillis() {
    while (true) {
      Long next = dials.nextNanos();
      assertThat(next).as("a dial is planned").isNotNull();
      now = next != null && next - now > 0 ? next : now;
      if (dials.onTime(now) != null) {
        return (now - T0) / 1_000_000;
      }
    }
  }
}
