package dev.beckon.server.registrar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeapBindingTableTest {
  private final HeapBindingTable table = new HeapBindingTable();

  @Test
  void keepsEveryFieldAtItsLargestValue() {
    Binding in = new Binding();
    in.tag = -1;
    in.sequence = (1L << 48) - 1;
    in.keyId = 255;
    in.socket = 255;
    in.addressHigh = -2;
    in.addressLow = -3;
    in.port = 65_535;
    in.generation = 65_535;
    in.lastSeenSeconds = 0xFFFF_FFFFL;
    in.intervalCode = 255;
    in.flags = 255;
    table.write(in);

    Binding out = new Binding();
    assertThat(table.read(-1, out)).isTrue();
    assertThat(out).usingRecursiveComparison().isEqualTo(in);
  }

  @Test
  void findsEveryRowThroughManyGrowthsAndCollisions() {
    long seed = 42;
    Random random = new Random(seed);
    Map<Long, Long> expected = new HashMap<>();
    Binding row = new Binding();
    for (int i = 0; i < 50_000; i++) {
      // Few distinct low bits: long runs of occupied rows.
      row.tag = (random.nextInt(2000) + 1L) | ((long) random.nextInt(40) << 40);
      row.sequence = i;
      table.write(row);
      expected.put(row.tag, row.sequence);
    }

    assertThat(table.size()).as("seed %d", seed).isEqualTo(expected.size());
    expected.forEach(
        (tag, sequence) -> {
          assertThat(table.read(tag, row)).as("tag %d", tag).isTrue();
          assertThat(row.sequence).isEqualTo(sequence);
        });
    assertThat(table.read(1L << 63, row)).isFalse();
  }
}
