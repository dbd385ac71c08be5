package dev.beckon.bench.hot;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.server.registrar.Authenticator;
import dev.beckon.server.registrar.DatagramCounters;
import dev.beckon.server.registrar.DeniedGenerations;
import dev.beckon.server.registrar.KeepaliveHandler;
import dev.beckon.server.registrar.OutstandingWakes;
import dev.beckon.server.registrar.PublicStun;
import dev.beckon.server.udp.Batch;
import dev.beckon.server.udp.Outbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A keepalive's whole way through the server but for the sockets: decode, authenticate, update a
 * row of a mapped table, answer. Every one is accepted: each round has sequences of its own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 8)
@Measurement(iterations = 8)
public class KeepaliveBenchmark {
  private static final int ROUND = 1 << 18;
  private static final long START_MILLIS = 1_800_000_000_000L;

  /** Devices, with a row each. */
  @Param({"10000", "10000000"})
  public int devices;

  /** Whether they are keepalives that are not answered. */
  @Param({"false", "true"})
  public boolean oneWay;

  private final Batch batch = new Batch();
  private final Answers answers = new Answers();
  private final DatagramCounters counters = new DatagramCounters();
  private long sequence = START_MILLIS;
  private long accepted;

  // Those below are set by fill(), which JMH calls before anything else.
  @SuppressWarnings("NullAway.Init")
  private Keepalives keepalives;

  @SuppressWarnings("NullAway.Init")
  private Fleet fleet;

  @SuppressWarnings("NullAway.Init")
  private KeepaliveHandler handler;

  @Setup(Level.Trial)
  public void fill() throws IOException {
    keepalives = new Keepalives(ROUND, devices, oneWay);
    fleet = new Fleet(devices);
    handler =
        new KeepaliveHandler(
            0,
            fleet.registrar,
            Authenticator.of(
                Security.MUTUAL, id -> id == Keepalives.KEY_ID ? keepalives.masterKey() : null),
            new DeniedGenerations(),
            new byte[16],
            new PublicStun(false),
            new NoWakes(),
            () -> 1,
            counters);
  }

  @Setup(Level.Iteration)
  public void sign() {
    keepalives.sign(sequence);
    sequence += ROUND;
  }

  @Benchmark
  @OperationsPerInvocation(ROUND)
  public long handle() {
    for (int i = 0; i < ROUND; i += Batch.CAPACITY) {
      batch.clear();
      for (int k = i; k < i + Batch.CAPACITY; k++) {
        byte[] bytes = keepalives.datagram(k);
        System.arraycopy(bytes, 0, batch.room(), 0, bytes.length);
        batch.add(bytes.length, 0, Fleet.address(keepalives.device(k)), Fleet.PORT);
      }
      handler.onBatch(batch, 0, START_MILLIS, answers, KeepaliveBenchmark::fail);
    }
    return answers.count;
  }

  private static void fail(Throwable failure) {
    throw new IllegalStateException(failure);
  }

  @TearDown(Level.Iteration)
  public void check() {
    accepted += ROUND;
    if (counters.snapshot().getOrDefault("accepted", 0L) != accepted) {
      throw new IllegalStateException(counters.snapshot().toString());
    }
  }

  @TearDown(Level.Trial)
  public void close() throws IOException {
    fleet.close();
  }

  /** Where answers go. */
  private static final class Answers implements Outbox {
    long count;

    @Override
    public InetSocketAddress localAddress() {
      throw new UnsupportedOperationException("nobody asks");
    }

    @Override
    public void send(byte[] bytes, int length, long addressHigh, long addressLow, int port) {
      count += bytes[length - 1];
    }
  }

  private static final class NoWakes implements OutstandingWakes {
    @Override
    public void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos) {}

    @Override
    public void wakeAnswered(DatagramReader answer, long nowNanos) {}
  }
}
