package dev.beckon.lab.fleet;

/**
 * How fast to send so that a server has more than it can take, but not much more: what is too much
 * is dropped by the kernel, and costs the sender datagrams that it had made.
 *
 * <p>Grows until the server falls behind, then stays a little above what the server takes. Knows no
 * clock. Not thread-safe.
 */
final class SendRate {
  private static final double START_PER_SECOND = 20_000;
  private static final double GROWTH = 1.4;

  /** An eighth too much: surely a full queue, also while the server's pace varies. */
  private static final double OVERLOAD = 1.125;

  /** Below this loss the server may be able to take more. */
  private static final double LITTLE_LOSS = 0.04;

  private static final double NEWEST_WEIGHT = 0.3;

  private double perSecond = START_PER_SECOND;
  private double taken;

  double perSecond() {
    return perSecond;
  }

  /** So much was sent and taken since the last call. */
  void observe(long sentCount, long takenCount, long elapsedNanos) {
    double takenPerSecond = takenCount * 1e9 / elapsedNanos;
    taken = taken == 0 ? takenPerSecond : taken + NEWEST_WEIGHT * (takenPerSecond - taken);
    if (takenCount >= sentCount * (1 - LITTLE_LOSS)) {
      perSecond = Math.max(perSecond, taken) * GROWTH;
    } else {
      perSecond = Math.max(taken * OVERLOAD, START_PER_SECOND);
    }
  }
}
