package dev.beckon.server.registrar;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RowTableTest {
  private final MemoryRows memory = new MemoryRows();
  private final RowTable table = new RowTable(memory);

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
  void isLikeAMapWhateverIsDoneToIt() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    Map<Long, Long> model = new HashMap<>();
    List<Long> tags = new ArrayList<>();
    Binding row = new Binding();
    for (int i = 1; i <= 200_000; i++) {
      boolean known = !tags.isEmpty() && random.nextInt(3) > 0;
      long tag = known ? tags.get(random.nextInt(tags.size())) : crowdedTag(random);
      if (!known && random.nextInt(10) == 0) {
        assertThat(table.read(tag, row)).as("seed %d", seed).isEqualTo(model.containsKey(tag));
        continue;
      }
      fill(row, tag, i);
      table.write(row);
      if (model.put(tag, (long) i) == null) {
        tags.add(tag);
      }
    }

    assertHolds(table, model, seed);
    // What another process would see that opens the same memory.
    assertHolds(new RowTable(memory), model, seed);
    assertThat(memory.levels.values()).as("levels").anyMatch(level -> level > 7);
    assertThat(table.torn() + table.dropped()).isZero();
  }

  /** Few shards, so that they grow far beyond the doubling, and long runs within them. */
  private static long crowdedTag(Random random) {
    long shard = random.nextInt(10);
    long place = random.nextInt(1 << 20);
    return shard << 54 | place << 34 | random.nextInt(1 << 12) | 1;
  }

  private static void fill(Binding row, long tag, long sequence) {
    row.tag = tag;
    row.sequence = sequence;
    row.addressHigh = tag * 31 + sequence;
    row.addressLow = ~row.addressHigh;
    row.port = (int) sequence & 0xFFFF;
  }

  private static void assertHolds(RowTable table, Map<Long, Long> model, long seed) {
    Binding row = new Binding();
    Binding expected = new Binding();
    assertThat(table.size()).as("seed %d", seed).isEqualTo(model.size());
    model.forEach(
        (tag, sequence) -> {
          assertThat(table.read(tag, row)).as("seed %d: tag %d", seed, tag).isTrue();
          fill(expected, tag, sequence);
          assertThat(row.sequence).as("seed %d: tag %d", seed, tag).isEqualTo(sequence);
          assertThat(row.addressHigh).isEqualTo(expected.addressHigh);
          assertThat(row.addressLow).isEqualTo(expected.addressLow);
          assertThat(row.port).isEqualTo(expected.port);
        });
  }

  @Test
  void writersReadersAndGrowthDoNotDisturbEachOther() {
    int tags = 60_000;
    AtomicBoolean writing = new AtomicBoolean(true);
    List<CompletableFuture<Void>> threads = new ArrayList<>();
    for (int reader = 0; reader < 2; reader++) {
      long seed = reader;
      threads.add(
          inAThread(
              () -> {
                Random random = new Random(seed);
                Binding row = new Binding();
                long[] fetched = new long[8];
                while (writing.get()) {
                  long tag = sharedTag(random.nextInt(tags));
                  fetched[random.nextInt(fetched.length)] = tag;
                  table.fetch(fetched, fetched.length);
                  if (table.read(tag, row)) {
                    assertThat(row.tag).isEqualTo(tag);
                    assertThat(row.addressHigh).isEqualTo(tag * 31 + row.sequence);
                    assertThat(row.addressLow).isEqualTo(~row.addressHigh);
                  }
                }
              }));
    }
    List<CompletableFuture<Void>> writers = new ArrayList<>();
    for (int writer = 0; writer < 2; writer++) {
      int first = writer;
      writers.add(
          inAThread(
              () -> {
                Binding row = new Binding();
                Binding changed = new Binding();
                for (int round = 0; round < 3; round++) {
                  for (int i = 0; i < tags; i++) {
                    long tag = sharedTag(first == 0 ? i : tags - 1 - i);
                    table.lock(tag);
                    long sequence = table.read(tag, row) ? row.sequence + 1 : 1;
                    fill(changed, tag, sequence);
                    table.write(changed);
                    table.unlock(tag);
                  }
                }
              }));
    }
    writers.forEach(CompletableFuture::join);
    writing.set(false);
    threads.forEach(CompletableFuture::join);

    Binding row = new Binding();
    for (int i = 0; i < tags; i++) {
      assertThat(table.read(sharedTag(i), row)).isTrue();
      assertThat(row.sequence).as("no change is lost").isEqualTo(6);
    }
    assertThat(table.size()).isEqualTo(tags);
    assertThat(table.torn() + table.dropped()).isZero();
  }

  /** A thread for each: on a small machine the common pool has one. */
  private static CompletableFuture<Void> inAThread(Runnable task) {
    return CompletableFuture.runAsync(task, run -> Thread.ofPlatform().daemon().start(run));
  }

  private static long sharedTag(int i) {
    return (i + 1) * 0x9E37_79B9_7F4A_7C15L >>> 3; // an eighth of the shards, so they grow
  }

  @Test
  void finishesTheRowThatAKilledProcessWasWriting() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    fill(row, 7, 2);
    table.write(row);

    long at = placeOf(7);
    MemorySegment rows = memory.rows(0, 0);
    rows.set(ValueLayout.JAVA_LONG, at + 16, 0); // some stores are made, some are not

    RowTable reopened = new RowTable(memory);
    assertThat(reopened.read(7, row)).isTrue();
    assertThat(row.sequence).isEqualTo(2);
    assertThat(row.addressHigh).isEqualTo(7 * 31 + 2);
    assertThat(reopened.torn()).isZero();
  }

  @Test
  void addsTheRowThatAKilledProcessWasAdding() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    memory.rows(0, 0).fill((byte) 0); // only the journal was reached
    memory.directory().set(ValueLayout.JAVA_LONG, 0, emptyEntry());

    RowTable reopened = new RowTable(memory);
    assertThat(reopened.size()).isEqualTo(1);
    assertThat(reopened.read(7, row)).isTrue();
  }

  private static long emptyEntry() {
    return new MemoryRows().directory().get(ValueLayout.JAVA_LONG, 0);
  }

  @Test
  void leavesTheRowAloneIfTheJournalIsTorn() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    long journal = RowTable.SHARDS * 8L;
    memory.directory().set(ValueLayout.JAVA_LONG, journal + 8, 99);

    RowTable reopened = new RowTable(memory);
    assertThat(reopened.read(7, row)).isTrue();
    assertThat(row.sequence).isEqualTo(1);
  }

  @Test
  void countsATornRowAndTakesItForNone() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    fill(row, 8, 1);
    table.write(row);
    long at = placeOf(7);
    for (int word = 1; word < 8; word++) {
      MemorySegment rows = memory.rows(0, 0);
      long before = rows.get(ValueLayout.JAVA_LONG, at + word * 8L);
      rows.set(ValueLayout.JAVA_LONG, at + word * 8L, before ^ 1L << 7 * word);
      assertThat(table.read(7, row)).as("word %d", word).isFalse();
      rows.set(ValueLayout.JAVA_LONG, at + word * 8L, before);
      assertThat(table.read(7, row)).as("word %d", word).isTrue();
    }
    assertThat(table.torn()).isEqualTo(7);
  }

  @Test
  void aTornRowIsReplacedByTheNextKeepalive() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    memory.rows(0, 0).set(ValueLayout.JAVA_LONG, placeOf(7) + 8, 12_345);
    fill(row, 7, 2);
    table.write(row);

    assertThat(table.read(7, row)).isTrue();
    assertThat(table.size()).isEqualTo(1);
  }

  @Test
  void ofTwoRowsOfADeviceTheNewerOutlivesGrowth() {
    Binding row = new Binding();
    for (long tag = 1; tag <= 3; tag++) { // one behind the other
      fill(row, tag, 5);
      table.write(row);
    }
    MemorySegment rows = memory.rows(0, 0);
    rows.asSlice(placeOf(2), RowTable.ROW_BYTES).fill((byte) 0); // as a power cut may leave it
    assertThat(table.read(3, row)).isFalse();
    fill(row, 3, 6);
    table.write(row);

    int others = 0;
    while (!memory.levels.containsKey(0)) {
      fill(row, 100 + others, 1);
      table.write(row);
      others++;
    }

    assertThat(table.read(3, row)).isTrue();
    assertThat(row.sequence).isEqualTo(6);
    assertThat(table.size()).as("1, 3 and the others").isEqualTo(2 + others);
  }

  @Test
  void fetchingChangesNothing() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    long[] tags = {7, 0, -1, Long.MIN_VALUE};

    table.fetch(tags, tags.length);
    table.close();
    table.fetch(tags, tags.length);

    RowTable reopened = new RowTable(memory);
    assertThat(reopened.size()).isEqualTo(1);
    assertThat(reopened.read(7, row)).isTrue();
    assertThat(reopened.torn()).isZero();
  }

  private long placeOf(long tag) {
    MemorySegment rows = memory.rows(0, 0);
    for (long at = 0; at < rows.byteSize(); at += RowTable.ROW_BYTES) {
      if (rows.get(ValueLayout.JAVA_LONG, at) == tag) {
        return at;
      }
    }
    throw new AssertionError("no row " + tag);
  }

  @Test
  void withoutRoomItKeepsWhatItHasAndDropsNewRows() {
    memory.full = Integer.MAX_VALUE;
    Binding row = new Binding();
    for (int i = 1; i <= 70; i++) {
      fill(row, i, 1);
      table.write(row);
    }

    assertThat(table.size()).isEqualTo(64);
    assertThat(table.dropped()).isEqualTo(6);
    assertThat(table.read(70, row)).isFalse();
    for (int i = 1; i <= 64; i++) {
      fill(row, i, 2);
      table.write(row);
      assertThat(table.read(i, row)).isTrue();
      assertThat(row.sequence).isEqualTo(2);
    }
  }

  @Test
  void withoutMemoryItKeepsWhatItHas() {
    memory.outOfMemory = true;
    Binding row = new Binding();
    for (int i = 1; i <= 70; i++) {
      fill(row, i, 1);
      table.write(row);
    }
    assertThat(table.size()).isEqualTo(64);
    assertThat(table.dropped()).isEqualTo(6);

    memory.outOfMemory = false;
    for (int i = 1; i <= 3000; i++) {
      fill(row, i % 80 + 1, i);
      table.write(row);
    }
    assertThat(table.size()).isEqualTo(80);
  }

  @Test
  void growsWhenThereIsRoomAgain() {
    memory.full = 1;
    Binding row = new Binding();
    for (int i = 1; i <= 3000; i++) {
      fill(row, i % 80 + 1, i);
      table.write(row);
    }

    assertThat(table.size()).isEqualTo(80);
    assertThat(memory.levels).containsEntry(0, 1);
  }

  @Test
  void knowsADamagedEntryOfTheDirectory() {
    assertThat(RowTable.level(memory.directory(), 5)).isZero();
    for (int bit = 0; bit < 64; bit++) {
      long before = memory.directory().get(ValueLayout.JAVA_LONG, 40);
      memory.directory().set(ValueLayout.JAVA_LONG, 40, before ^ 1L << bit);
      assertThat(RowTable.level(memory.directory(), 5)).as("bit %d", bit).isEqualTo(-1);
      memory.directory().set(ValueLayout.JAVA_LONG, 40, before);
    }
  }

  @Test
  void findsAndKeepsNothingOnceClosed() {
    Binding row = new Binding();
    fill(row, 7, 1);
    table.write(row);
    table.close();

    assertThat(table.read(7, row)).isFalse();
    table.write(row);
    assertThat(new RowTable(memory).read(7, row)).isTrue();
  }

  @Test
  void roomForTenMillionStaysUnderItsLimit() {
    for (int level = 0; level < 60; level++) {
      long rows = RowTable.shardBytes(level) / RowTable.ROW_BYTES;
      if (rows * RowTable.SHARDS * 13 / 16 >= 10_000_000) {
        // One level more: some shards are fuller than others.
        assertThat(RowTable.shardBytes(level + 1) * RowTable.SHARDS).isLessThan(1_000_000_000L);
        return;
      }
    }
    throw new AssertionError("not that large");
  }
}
