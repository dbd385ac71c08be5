package dev.beckon.bench.hot;

import dev.beckon.lab.fleet.FleetIds;
import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.RowTable;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A row of a mapped table, chosen at random: read under its lock, changed, written. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class TableBenchmark {
  private static final int TAGS = 1 << 20; // read in order, so that only rows miss the cache

  /** Rows of the table. */
  @Param({"10000", "10000000"})
  public int rows;

  private final long[] tags = new long[TAGS];
  private final Binding row = new Binding();

  // Those below are set by fill(), which JMH calls before anything else.
  @SuppressWarnings("NullAway.Init")
  private Fleet fleet;

  @SuppressWarnings("NullAway.Init")
  private RowTable table;

  private int next;

  @Setup(Level.Trial)
  public void fill() throws IOException {
    fleet = new Fleet(rows);
    table = fleet.files.table();
    Random random = new Random(2);
    for (int i = 0; i < TAGS; i++) {
      tags[i] = fleet.registrar.tag(FleetIds.of(random.nextInt(rows)));
    }
  }

  @TearDown(Level.Trial)
  public void close() throws IOException {
    fleet.close();
  }

  @Benchmark
  public boolean read() {
    return table.read(tags[next++ & (TAGS - 1)], row);
  }

  @Benchmark
  public boolean update() {
    long tag = tags[next++ & (TAGS - 1)];
    table.lock(tag);
    boolean known = table.read(tag, row);
    row.sequence++;
    table.write(row);
    table.unlock(tag);
    return known;
  }
}
