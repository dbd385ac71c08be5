package dev.beckon.device.wake;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import org.junit.jupiter.api.Test;

class WakeLogicTest {
  private static final DeviceId ID = new DeviceId("kitchen");
  private static final long WALL = 1_800_000_000_000L;
  private static final long FRESH = 5;

  private final WakeLogic logic = new WakeLogic(ID, sequence -> sequence == FRESH);

  @Test
  void acceptsAWakeOnceAndAnswersItEachTime() {
    assertThat(judge(wake("kitchen", 3, 1, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
    assertThat(judge(wake("kitchen", 3, 1, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.REPEATED);
    assertThat(judge(wake("kitchen", 3, 2, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
    assertThat(WakeVerdict.REPEATED.isAnswered()).isTrue();
  }

  @Test
  void dialsAgainForAKnownWakeWithALaterDeadline() {
    judge(wake("kitchen", 3, 1, 1_000, 0, FRESH));

    assertThat(judge(wake("kitchen", 3, 1, 2_000, 0, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
    assertThat(judge(wake("kitchen", 3, 1, 2_000, 0, FRESH))).isEqualTo(WakeVerdict.REPEATED);
  }

  @Test
  void ignoresAWakeForAnotherDevice() {
    assertThat(judge(wake("cellar", 3, 1, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.WRONG_DEVICE);
    assertThat(WakeVerdict.WRONG_DEVICE.isAnswered()).isFalse();
  }

  @Test
  void ignoresAWakeForAnotherGeneration() {
    assertThat(judge(wake("kitchen", 2, 1, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.WRONG_DEVICE);
  }

  @Test
  void ignoresAWakePastItsDeadline() {
    assertThat(judge(wake("kitchen", 3, 1, -1, 0, FRESH))).isEqualTo(WakeVerdict.LATE);
    assertThat(judge(wake("kitchen", 3, 1, 0, 0, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
  }

  @Test
  void ignoresAWakeThatEchoesNothingFresh() {
    assertThat(judge(wake("kitchen", 3, 1, 1_000, 0, FRESH - 1))).isEqualTo(WakeVerdict.STALE);
    assertThat(judge(wake("kitchen", 3, 1, 1_000, 0, FRESH)))
        .as("what was ignored was not seen")
        .isEqualTo(WakeVerdict.ACCEPTED);
  }

  @Test
  void acceptsAWakeToAnyServerSoThatItsScheduleStops() {
    assertThat(judge(wake("kitchen", 3, 1, 1_000, 7, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
    assertThat(judge(wake("kitchen", 3, 2, 1_000, 65_535, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
  }

  @Test
  void actsOnAWakeThatAServerTellsOfUnlessItCameByItself() {
    judge(wake("kitchen", 3, 1, 1_000, 7, FRESH));

    assertThat(logic.onWaiting(1, WALL + 1_000, WALL)).as("it came").isFalse();
    assertThat(logic.onWaiting(1, WALL + 2_000, WALL)).as("another command waits").isTrue();
    assertThat(logic.onWaiting(2, WALL - 1, WALL)).as("too late").isFalse();
    assertThat(logic.onWaiting(3, WALL + 1_000, WALL)).isTrue();
    assertThat(judge(wake("kitchen", 3, 3, 1_000, 7, FRESH))).isEqualTo(WakeVerdict.REPEATED);
  }

  @Test
  void remembersABoundedNumberOfWakes() {
    for (long id = 0; id < 10_000; id++) {
      assertThat(judge(wake("kitchen", 3, id, 1_000, 0, FRESH))).isEqualTo(WakeVerdict.ACCEPTED);
    }
    assertThat(judge(wake("kitchen", 3, 9_999, 1_000, 0, FRESH)))
        .as("the newest are remembered")
        .isEqualTo(WakeVerdict.REPEATED);
  }

  private WakeVerdict judge(Wake wake) {
    return logic.onWake(wake, 3, WALL);
  }

  private static Wake wake(
      String device, int generation, long id, long millisLeft, int server, long echo) {
    return new Wake(
        new byte[12], new DeviceId(device), 1, generation, id, WALL + millisLeft, server, 0, echo);
  }
}
