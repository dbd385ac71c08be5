package dev.beckon.cli;

import dev.beckon.lab.fleet.FleetCertificates;
import dev.beckon.lab.fleet.SessionCounts;
import dev.beckon.lab.fleet.SessionDialler;
import dev.beckon.lab.fleet.SessionLoad;
import dev.beckon.lab.fleet.SessionLoadConfig;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Commands for simulated devices, and the sessions that those open for them. */
final class SimulatedSessions implements AutoCloseable {

  /** A cold session takes some round trips; on loopback milliseconds. */
  private static final long END_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final ServerChild server;
  private final FleetCertificates certificates;
  private final double perSecond;
  private final int seed;
  private final SessionLoad load;
  private @Nullable CommandFeed feed;

  /**
   * Devices that dial; nothing is sent before {@link #begin}.
   *
   * @param perSecond commands, above 0
   */
  SimulatedSessions(
      ServerChild server, FleetCertificates certificates, double perSecond, int seed) {
    this.server = server;
    this.certificates = certificates;
    this.perSecond = perSecond;
    this.seed = seed;
    load =
        new SessionLoad(
            SessionLoadConfig.ofFleet(server.tls()), certificates, SessionLoad.Observer.NONE);
  }

  SessionDialler dialler() {
    return load;
  }

  /** Begins to send commands. */
  void begin() throws IOException {
    feed = new CommandFeed(server.http(), server.token(), certificates.devices(), perSecond, seed);
  }

  /** Sends no more commands. */
  void end() {
    CommandFeed running = feed;
    if (running != null) {
      running.stop();
    }
  }

  /** Waits a while until all accepted commands are done and confirmed; adds what became of them. */
  void report(Map<String, Number> figures, BooleanSupplier stop) {
    CommandFeed running = feed;
    if (running == null) {
      return;
    }
    SessionCounts counts = load.counts();
    long endNanos = System.nanoTime() + END_NANOS;
    while (counts.confirmed() < running.accepted()
        && System.nanoTime() - endNanos < 0
        && !stop.getAsBoolean()) {
      LockSupport.parkNanos(this, LOOK_NANOS);
    }
    figures.put("commandsAccepted", running.accepted());
    figures.put("commandsNotAccepted", running.failed());
    figures.put("commandsConfirmed", counts.confirmed());
    figures.put("sessionsDialled", counts.dialled());
    figures.put("sessionsEnded", counts.ended());
    figures.put(
        "sessionFailures", counts.failures().values().stream().mapToLong(each -> each).sum());
    Histogram handshakes = counts.takeHandshakeMicros();
    figures.put("handshakeMicrosP50", handshakes.getValueAtPercentile(50));
    figures.put("handshakeMicrosP99", handshakes.getValueAtPercentile(99));
  }

  @Override
  public void close() {
    CommandFeed running = feed;
    if (running != null) {
      running.close();
    }
    load.close();
  }
}
