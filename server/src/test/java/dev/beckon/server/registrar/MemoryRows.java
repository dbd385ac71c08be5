package dev.beckon.server.registrar;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Room for a table that is gone with the test. */
public final class MemoryRows implements RowSpace {
  /** How often the next calls of {@link #place} find the disk full. */
  int full;

  /** Whether there is no memory for any growth. */
  boolean outOfMemory;

  final Map<Integer, Integer> levels = new HashMap<>();
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment directory = arena.allocate(RowTable.DIRECTORY_BYTES, 64);
  private final MemorySegment[] rows = new MemorySegment[RowTable.SHARDS];

  public MemoryRows() {
    RowTable.format(directory);
    long bytes = RowTable.shardBytes(0);
    MemorySegment first = arena.allocate(RowTable.SHARDS * bytes, 64);
    Arrays.setAll(rows, shard -> first.asSlice(shard * bytes, bytes));
  }

  @Override
  public MemorySegment directory() {
    return directory;
  }

  @Override
  public MemorySegment rows(int shard, int level) {
    return rows[shard];
  }

  @Override
  public synchronized MemorySegment place(int shard, int level, MemorySegment content)
      throws IOException {
    if (outOfMemory) {
      throw new OutOfMemoryError("as this test wants it");
    }
    if (full > 0) {
      full--;
      throw new IOException("full");
    }
    rows[shard] = Arena.ofAuto().allocate(content.byteSize(), 64).copyFrom(content);
    levels.put(shard, level);
    return rows[shard];
  }

  @Override
  public void cannotGrow(OutOfMemoryError why) {}

  @Override
  public void release(int shard, int level) {}
}
