package dev.beckon.server.registrar;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;

/**
 * A {@link BindingTable} in plain memory, which may be a mapped file: 64 bytes per row, no object
 * per device, and whole at every moment, so that a process that is killed leaves a good table.
 *
 * <p>A row, in 8-byte words, little-endian:
 *
 * <pre>
 *   0   tag (0 = no row)
 *   1   sequence 48 | key ID 8 | socket 8
 *   2   address, high half
 *   3   address, low half
 *   4   port 16 | generation 16 | last seen 32
 *   5   interval 8 | flags 8 | spare 16 | checksum 32
 *   6   spare
 *   7   spare
 * </pre>
 *
 * <p>The tag's first bits choose one of 1,024 <em>shards</em>, each with a lock and with rows of
 * its own: open addressing, where the tag's next bits say at which fraction of the shard a search
 * begins. A shard that is 13/16 full moves to the next <em>level</em>: its rows are copied to a
 * larger room, and one store in the directory makes that room the shard's. So the table grows in
 * small steps while it is used, and no keepalive waits for more than its own shard; {@code
 * bench/restart} prints the longest wait.
 *
 * <p>The directory: an 8-byte entry per shard (check 24 | level 8 | rows 32), then a 64-byte
 * <em>journal</em> per shard: the row that was last written there, stored before the row itself. A
 * process can be killed between any two stores; whatever it was at then is either complete in the
 * journal, and done again when the table is opened, or has not touched the row.
 */
public final class RowTable implements BindingTable {
  /** Enough that a shard is small, few enough that an empty table is: 4 MB. */
  public static final int SHARDS = 1024;

  public static final int ROW_BYTES = 64;

  /** Bytes of entries and journals. */
  public static final int DIRECTORY_BYTES = SHARDS * (8 + ROW_BYTES);

  private static final int JOURNALS = SHARDS * 8;
  private static final int SHARD_BITS = 10;
  private static final int WORDS = ROW_BYTES / 8;
  private static final int CHECKSUM_WORD = 5;

  /** A page of memory: a shard's room begins and ends with one, so that it can be given back. */
  private static final int FIRST_ROWS = 64;

  /** Up to here a level doubles: small shards differ too much in size for small steps. */
  private static final int DOUBLED_ROWS = 4096;

  private static final int MAX_ROWS = 1 << 24;
  private static final int[] ROWS_BY_LEVEL = levels();

  /**
   * After a growth that failed, this many rows that would need one go without, where they still
   * can: trying costs more than a keepalive should.
   */
  private static final int ROWS_UNTIL_RETRY = 256;

  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final RowSpace space;
  private final MemorySegment directory;
  private final ReentrantLock[] locks = new ReentrantLock[SHARDS];
  private final MemorySegment[] shards = new MemorySegment[SHARDS];
  private final LongAdder size = new LongAdder();
  private final LongAdder torn = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private final AtomicInteger rowsUntilRetry = new AtomicInteger();

  private boolean closed; // written under all locks, read under any

  /**
   * Opens a table; finishes what a killed process was at.
   *
   * @param space with a directory that is {@link #format formatted} and {@link #level whole}
   */
  public RowTable(RowSpace space) {
    this.space = space;
    directory = space.directory();
    for (int shard = 0; shard < SHARDS; shard++) {
      locks[shard] = new ReentrantLock();
      shards[shard] = space.rows(shard, level(directory, shard));
      redo(shard);
      size.add(rows(shard));
    }
  }

  /** Makes the directory of an empty table out of zeros; all shards are at level 0. */
  public static void format(MemorySegment directory) {
    for (int shard = 0; shard < SHARDS; shard++) {
      directory.set(WORD, shard * 8L, entry(shard, 0, 0));
    }
  }

  /** Notes that the rows of a shard are gone: that its room, still at this level, is all zeros. */
  public static void forgetRows(MemorySegment directory, int shard) {
    directory.set(WORD, shard * 8L, entry(shard, level(directory, shard), 0));
  }

