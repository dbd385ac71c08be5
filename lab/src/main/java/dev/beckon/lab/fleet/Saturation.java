package dev.beckon.lab.fleet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends more than a server can take, and counts what it takes. Datagrams are computed ahead; when
 * all have been sent the next ones are computed, and the clock of the measurement stands meanwhile.
 *
 * <p>What the server has taken is what it answered, or where it answers nothing, what was sent less
 * what the kernel dropped in front of it. That such a datagram was also accepted only the server
 * can tell: {@code sentInAll} less {@code droppedInAll} is what its own counters must have grown
 * by.
 *
 * <p>The share of time in which this sender had nothing to do is reported as well: while there is
 * some, and datagrams are lost, the server is the limit.
 */
final class Saturation {
  /** Until the queue in front of the server is full and the rate has settled. */
  private static final long WARM_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

  /** Longer than any queue; what is missing then is lost. */
  private static final long DRAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private static final long TOLD_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final LoadKind kind;
  private final SocketDrops drops;
  private final LongSupplier nanoClock;
  private final InstantSource clock;
  private final DatagramsAhead ahead;
  private final Flood flood;
  private final Latencies latencies = new Latencies();
  private Flood.Counts measured = Flood.Counts.NONE;

  /** Whether the kernel counts what it drops: the server is on this machine. */
  private final boolean counted;

  private final long droppedBefore;

  /**
   * Not begun.
   *
   * @param fleet whose addresses are proven; none for {@link LoadKind#STUN}
   * @param wanted about so many datagrams are computed ahead
   */
  Saturation(
      Arena arena,
      @Nullable Fleet fleet,
      LoadKind kind,
      Blocks blocks,
      SourceSockets sockets,
      SocketDrops drops,
      long wanted,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.kind = kind;
    this.drops = drops;
    this.nanoClock = nanoClock;
    this.clock = clock;
    OptionalLong before = drops.count();
    counted = before.isPresent();
    droppedBefore = before.orElse(0);
    ahead = new DatagramsAhead(arena, fleet, kind, blocks.devices(), wanted);
    flood = new Flood(arena, fleet, kind, blocks, sockets, ahead, this::dropped, nanoClock);
  }

  /** A server that has ended has taken its counter with it, and nothing can be said any more. */
  private long dropped() {
    OptionalLong now = drops.count();
    if (counted && now.isEmpty()) {
      throw new UncheckedIOException(
          new IOException("server: its socket is gone (expected a server that runs to the end)"));
    }
    return now.orElse(0);
  }

  /**
   * Measures for so long, the time for computing not counted.
   *
   * @param stop ends it early; what was measured by then is returned
   * @throws IOException if it cannot be measured; the message is for people
   */
  Map<String, Number> run(long durationNanos, Progress progress, BooleanSupplier stop)
      throws IOException {
    try {
      return measure(durationNanos, progress, stop);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private Map<String, Number> measure(long durationNanos, Progress progress, BooleanSupplier stop)
      throws IOException {
    if (!kind.isAnswered() && !counted) {
      throw new IOException(
          "one-way keepalives are counted by the kernel (expected: a server on this machine and in"
              + " this network namespace)");
    }
    while (measured.nanos() < durationNanos && !stop.getAsBoolean()) {
      ahead.compute(nanoClock, clock, progress, stop);
      Flood.Counts window = window(durationNanos, progress, stop);
      if (window.nanos() == 0 && !stop.getAsBoolean()) {
        throw new IOException(
            "devices: %d datagrams computed ahead did not last until the server was saturated (expected: more devices)"
                .formatted(ahead.slots()));
      }
      measured = measured.plus(window);
    }
    return figures();
  }

  /** Runs through the datagrams; what happened between warming up and the end. */
  private Flood.Counts window(long durationNanos, Progress progress, BooleanSupplier stop) {
    long leftNanos = durationNanos - measured.nanos();
    long wholeSeconds = TimeUnit.NANOSECONDS.toSeconds(durationNanos);
    flood.begin();
    long startNanos = nanoClock.getAsLong();
    while (nanoClock.getAsLong() - startNanos < WARM_UP_NANOS) {
      if (!flood.step() || stop.getAsBoolean()) {
        return Flood.Counts.NONE;
      }
    }
    Flood.Counts from = flood.counts();
    flood.record(latencies);
    long measuringNanos = nanoClock.getAsLong();
    long toldNanos = measuringNanos;
    long now = measuringNanos;
    while (now - measuringNanos < leftNanos && flood.step() && !stop.getAsBoolean()) {
      now = nanoClock.getAsLong();
      if (now - toldNanos > TOLD_EVERY_NANOS) {
        toldNanos = now;
        long done = measured.nanos() + now - measuringNanos;
        progress.at("seconds measured", TimeUnit.NANOSECONDS.toSeconds(done), wholeSeconds);
      }
    }
    flood.record(null);
    Flood.Counts window = flood.counts().minus(from);
    drain();
    return window;
  }

  /** Fetches late answers, so that the next window sees its own only. */
  private void drain() {
    long lastNanos = nanoClock.getAsLong();
    while (nanoClock.getAsLong() - lastNanos < DRAIN_NANOS) {
      if (flood.receiveSomewhere() > 0) {
        lastNanos = nanoClock.getAsLong();
      }
    }
  }

  private Map<String, Number> figures() {
    double seconds = Math.max(1, measured.nanos()) / 1e9;
    long taken = kind.isAnswered() ? measured.answered() : measured.sent() - measured.dropped();
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("measuredSeconds", rounded(seconds, 10));
    figures.put("sentPerSecond", Math.round(measured.sent() / seconds));
    figures.put("takenPerSecond", Math.round(taken / seconds));
    figures.put("answeredPerSecond", Math.round(measured.answered() / seconds));
    figures.put(
        "lossPercent",
        rounded(100.0 * (measured.sent() - taken) / Math.max(1, measured.sent()), 100));
    figures.put("droppedByKernelPerSecond", Math.round(measured.dropped() / seconds));
    figures.put("generatorIdlePercent", rounded(measured.idleNanos() / seconds / 1e7, 10));
    figures.put("sentInAll", flood.sentInAll());
    figures.put("droppedInAll", dropped() - droppedBefore);
    figures.put("notSentInAll", flood.notTaken());
    figures.put("unprovenAnswers", flood.unproven());
    figures.put("staleAnswers", flood.stale());
    figures.put("forgedAnswers", flood.forged());
    figures.put("otherDatagrams", flood.other());
    latencies.report(figures);
    return figures;
  }

  private static double rounded(double value, int parts) {
    return Math.round(value * parts) / (double) parts;
  }
}
