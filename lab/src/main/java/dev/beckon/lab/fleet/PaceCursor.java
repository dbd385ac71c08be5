package dev.beckon.lab.fleet;

/**
 * A place in a fleet's schedule. The devices are spread evenly over the interval, and each comes
 * again an interval later: turn {@code k} is that of device {@code k mod devices}, due at {@code k
 * × interval / devices}. What happens some time after a device's turn has a cursor of its own that
 * follows by that much: so millions of devices need no timers.
 *
 * <p>Knows no clock. Not thread-safe.
 */
final class PaceCursor {
  private final int devices;
  private final double stepNanos;
  private final long startNanos;
  private long turn;

  /**
   * At the first device's turn.
   *
   * @param startNanos when that is due
   */
  PaceCursor(int devices, long intervalNanos, long startNanos) {
    this.devices = devices;
    this.stepNanos = (double) intervalNanos / devices;
    this.startNanos = startNanos;
  }

  /** Number of turns that have passed. */
  long turn() {
    return turn;
  }

  /** Whose turn it is. */
  int device() {
    return (int) (turn % devices);
  }

  /** How many times every device has had its turn. */
  int round() {
    return (int) (turn / devices);
  }

  /** When this turn is due. */
  long dueNanos() {
    return startNanos + (long) (turn * stepNanos);
  }

  boolean isDue(long nowNanos) {
    return dueNanos() - nowNanos <= 0;
  }

  void next() {
    turn++;
  }
}
