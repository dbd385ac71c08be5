package dev.beckon.cli;

import dev.beckon.cli.terminal.ProgressLine;
import dev.beckon.lab.fleet.FleetLimit;
import dev.beckon.lab.fleet.PaceCounts;
import dev.beckon.lab.fleet.ProcessFigures;
import dev.beckon.lab.fleet.SessionDialler;
import dev.beckon.lab.fleet.Simulation;
import dev.beckon.lab.fleet.SimulationPlan;
import dev.beckon.server.identity.MasterKeys;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One simulation against one server, from the set-up to the figures.
 *
 * @param course what the devices do
 * @param duration of the measurement
 * @param known whether the server knows the devices, so that there is no set-up
 * @param stop ends it early
 */
record SimulationRun(
    Course course, Duration duration, boolean known, ProgressLine progress, BooleanSupplier stop) {

  /** What the devices do. */
  enum Course {
    /** They keep their interval. */
    PACE,
    /** They send more than the server can take. */
    SATURATE,
    /** They do that first, and then as many as the server sustains keep their interval. */
    FIND_LIMIT
  }

  /** Long enough for a server's rate to be steady, and short enough to leave time for the proof. */
  private static final Duration LIMIT_DURATION = Duration.ofSeconds(10);

  /** The server's process, and what uses its sessions; neither need be there. */
  record Surrounding(@Nullable Long serverPid, @Nullable SimulatedSessions sessions) {}

  /**
   * Does all of it.
   *
   * @param keys of the server; none for strangers
   * @return figures by name
   * @throws IOException with a message for people
   */
  Map<String, Number> figures(
      SimulationPlan plan, @Nullable MasterKeys keys, Surrounding surrounding) throws IOException {
    Map<String, Number> figures = new LinkedHashMap<>();
    try (Simulation simulation =
        new Simulation(plan, keys, System::nanoTime, InstantSource.system())) {
      if (!known) {
        figures.putAll(simulation.setUp(progress::at, stop));
      }
      int devices = plan.devices();
      if (course == Course.FIND_LIMIT) {
        devices = findLimit(simulation, plan, figures);
      }
      Long pid = surrounding.serverPid();
      ProcessFigures before = pid == null ? null : ProcessFigures.of(pid);
      long startNanos = System.nanoTime();
      figures.putAll(
          course == Course.SATURATE
              ? simulation.saturate(duration, progress::at, stop)
              : pace(simulation, devices, surrounding.sessions()));
      if (before != null && pid != null && ProcessHandle.of(pid).isPresent()) {
        long elapsedMillis = (System.nanoTime() - startNanos) / 1_000_000;
        ProcessFigures.of(pid).report(before, elapsedMillis, figures);
      }
      if (surrounding.sessions() != null) {
        surrounding.sessions().report(figures, stop);
      }
    }
    return figures;
  }

  /** Adds what the saturated server takes; how many of the devices it sustains. */
  private int findLimit(Simulation simulation, SimulationPlan plan, Map<String, Number> figures)
      throws IOException {
    Map<String, Number> saturated = simulation.saturate(LIMIT_DURATION, progress::at, stop);
    Number taken = saturated.getOrDefault("takenPerSecond", 0);
    FleetLimit limit = new FleetLimit(taken.doubleValue());
    figures.put("saturatedTakenPerSecond", taken);
    figures.put("saturatedLossPercent", saturated.getOrDefault("lossPercent", 0));
    limit.report(figures);
    long sustained = limit.devices(plan.interval().seconds());
    int devices = Math.clamp(sustained, 1, plan.devices());
    figures.put("provenDevices", devices);
    return devices;
  }

  private Map<String, Number> pace(
      Simulation simulation, int devices, @Nullable SimulatedSessions sessions) throws IOException {
    if (sessions == null) {
      return simulation.pace(devices, duration, NO_SESSIONS, this::second, stop);
    }
    sessions.begin();
    try {
      return simulation.pace(devices, duration, sessions.dialler(), this::second, stop);
    } finally {
      sessions.end();
    }
  }

  private void second(
      long second, PaceCounts counts, PaceCounts before, long medianMicros, long p99Micros) {
    progress.show(
        String.format(
            Locale.ROOT,
            "%4d s  sent %,d/s  answered %,d/s  sent again %,d  wakes %,d  p50 %.2f ms"
                + "  p99 %.2f ms",
            second,
            counts.sent() - before.sent(),
            counts.answered() - before.answered(),
            counts.repeated(),
            counts.wakes(),
            medianMicros / 1e3,
            p99Micros / 1e3));
  }

  /** Wakes are answered and counted; there is no session behind them. */
  private static final SessionDialler NO_SESSIONS =
      new SessionDialler() {
        @Override
        public void dial(int device, long wakeId, long delayMillis) {}

        @Override
        public void close() {}
      };
}
