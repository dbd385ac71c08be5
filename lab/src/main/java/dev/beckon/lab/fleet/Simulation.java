package dev.beckon.lab.fleet;

import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.udp.LinuxSockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A fleet with its sockets, and what can be done with it. Of one thread, which it keeps busy: what
 * is measured must not wait for a sleeping sender.
 */
public final class Simulation implements AutoCloseable {
  /** More than one core has taken so far; datagrams for so long are computed ahead. */
  private static final long MOST_ANSWERED_PER_SECOND = 500_000;

  private static final long MOST_ONE_WAY_PER_SECOND = 1_500_000;

  private final SimulationPlan plan;
  private final LongSupplier nanoClock;
  private final InstantSource clock;
  private final Arena arena = Arena.ofConfined();
  private final @Nullable Fleet fleet;
  private final SourceSockets sockets;
  private final Blocks blocks;

  /**
   * Opens the sockets and derives the devices' keys.
   *
   * @param keys of the server; none for {@link LoadKind#STUN}
   * @throws IOException if this system or its sockets do not do; the message is for people
   */
  public Simulation(
      SimulationPlan plan, @Nullable MasterKeys keys, LongSupplier nanoClock, InstantSource clock)
      throws IOException {
    if (!LinuxSockets.available()) {
      throw new IOException(
          "system: %s %s (expected Linux on x86-64 or AArch64: the simulator uses its socket calls)"
              .formatted(System.getProperty("os.name"), System.getProperty("os.arch")));
    }
    this.plan = plan;
    this.nanoClock = nanoClock;
    this.clock = clock;
    fleet = keys == null ? null : fleet(arena, plan, keys);
    sockets = new SourceSockets(plan.server(), plan.sources(), plan.sourcePort(), plan.segments());
    blocks = new Blocks(plan.devices(), plan.sources());
  }

  private static Fleet fleet(Arena arena, SimulationPlan plan, MasterKeys keys) {
    int keyId = keys.newestId();
    byte[] key = keys.key(keyId);
    if (key == null) {
      throw new IllegalStateException("the newest master key was retired meanwhile");
    }
    return new Fleet(arena, plan.devices(), keyId, key, plan.interval(), plan.seed());
  }

  /**
   * Makes every device known to the server, as devices do it.
   *
   * @param stop ends it early
   * @return figures of it, by name
   * @throws IOException if the server does not answer
   */
  public Map<String, Number> setUp(Progress progress, BooleanSupplier stop) throws IOException {
    Map<String, Number> figures = new LinkedHashMap<>();
    if (fleet != null) {
      long startNanos = nanoClock.getAsLong();
      SetUp setUp = new SetUp(fleet, blocks, sockets, nanoClock, clock);
      setUp.run(progress, stop);
      figures.put("devicesSetUp", setUp.proven());
      figures.put("setUpSeconds", Math.round((nanoClock.getAsLong() - startNanos) / 1e8) / 10.0);
    }
    return figures;
  }

  /**
   * Sends more than the server can take for so long.
   *
   * @param stop ends it early; what was measured by then is returned
   * @return figures of it, by name
   * @throws IOException if it cannot be measured; the message is for people
   */
  public Map<String, Number> saturate(Duration duration, Progress progress, BooleanSupplier stop)
      throws IOException {
    long mostPerSecond =
        plan.kind().isAnswered() ? MOST_ANSWERED_PER_SECOND : MOST_ONE_WAY_PER_SECOND;
    long wanted = mostPerSecond * (duration.toSeconds() + 2);
    try (Arena local = Arena.ofConfined()) {
      Saturation saturation =
          new Saturation(
              local,
              fleet,
              plan.kind(),
              blocks,
              sockets,
              new SocketDrops(plan.server()),
              wanted,
              nanoClock,
              clock);
      return saturation.run(duration.toNanos(), progress, stop);
    }
  }

  /**
   * Lets devices keep their interval for so long; then waits until the last answers are there.
   *
   * @param devices so many, the first ones of the fleet
   * @param dialler is told of wakes
   * @param stop ends it early; what was measured by then is returned
   * @return figures of it, by name
   * @throws IllegalStateException for {@link LoadKind#STUN}
   */
  public Map<String, Number> pace(
      int devices,
      Duration duration,
      SessionDialler dialler,
      PaceWatch watch,
      BooleanSupplier stop) {
    if (fleet == null) {
      throw new IllegalStateException("strangers keep no interval");
    }
    Latencies latencies = new Latencies();
    long startNanos = nanoClock.getAsLong();
    try (Arena local = Arena.ofConfined()) {
      PacedFleet paced =
          new PacedFleet(
              local,
              fleet,
              devices,
              plan.kind(),
              plan.interval().seconds(),
              blocks,
              sockets,
              dialler,
              latencies,
              startNanos,
              clock);
      return new Pace(paced, latencies, watch, nanoClock).run(startNanos, duration.toNanos(), stop);
    }
  }

  @Override
  public void close() {
    sockets.close();
    arena.close();
  }
}
