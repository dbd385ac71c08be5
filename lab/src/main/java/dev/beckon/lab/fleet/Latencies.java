package dev.beckon.lab.fleet;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How long answers took. Not thread-safe. */
final class Latencies {
  /** What takes longer is counted as this. */
  private static final long MAX_MICROS = TimeUnit.MINUTES.toMicros(10);

  private final Histogram histogram = new Histogram(1, MAX_MICROS, 3);

  void record(long nanos) {
    histogram.recordValue(Math.clamp(nanos / 1000, 1, MAX_MICROS));
  }

  long count() {
    return histogram.getTotalCount();
  }

  /** Adds the figures that people ask for; none if nothing was recorded. */
  void report(Map<String, Number> figures) {
    if (histogram.getTotalCount() > 0) {
      figures.put("latencyMicrosP50", histogram.getValueAtPercentile(50));
      figures.put("latencyMicrosP90", histogram.getValueAtPercentile(90));
      figures.put("latencyMicrosP99", histogram.getValueAtPercentile(99));
      figures.put("latencyMicrosP999", histogram.getValueAtPercentile(99.9));
      figures.put("latencyMicrosMax", histogram.getMaxValue());
    }
  }
}
