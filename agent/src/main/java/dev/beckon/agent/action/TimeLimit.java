package dev.beckon.agent.action;

import dev.beckon.agent.config.DurationText;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A time limit that has begun. */
final class TimeLimit {
  private final Duration limit;
  private final long endNanos;

  private TimeLimit(Duration limit) {
    this.limit = limit;
    this.endNanos = System.nanoTime() + limit.toNanos();
  }

  static TimeLimit start(Duration limit) {
    return new TimeLimit(limit);
  }

  /** At least 1. */
  int leftMillis() {
    long millis = TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime());
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, millis));
  }

  boolean isOver() {
    return endNanos - System.nanoTime() <= 0;
  }

  /** That it is over. */
  String reason(String expectation) {
    return "time limit: " + DurationText.format(limit) + " passed (expected " + expectation + ")";
  }
}
