package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

@NullMarked
final class PaceCursorTest {
  private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);

  @Test
  void devicesAreSpreadEvenlyAndComeAgainAnIntervalLater() {
    PaceCursor cursor = new PaceCursor(3, MINUTE_NANOS, 100);
    for (int turn = 0; turn < 9; turn++) {
      assertThat(cursor.turn()).isEqualTo(turn);
      assertThat(cursor.device()).isEqualTo(turn % 3);
      assertThat(cursor.round()).isEqualTo(turn / 3);
      assertThat(cursor.dueNanos()).isEqualTo(100 + turn * MINUTE_NANOS / 3);
      cursor.next();
    }
  }

  @Test
  void aTurnIsDueFromItsTimeOnAlsoWhenTheClockWraps() {
    PaceCursor cursor = new PaceCursor(10, MINUTE_NANOS, Long.MAX_VALUE - 5);
    assertThat(cursor.isDue(Long.MAX_VALUE - 6)).isFalse();
    assertThat(cursor.isDue(Long.MAX_VALUE - 5)).isTrue();
    cursor.next();
    assertThat(cursor.isDue(Long.MAX_VALUE)).isFalse();
    assertThat(cursor.isDue(Long.MIN_VALUE + MINUTE_NANOS / 10)).isTrue();
  }

  @Test
  void tenMillionDevicesStayInStepForADay() {
    PaceCursor cursor = new PaceCursor(Fleet.MAX_DEVICES, MINUTE_NANOS, 0);
    long dueBefore = cursor.dueNanos();
    for (int i = 0; i < 1_000; i++) {
      cursor.next();
      assertThat(cursor.dueNanos() - dueBefore).isBetween(5_999L, 6_001L);
      dueBefore = cursor.dueNanos();
    }
  }
}
