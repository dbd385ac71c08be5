package dev.beckon.lab.fleet;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How long answers took: lately, and in all. Not thread-safe. */
final class Latencies {
  /** What takes longer is counted as this. */
  private static final long MAX_MICROS = TimeUnit.MINUTES.toMicros(10);

  private final Histogram all = new Histogram(1, MAX_MICROS, 3);
  private final Histogram recent = new Histogram(1, MAX_MICROS, 3);

  void record(long nanos) {
    recent.recordValue(Math.clamp(nanos / 1000, 1, MAX_MICROS));
  }

  /** Of those since the last call of {@link #turnOver}; 0 if there are none. */
  long recentMicros(double percentile) {
    return recent.getTotalCount() == 0 ? 0 : recent.getValueAtPercentile(percentile);
  }

  /** What was recent is so no more. */
  void turnOver() {
    all.add(recent);
    recent.reset();
  }

  /** Adds the figures that people ask for; none if nothing was recorded. */
  void report(Map<String, Number> figures) {
    turnOver();
    if (all.getTotalCount() > 0) {
      figures.put("latencyMicrosP50", all.getValueAtPercentile(50));
      figures.put("latencyMicrosP90", all.getValueAtPercentile(90));
      figures.put("latencyMicrosP99", all.getValueAtPercentile(99));
      figures.put("latencyMicrosP999", all.getValueAtPercentile(99.9));
      figures.put("latencyMicrosMax", all.getMaxValue());
    }
  }
}
