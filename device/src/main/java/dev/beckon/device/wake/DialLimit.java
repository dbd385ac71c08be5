package dev.beckon.device.wake;

import java.time.Duration;

/**
 * The limit of dialling: a burst of 10, then one per 5 s, whichever servers are dialled.
 *
 * <p>Not thread-safe.
 */
final class DialLimit {
  static final int BURST = 10;
  static final long REFILL_NANOS = Duration.ofSeconds(5).toNanos();

  private long fullNanos; // the burst is whole again at this time

  DialLimit(long nowNanos) {
    this.fullNanos = nowNanos;
  }

  /** When the next dial is allowed; perhaps in the past. */
  long freeNanos() {
    return fullNanos - (BURST - 1) * REFILL_NANOS;
  }

  /** Takes a dial out of the limit, if one is allowed now. */
  boolean take(long nowNanos) {
    if (freeNanos() - nowNanos > 0) {
      return false;
    }
    fullNanos = (fullNanos - nowNanos > 0 ? fullNanos : nowNanos) + REFILL_NANOS;
    return true;
  }
}
