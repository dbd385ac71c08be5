package dev.beckon.server.registrar.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.RowTable;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed in the midst of writing leaves every row old or new. */
@Timeout(120)
class SurvivesKillTest {
  private static final int KILLS = 5;
  private static final int FIRST_ROWS = 10_000;
  private static final int ROWS_PER_ROUND = 5_000;

  @TempDir private Path folder;

  @Test
  void everyRowIsOldOrNew() throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int round = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      round = roundsUntilKilled(round + 1, random.nextInt(1, 6), random.nextInt(1_000_000));
      check(round, seed);
    }
  }

  /** Kills the writer some time after it has told so many rounds; the last one that it told. */
  private int roundsUntilKilled(int first, int rounds, int waitNanos) throws Exception {
    Process writer = java(Writer.class, folder.toString(), String.valueOf(first));
    int round = first - 1;
    try (BufferedReader out = writer.inputReader(StandardCharsets.UTF_8)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        round = Integer.parseInt(line);
        if (round == first + rounds - 1) {
          long until = System.nanoTime() + waitNanos;
          while (System.nanoTime() - until < 0) {
            Thread.onSpinWait();
          }
          writer.destroyForcibly(); // SIGKILL: no hook runs, nothing is flushed
        }
      }
    } catch (IOException e) {
      // Its end may cut the stream; what was read counts.
    } finally {
      writer.destroyForcibly().waitFor();
    }
    assertThat(round).as("rounds").isGreaterThanOrEqualTo(first);
    return round;
  }

  /** Rows of the rounds that were told are of that round or a later one. */
  private void check(int round, long seed) {
    try (BindingFiles files = BindingFiles.open(folder, BindingFilesTest.KEY)) {
      Binding row = new Binding();
      for (int i = 0; i < rowsIn(round); i++) {
        assertThat(files.table().read(tag(i), row)).as("seed %d: row %d", seed, i).isTrue();
        assertThat(row.sequence).as("seed %d: row %d", seed, i).isGreaterThanOrEqualTo(round);
        assertThat(row.addressHigh).isEqualTo(tag(i) * 31 + row.sequence);
        assertThat(row.addressLow).isEqualTo(~row.addressHigh);
      }
      assertThat(files.table().torn()).as("seed %d", seed).isZero();
      assertThat(files.table().dropped()).isZero();
    }
  }

  private static int rowsIn(int round) {
    return FIRST_ROWS + round * ROWS_PER_ROUND;
  }

  private static long tag(int row) {
    return (row + 1) * 0x9E37_79B9_7F4A_7C15L >>> 2; // a quarter of the shards, so they grow
  }

  static Process java(Class<?> main, String... arguments) throws IOException {
    List<String> command = javaCommand(main);
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  static List<String> javaCommand(Class<?> main) {
    return new java.util.ArrayList<>(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-Xmx128m",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName()));
  }

  /** Writes all rows in each round, from two threads, and a few new ones; tells the rounds. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] args) throws Exception {
      RowTable table = BindingFiles.open(Path.of(args[0]), BindingFilesTest.KEY).table();
      CyclicBarrier barrier = new CyclicBarrier(2);
      Thread.ofPlatform().start(() -> write(table, 1, Integer.parseInt(args[1]), barrier));
      write(table, 0, Integer.parseInt(args[1]), barrier);
    }

    private static void write(RowTable table, int number, int first, CyclicBarrier barrier) {
      Binding row = new Binding();
      for (int round = first; ; round++) {
        for (int i = number; i < rowsIn(round); i += 2) {
          row.tag = tag(i);
          row.sequence = round;
          row.addressHigh = row.tag * 31 + round;
          row.addressLow = ~row.addressHigh;
          table.write(row);
        }
        try {
          barrier.await();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
        if (number == 0) {
          System.out.println(round);
        }
      }
    }
  }
}