  /** The level of a shard; -1 if its entry is damaged. */
  public static int level(MemorySegment directory, int shard) {
    long entry = directory.get(WORD, shard * 8L);
    int level = (int) (entry >>> 32) & 0xFF;
    boolean whole = entry == entry(shard, level, (int) entry) && level < ROWS_BY_LEVEL.length;
    return whole ? level : -1;
  }

  /** Bytes of one shard at a level; a multiple of 4,096. */
  public static long shardBytes(int level) {
    return (long) ROWS_BY_LEVEL[level] * ROW_BYTES;
  }

  @Override
  public void lock(long tag) {
    locks[shardOf(tag)].lock();
  }

  @Override
  public void unlock(long tag) {
    locks[shardOf(tag)].unlock();
  }

  @Override
  public boolean read(long tag, Binding into) {
    int shard = shardOf(tag);
    locks[shard].lock();
    try {
      if (closed) {
        return false;
      }
      MemorySegment rows = shards[shard];
      long at = find(rows, tag);
      if (at < 0 || rows.get(WORD, at) == 0) {
        return false;
      }
      if (!isWhole(rows, at)) {
        torn.increment();
        return false;
      }
      load(rows, at, into);
      return true;
    } finally {
      locks[shard].unlock();
    }
  }

  /**
   * Loads that do not depend on each other, so that the processor waits for all of them at once. No
   * lock: a locked instruction would wait for the loads before it.
   */
  @Override
  public long fetch(long[] tags, int count) {
    long sum = 0;
    try {
      for (int i = 0; i < count; i++) {
        long tag = tags[i];
        MemorySegment rows = shards[shardOf(tag)];
        sum += rows.get(WORD, first(tag, capacity(rows)));
      }
    } catch (IllegalStateException e) {
      // A shard has just moved, or the table was closed: the rows are fetched when they are read.
    }
    return sum;
  }

  @Override
  public void write(Binding binding) {
    int shard = shardOf(binding.tag);
    locks[shard].lock();
    try {
      if (!closed) {
        write(shard, binding);
      }
    } finally {
      locks[shard].unlock();
    }
  }

  private void write(int shard, Binding binding) {
    MemorySegment rows = shards[shard];
    long at = find(rows, binding.tag);
    boolean isNew = at < 0 || rows.get(WORD, at) == 0;
    if (isNew && rows(shard) >= fullAt(capacity(rows)) && grow(shard)) {
      rows = shards[shard];
      at = find(rows, binding.tag);
    }
    if (at < 0) {
      dropped.increment();
      return;
    }
    long journal = journal(shard);
    // The journal may hold the row before this one, which then has to be complete in its place: a
    // lock sees to that between two callers, but one may write several rows.
    VarHandle.releaseFence();
    store(directory, journal, binding);
    VarHandle.releaseFence(); // the row is touched only when the journal is complete
    MemorySegment.copy(directory, journal, rows, at, ROW_BYTES);
    if (isNew) {
      VarHandle.releaseFence();
      setEntry(shard, level(directory, shard), rows(shard) + 1);
      size.increment();
    }
  }

  @Override
  public long size() {
    return size.sum();
  }

  /** Rows that were found damaged since the start: each is as if it had never been. */
  public long torn() {
    return torn.sum();
  }

  /** New rows that were dropped for want of room since the start. */
  public long dropped() {
    return dropped.sum();
  }

  /** Gives every row whose socket number fits another one. Reads the whole table. */
  public void renumberSockets(IntPredicate which, int number) {
    Binding row = new Binding();
    for (int shard = 0; shard < SHARDS; shard++) {
      locks[shard].lock();
      try {
        MemorySegment rows = shards[shard];
        for (long at = 0; at < rows.byteSize() && !closed; at += ROW_BYTES) {
          if (rows.get(WORD, at) != 0 && isWhole(rows, at)) {
            load(rows, at, row);
            if (which.test(row.socket)) {
              row.socket = number;
              write(shard, row);
            }
          }
        }
      } finally {
        locks[shard].unlock();
      }
    }
  }

