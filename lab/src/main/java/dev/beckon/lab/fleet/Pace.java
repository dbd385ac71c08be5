package dev.beckon.lab.fleet;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Lets a {@link PacedFleet} run in real time, and tells how it goes. */
final class Pace {
  /** Waits no longer than this for answers at the end: the last repetition has its time. */
  private static final long END_NANOS = TimeUnit.MILLISECONDS.toNanos(4_500);

  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A wake may come at any time, and is to be answered at once. */
  private static final long NAP_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

  /** A nap takes about twice as long as asked for. */
  private static final long WORTH_A_NAP_NANOS = 4 * NAP_NANOS;

  private final PacedFleet fleet;
  private final Latencies latencies;
  private final PaceWatch watch;
  private final LongSupplier nanoClock;
  private PaceCounts before;
  private long seconds;

  Pace(PacedFleet fleet, Latencies latencies, PaceWatch watch, LongSupplier nanoClock) {
    this.fleet = fleet;
    this.latencies = latencies;
    this.watch = watch;
    this.nanoClock = nanoClock;
    before = fleet.counts();
  }

  /**
   * Runs for so long, and until the last requests are answered or given up.
   *
   * @param stop ends it early
   * @return figures of it, by name
   */
  Map<String, Number> run(long startNanos, long durationNanos, BooleanSupplier stop) {
    long now = nanoClock.getAsLong();
    while (now - startNanos < durationNanos && !stop.getAsBoolean()) {
      turn(now, startNanos);
      now = nanoClock.getAsLong();
    }
    long measuredNanos = Math.max(1, now - startNanos);
    fleet.finish();
    long endNanos = now;
    while (fleet.isWaiting() && now - endNanos < END_NANOS) {
      turn(now, startNanos);
      now = nanoClock.getAsLong();
    }
    return figures(measuredNanos / 1e9);
  }

  private void turn(long now, long startNanos) {
    if (!fleet.step(now)) {
      if (!fleet.isWaiting() && fleet.nextNanos() - now > WORTH_A_NAP_NANOS) {
        LockSupport.parkNanos(this, NAP_NANOS);
      } else {
        Thread.onSpinWait();
      }
      fleet.idle(nanoClock.getAsLong() - now);
    }
    if (now - startNanos >= (seconds + 1) * SECOND_NANOS) {
      seconds = (now - startNanos) / SECOND_NANOS;
      PaceCounts counts = fleet.counts();
      watch.second(seconds, counts, before, latencies.recentMicros(50), latencies.recentMicros(99));
      latencies.turnOver();
      before = counts;
    }
  }

  private Map<String, Number> figures(double seconds) {
    PaceCounts counts = fleet.counts();
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("measuredSeconds", rounded(seconds, 10));
    figures.put("sentPerSecond", Math.round(counts.sent() / seconds));
    figures.put("answeredPerSecond", Math.round(counts.answered() / seconds));
    figures.put("lossPercent", rounded(counts.lossPercent(), 10_000));
    figures.put("requests", counts.requests());
    figures.put("oneWay", counts.oneWay());
    figures.put("answered", counts.answered());
    figures.put("repeated", counts.repeated());
    figures.put("unanswered", counts.requests() - counts.answered());
    figures.put("unprovenAnswers", counts.unproven());
    figures.put("staleAnswers", counts.stale());
    figures.put("forgedDatagrams", counts.forged());
    figures.put("otherDatagrams", counts.other());
    figures.put("wakes", counts.wakes());
    figures.put("wakesRepeated", counts.wakesRepeated());
    figures.put("wakesRefused", counts.wakesRefused());
    figures.put("latestSendMicros", counts.latestNanos() / 1000);
    figures.put("generatorIdlePercent", rounded(counts.idleNanos() / seconds / 1e7, 10));
    latencies.report(figures);
    return figures;
  }

  private static double rounded(double value, int parts) {
    return Math.round(value * parts) / (double) parts;
  }
}
