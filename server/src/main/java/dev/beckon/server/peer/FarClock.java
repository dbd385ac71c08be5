package dev.beckon.server.peer;

import java.time.Instant;

/**
 * Another server's times, told by this server's clock. What it says arrives a little later than it
 * was said, never earlier: the least difference seen is the closest to that of the clocks. Not
 * thread-safe.
 */
final class FarClock {
  private long differenceMillis = Long.MAX_VALUE;

  /** A new connection: the clocks may have been set since. */
  void restart() {
    differenceMillis = Long.MAX_VALUE;
  }

  /**
   * When that was, by this server's clock: not after now.
   *
   * @param thereMillis unix time, by the other's clock, at which something was said to have
   *     happened
   * @param nowMillis unix time here
   */
  Instant here(long thereMillis, long nowMillis) {
    differenceMillis = Math.min(differenceMillis, nowMillis - thereMillis);
    return Instant.ofEpochMilli(thereMillis + differenceMillis);
  }
}
