package dev.beckon.server.peer;

import java.util.concurrent.TimeUnit;

/**
 * Finds out that the other side is gone without a word: what is silent is asked, and what does not
 * answer is dead. Not thread-safe.
 */
final class Pulse {

  /** What is to be done now. */
  enum Beat {
    NOTHING,
    PING,
    DEAD
  }

  /** Silence after which the other side is asked for a sign of life. */
  static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(4);

  /** Silence after which it is dead: the question and half as much again for the answer. */
  static final long DEAD_NANOS = TimeUnit.SECONDS.toNanos(10);

  private long heardNanos;
  private boolean asked;

  Pulse(long nowNanos) {
    heardNanos = nowNanos;
  }

  void heard(long nowNanos) {
    heardNanos = nowNanos;
    asked = false;
  }

  long deadlineNanos() {
    return heardNanos + (asked ? DEAD_NANOS : QUIET_NANOS);
  }

  Beat onTime(long nowNanos) {
    if (heardNanos + DEAD_NANOS - nowNanos <= 0) {
      return Beat.DEAD;
    }
    if (!asked && heardNanos + QUIET_NANOS - nowNanos <= 0) {
      asked = true;
      return Beat.PING;
    }
    return Beat.NOTHING;
  }
}
