package dev.beckon.protocol.datagram;

import java.time.Duration;

/**
 * The keepalive interval that a device announces, in one byte: 1 to 120 mean seconds, n above 120
 * means n − 120 minutes (so 121 is one minute and 255 is 2 h 15 min).
 *
 * @param code 1 to 255
 */
public record Interval(int code) {
  private static final int MAX_SECONDS = 120;
  private static final int MAX_CODE = 255;
  private static final Duration SHORTEST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofMinutes(MAX_CODE - MAX_SECONDS);

  public Interval {
    if (code < 1 || code > MAX_CODE) {
      throw new IllegalArgumentException("interval code: " + code + " (expected 1 to 255)");
    }
  }

  /**
   * The interval nearest to {@code duration}: whole seconds up to 120 s, whole minutes above.
   *
   * @throws IllegalArgumentException if it is below half a second or above 135 minutes
   */
  public static Interval of(Duration duration) {
    if (duration.compareTo(SHORTEST) < 0 || duration.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "interval: " + duration + " (expected half a second to 135 minutes)");
    }
    long millis = duration.toMillis();
    long seconds = (millis + 500) / 1000;
    if (seconds <= MAX_SECONDS) {
      return new Interval((int) seconds);
    }
    long minutes = (millis + 30_000) / 60_000;
    return new Interval((int) (MAX_SECONDS + minutes));
  }

  public int seconds() {
    return code <= MAX_SECONDS ? code : (code - MAX_SECONDS) * 60;
  }

  public Duration toDuration() {
    return Duration.ofSeconds(seconds());
  }
}
