package dev.beckon.device.keepalive;

import dev.beckon.protocol.datagram.Interval;
import java.time.Duration;

/**
 * How often a device sends keepalives, and which of them want an answer.
 *
 * @param interval between two keepalives, before jitter; 1 s to 135 min, announced to the server in
 *     whole seconds (above 120 s: in whole minutes)
 * @param oneWay whether three of four keepalives are one-way ones. With false, the default, every
 *     keepalive is answered
 */
public record KeepaliveTiming(Duration interval, boolean oneWay) {
  /**
   * Below the 30 s after which Linux (and much of what is built on it) forgets a mapping that no
   * answer came through; an RFC 4787 NAT keeps it for 120 s at least.
   */
  public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(25);

  /** RFC 8085, section 3.5: keepalives not more often than every 15 s. */
  public static final Duration MIN_INTERVAL = Duration.ofSeconds(15);

  /** The longest interval that a keepalive can announce. */
  public static final Duration MAX_INTERVAL = Duration.ofMinutes(135);

  public static final KeepaliveTiming DEFAULT = new KeepaliveTiming(DEFAULT_INTERVAL, false);

  public KeepaliveTiming {
    if (interval.compareTo(Duration.ofSeconds(1)) < 0 || interval.compareTo(MAX_INTERVAL) > 0) {
      throw new IllegalArgumentException("interval: " + interval + " (expected 1 s to 135 min)");
    }
  }

  Interval announced() {
    return Interval.of(interval);
  }
}
