package dev.beckon.server.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class FarClockTest {

  private final FarClock clock = new FarClock();

  @Test
  void tellsTimesByThisServersClockWhateverTheOthersIs() {
    assertThat(clock.here(500_000, 1_000_010)).isEqualTo(Instant.ofEpochMilli(1_000_010));
    assertThat(clock.here(500_020, 1_000_022)).isEqualTo(Instant.ofEpochMilli(1_000_022));
    // That one was quick. This one took 40 ms.
    assertThat(clock.here(500_030, 1_000_070)).isEqualTo(Instant.ofEpochMilli(1_000_032));
  }

  @Test
  void beginsAnewWithEachConnection() {
    clock.here(500_000, 1_000_000);
    clock.restart();

    assertThat(clock.here(400_000, 1_000_100)).isEqualTo(Instant.ofEpochMilli(1_000_100));
  }
}
