package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IntervalTest {
  @ParameterizedTest
  @CsvSource({
    "1, PT1S",
    "25, PT25S",
    "120, PT2M",
    "121, PT1M",
    "122, PT2M",
    "180, PT1H",
    "255, PT2H15M"
  })
  void countsSecondsUpTo120AndMinutesAbove(int code, Duration duration) {
    assertThat(new Interval(code).toDuration()).isEqualTo(duration);
    assertThat(new Interval(code).seconds()).isEqualTo((int) duration.toSeconds());
  }

  @ParameterizedTest
  @CsvSource({
    "PT0.5S, 1",
    "PT1.499S, 1",
    "PT25S, 25",
    "PT2M, 120",
    "PT2M0.499S, 120",
    "PT2M0.5S, 122", // 121 s is nearest to two minutes
    "PT2M29S, 122",
    "PT2M30S, 123",
    "PT2H15M, 255"
  })
  void takesTheNearestCode(Duration duration, int code) {
    assertThat(Interval.of(duration).code()).isEqualTo(code);
  }

  @Test
  void comesBackFromEveryDurationThatItStandsFor() {
    for (int code = 1; code <= 255; code++) {
      Duration duration = new Interval(code).toDuration();

      assertThat(Interval.of(duration).toDuration()).isEqualTo(duration);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT0.499S", "PT-25S", "PT2H15M0.001S", "P366000000D"})
  void refusesADurationThatHasNoCode(Duration duration) {
    assertThatThrownBy(() -> Interval.of(duration))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("interval: " + duration + " (expected half a second to 135 minutes)");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 256})
  void refusesACodeOutOfRange(int code) {
    assertThatThrownBy(() -> new Interval(code))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("interval code: " + code + " (expected 1 to 255)");
  }
}
