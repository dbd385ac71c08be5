package dev.beckon.lab.fleet;

/** Is told every second how a paced run goes. Returns quickly. */
@FunctionalInterface
public interface PaceWatch {
  /**
   * Another second has passed.
   *
   * @param seconds since the start
   * @param counts since the start
   * @param before the counts of a second ago
   * @param medianMicros half of this second's answers came sooner after their keepalive was due
   * @param p99Micros and so did 99 of 100
   */
  void second(
      long seconds, PaceCounts counts, PaceCounts before, long medianMicros, long p99Micros);
}
