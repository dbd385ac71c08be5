package dev.beckon.bench.sessions;

import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.SessionLoad;
import dev.beckon.lab.fleet.SessionLoadConfig;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One measurement: devices dial one after the other, so many at a time, each once, for some
 * seconds.
 *
 * @param devices that were used up
 * @param perSecond sessions that ended well
 * @param serverCpuMicros the server's processor time for each of them
 * @param coreCpuMicros all that the server's processor did, for each of them
 * @param loadPercent how busy the load's processor was
 * @param micros from dialling to the end
 */
record Round(
    int devices,
    double perSecond,
    double serverCpuMicros,
    double coreCpuMicros,
    double serverPercent,
    double loadPercent,
    long commands,
    long resumed,
    Histogram micros,
    Map<String, Long> failures) {

  private static final double SECOND_NANOS = 1e9;

  /**
   * @param from the first device
   * @param to the device behind the last; the round ends when they are used up
   */
  static Round run(
      SessionLoadConfig config,
      FleetCertificates fleet,
      Measured server,
      int from,
      int to,
      double seconds)
      throws IOException, InterruptedException {
    return run(config, fleet, server, from, to, seconds, false);
  }

  /**
   * @param twice whether every device dials once before, which is not measured
   */
  static Round run(
      SessionLoadConfig config,
      FleetCertificates fleet,
      Measured server,
      int from,
      int to,
      double seconds,
      boolean twice)
      throws IOException, InterruptedException {
    AtomicInteger next = new AtomicInteger(to);
    AtomicLong endNanos = new AtomicLong(System.nanoTime());
    SessionLoad[] self = new SessionLoad[1];
    SessionLoad.Observer dialOn =
        new SessionLoad.Observer() {
          @Override
          public void ended(int device, @Nullable String failure) {
            int following = next.get() < to ? next.getAndIncrement() : to;
            if (following < to && System.nanoTime() - endNanos.get() < 0) {
              self[0].dial(following, 0, 0);
            }
          }
        };
    try (SessionLoad load = new SessionLoad(config, fleet, dialOn)) {
      self[0] = load;
      for (int device = from; twice && device < to; device++) {
        load.dial(device, 0, 0);
      }
      do {
        Thread.sleep(50);
      } while (load.pending() > 0);
      long before = load.counts().ended();
      load.counts().takeSessionMicros();
      next.set(from);
      long end = System.nanoTime() + (long) (seconds * SECOND_NANOS);
      endNanos.set(end);
      long serverBefore = server.cpuMicros();
      long coreBefore = Measured.busyMicros(0);
      long ownBefore = Measured.busyMicros(1);
      long begin = System.nanoTime();
      for (int n = 0; n < config.maxOpen() && next.get() < to; n++) {
        load.dial(next.getAndIncrement(), 0, 0);
      }
      while (System.nanoTime() - end < 0 && next.get() < to) {
        Thread.sleep(5);
      }
      double elapsed = (System.nanoTime() - begin) / SECOND_NANOS;
      long ended = load.counts().ended() - before;
      double server1 = server.cpuMicros() - serverBefore;
      double core = Measured.busyMicros(0) - coreBefore;
      double own = Measured.busyMicros(1) - ownBefore;
      Histogram micros = load.counts().takeSessionMicros();
      while (load.pending() > 0) {
        Thread.sleep(5);
      }
      return new Round(
          Math.min(next.get(), to) - from,
          ended / elapsed,
          server1 / ended,
          core / ended,
          core / elapsed / 10_000,
          own / elapsed / 10_000,
          load.counts().confirmed(),
          load.counts().resumed(),
          micros,
          load.counts().failures());
    }
  }
}