  /**
   * Ends all access to the memory: from now on nothing is found and nothing is kept. The journals
   * are emptied, which saves the next opening a look at every shard.
   */
  public void close() {
    for (ReentrantLock lock : locks) {
      lock.lock();
    }
    if (!closed) {
      closed = true;
      directory.asSlice(JOURNALS).fill((byte) 0);
    }
    for (ReentrantLock lock : locks) {
      lock.unlock();
    }
  }

  /** Moves a shard to the next level; false if that cannot be had, or not now. */
  private boolean grow(int shard) {
    int level = level(directory, shard);
    if (level + 1 == ROWS_BY_LEVEL.length
        || rowsUntilRetry.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      return false;
    }
    MemorySegment from = shards[shard];
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment to = scratch.allocate(shardBytes(level + 1), ROW_BYTES);
      int moved = 0;
      for (long at = 0; at < from.byteSize(); at += ROW_BYTES) {
        long tag = from.get(WORD, at);
        if (tag == 0) {
          continue;
        }
        if (!isWhole(from, at) || shardOf(tag) != shard) {
          torn.increment();
          continue;
        }
        long place = find(to, tag);
        boolean isNew = to.get(WORD, place) == 0;
        // Where a power cut made a hole, a device can have a second row behind it: the newer
        // counts.
        if (isNew || sequence(from, at) > sequence(to, place)) {
          MemorySegment.copy(from, at, to, place, ROW_BYTES);
        }
        if (isNew) {
          moved++;
        }
      }
      shards[shard] = space.place(shard, level + 1, to);
      VarHandle.releaseFence();
      size.add(moved - rows(shard));
      setEntry(shard, level + 1, moved);
    } catch (IOException e) {
      rowsUntilRetry.set(ROWS_UNTIL_RETRY); // told by the space, which knows why
      return false;
    } catch (OutOfMemoryError e) { // of the scratch room: the rows are where they were
      rowsUntilRetry.set(ROWS_UNTIL_RETRY);
      space.cannotGrow(e);
      return false;
    }
    space.release(shard, level);
    return true;
  }

  /** Writes the journal's row again, unless it is there already or nothing. */
  private void redo(int shard) {
    long journal = journal(shard);
    long tag = directory.get(WORD, journal);
    if (tag == 0 || shardOf(tag) != shard || !isWhole(directory, journal)) {
      return;
    }
    MemorySegment rows = shards[shard];
    long at = find(rows, tag);
    if (at >= 0
        && MemorySegment.mismatch(directory, journal, journal + ROW_BYTES, rows, at, at + ROW_BYTES)
            >= 0) {
      boolean isNew = rows.get(WORD, at) == 0;
      MemorySegment.copy(directory, journal, rows, at, ROW_BYTES);
      if (isNew) {
        setEntry(shard, level(directory, shard), rows(shard) + 1);
      }
    }
  }

  private static int shardOf(long tag) {
    return (int) (tag >>> (64 - SHARD_BITS));
  }

  private static long journal(int shard) {
    return JOURNALS + (long) shard * ROW_BYTES;
  }

  private static int capacity(MemorySegment rows) {
    return (int) (rows.byteSize() / ROW_BYTES);
  }

  /** So full a search ends after 3.2 rows on average, and 10 M rows take at most 890 MB. */
  private static int fullAt(int capacity) {
    return capacity / 16 * 13;
  }

  /** Where the search begins. */
  private static long first(long tag, int capacity) {
    long fraction = (tag << SHARD_BITS) >>> 32;
    return (fraction * capacity >>> 32) * ROW_BYTES;
  }

  /** Offset of the row, or of the empty one where it belongs; -1 if there is neither. */
  private static long find(MemorySegment rows, long tag) {
    int capacity = capacity(rows);
    long at = first(tag, capacity);
    for (int seen = 0; seen < capacity; seen++) {
      long found = rows.get(WORD, at);
      if (found == tag || found == 0) {
        return at;
      }
      at += ROW_BYTES;
      if (at == rows.byteSize()) {
        at = 0;
      }
    }
    return -1;
  }

  private static void load(MemorySegment from, long at, Binding row) {
    row.tag = from.get(WORD, at);
    long word = from.get(WORD, at + 8);
    row.sequence = sequence(from, at);
    row.keyId = (int) (word >>> 8) & 0xFF;
    row.socket = (int) word & 0xFF;
    row.addressHigh = from.get(WORD, at + 16);
    row.addressLow = from.get(WORD, at + 24);
    word = from.get(WORD, at + 32);
    row.port = (int) (word >>> 48);
    row.generation = (int) (word >>> 32) & 0xFFFF;
    row.lastSeenSeconds = word & 0xFFFF_FFFFL;
    word = from.get(WORD, at + 40);
    row.intervalCode = (int) (word >>> 56);
    row.flags = (int) (word >>> 48) & 0xFF;
  }

  private static long sequence(MemorySegment rows, long at) {
    return rows.get(WORD, at + 8) >>> 16;
  }

  private static void store(MemorySegment into, long at, Binding row) {
    into.set(WORD, at, row.tag);
    into.set(
        WORD, at + 8, row.sequence << 16 | (long) (row.keyId & 0xFF) << 8 | (row.socket & 0xFF));
    into.set(WORD, at + 16, row.addressHigh);
    into.set(WORD, at + 24, row.addressLow);
    into.set(
        WORD,
        at + 32,
        (long) row.port << 48
            | (long) (row.generation & 0xFFFF) << 32
            | (row.lastSeenSeconds & 0xFFFF_FFFFL));
    into.set(WORD, at + 40, (long) row.intervalCode << 56 | (long) (row.flags & 0xFF) << 48);
    into.set(WORD, at + 48, 0);
    into.set(WORD, at + 56, 0);
    into.set(WORD, at + 40, into.get(WORD, at + 40) | checksum(into, at));
  }

  private static boolean isWhole(MemorySegment rows, long at) {
    return (rows.get(WORD, at + CHECKSUM_WORD * 8) & 0xFFFF_FFFFL) == checksum(rows, at);
  }

  /** 32 bits over all of the row but themselves: any single changed word changes them. */
  private static long checksum(MemorySegment rows, long at) {
    long sum = 0;
    for (int i = 0; i < WORDS; i++) {
      long word = rows.get(WORD, at + i * 8L);
      if (i == CHECKSUM_WORD) {
        word &= ~0xFFFF_FFFFL;
      }
      // Independent products, so that they are computed side by side.
      sum += (word ^ word >>> 32) * (0x9E37_79B9_7F4A_7C15L + 2L * i * 0x632B_E59B_D9B4_E019L);
    }
    return mixed(sum) >>> 32;
  }

  private static long mixed(long sum) {
    long mixed = (sum ^ sum >>> 29) * 0xBF58_476D_1CE4_E5B9L;
    return mixed ^ mixed >>> 32;
  }

  private int rows(int shard) {
    return (int) directory.get(WORD, shard * 8L);
  }

  private void setEntry(int shard, int level, int rows) {
    directory.set(WORD, shard * 8L, entry(shard, level, rows));
  }

  private static long entry(int shard, int level, int rows) {
    long body = (long) level << 32 | (rows & 0xFFFF_FFFFL);
    return mixed(body + (shard + 1L) * 0x9E37_79B9_7F4A_7C15L) << 40 | body;
  }

  private static int[] levels() {
    int[] levels = new int[128];
    int count = 0;
    for (int rows = FIRST_ROWS; rows <= MAX_ROWS; count++) {
      levels[count] = rows;
      int step = rows < DOUBLED_ROWS ? rows : rows / 8;
      rows += (step + FIRST_ROWS - 1) / FIRST_ROWS * FIRST_ROWS;
    }
    return java.util.Arrays.copyOf(levels, count);
  }
}
