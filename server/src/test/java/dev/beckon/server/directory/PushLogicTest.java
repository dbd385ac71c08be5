package dev.beckon.server.directory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class PushLogicTest {

  /** Just before the elapsed clock wraps. */
  private static final long START = Long.MAX_VALUE - Duration.ofMillis(500).toNanos();

  private static final long SECOND = 1_000_000_000;

  private final PushLogic logic = new PushLogic(START);

  private static DeviceId device(int number) {
    return new DeviceId("device-" + number);
  }

  private int wakeAll(long now) {
    int count = logic.mayWake(now);
    for (int i = 0; i < count; i++) {
      logic.woken(device(logic.outstanding()), now);
    }
    return count;
  }

  @Test
  void wakesABurstAndThenAtItsPace() {
    logic.begin(1_000);

    assertThat(wakeAll(START)).isEqualTo(PushLogic.BURST);
    assertThat(wakeAll(START)).isZero();
    assertThat(wakeAll(START + SECOND / 10)).isEqualTo(PushLogic.WAKES_PER_SECOND / 10);
  }

  @Test
  void wakesFewerForALongList() {
    logic.begin(PushLogic.BYTES_PER_SECOND / 10);
    wakeAll(START);

    assertThat(logic.mayWake(START + SECOND)).isEqualTo(10);
    logic.begin(Integer.MAX_VALUE);
    assertThat(logic.mayWake(START + 2 * SECOND)).as("but never none").isEqualTo(11);
  }

  @Test
  void waitsForDevicesOnceTooManyWereWoken() {
    logic.begin(1_000);
    long now = START;
    while (logic.outstanding() < PushLogic.MAX_OUTSTANDING) {
      wakeAll(now);
      now += SECOND / 10;
    }
    assertThat(logic.mayWake(now)).isZero();

    logic.ended(device(3));
    assertThat(logic.mayWake(now + SECOND)).as("one came").isEqualTo(1);
    assertThat(logic.mayWake(START + PushLogic.DEADLINE_NANOS))
        .as("the first ones never came")
        .isEqualTo(PushLogic.BURST);
  }
}
