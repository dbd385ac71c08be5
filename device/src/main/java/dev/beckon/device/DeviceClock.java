package dev.beckon.device;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The device's time: that of the server's last authentic answer, plus monotonic time since.
 *
 * <p>A board without a clock of its own works so, and one that is set wrong is not fooled by it.
 * Before the first answer the board's clock counts, but never before the time of enrollment.
 *
 * <p>Thread-safe.
 */
final class DeviceClock {
  private record Base(long serverMillis, long nanos) {}

  private final LongSupplier nanoTime;
  private final InstantSource board;
  private volatile Base base;
  private volatile boolean set;

  /**
   * @param nanoTime monotonic
   * @param notBeforeMillis a time that is certainly past, unix time
   */
  DeviceClock(LongSupplier nanoTime, InstantSource board, long notBeforeMillis) {
    this.nanoTime = nanoTime;
    this.board = board;
    this.base = new Base(Math.max(board.millis(), notBeforeMillis), nanoTime.getAsLong());
  }

  long nanos() {
    return nanoTime.getAsLong();
  }

  /** The time, unix time. */
  long millis() {
    Base now = base;
    return now.serverMillis() + (nanoTime.getAsLong() - now.nanos()) / 1_000_000;
  }

  Instant instant() {
    return Instant.ofEpochMilli(millis());
  }

  /** The board's own clock; only its jumps are of interest. */
  long boardMillis() {
    return board.millis();
  }

  /** The server just said what time it is. */
  void set(long serverMillis) {
    base = new Base(serverMillis, nanoTime.getAsLong());
    set = true;
  }

  /** Whether the server has ever said. */
  boolean isSet() {
    return set;
  }
}
