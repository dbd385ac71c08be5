package dev.beckon.server.registrar;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A {@link BindingTable} in one array, with open addressing: 64 bytes per row and no object per
 * device. Forgets everything at a restart; devices come back with their next keepalive.
 *
 * <pre>
 *   word 0   tag (0 = empty)
 *   word 1   sequence 48 | key ID 8 | socket 8
 *   word 2   address, high half
 *   word 3   address, low half
 *   word 4   port 16 | generation 16 | last seen 32
 *   word 5   interval 8 | flags 8 | not used 48
 *   word 6, 7  not used
 * </pre>
 *
 * <p>One lock for all rows: there is one thread per socket, and few sockets.
 */
public final class HeapBindingTable implements BindingTable {
  private static final int WORDS = 8;
  private static final int FIRST_ROWS = 1024;

  private final ReentrantLock lock = new ReentrantLock();
  private long[] words = new long[FIRST_ROWS * WORDS];
  private int size;

  @Override
  public void lock(long tag) {
    lock.lock();
  }

  @Override
  public void unlock(long tag) {
    lock.unlock();
  }

  @Override
  public boolean read(long tag, Binding into) {
    lock.lock();
    try {
      int at = find(words, tag);
      if (words[at] == 0) {
        return false;
      }
      into.tag = tag;
      into.sequence = words[at + 1] >>> 16;
      into.keyId = (int) (words[at + 1] >>> 8) & 0xFF;
      into.socket = (int) words[at + 1] & 0xFF;
      into.addressHigh = words[at + 2];
      into.addressLow = words[at + 3];
      into.port = (int) (words[at + 4] >>> 48);
      into.generation = (int) (words[at + 4] >>> 32) & 0xFFFF;
      into.lastSeenSeconds = words[at + 4] & 0xFFFF_FFFFL;
      into.intervalCode = (int) (words[at + 5] >>> 56);
      into.flags = (int) (words[at + 5] >>> 48) & 0xFF;
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void write(Binding binding) {
    lock.lock();
    try {
      int at = find(words, binding.tag);
      if (words[at] == 0) {
        // Three quarters full: a search still ends after 2.5 rows on average (8.5 if in vain).
        if (++size > words.length / WORDS / 4 * 3) {
          grow();
          at = find(words, binding.tag);
        }
      }
      words[at] = binding.tag;
      words[at + 1] =
          binding.sequence << 16 | (long) (binding.keyId & 0xFF) << 8 | (binding.socket & 0xFF);
      words[at + 2] = binding.addressHigh;
      words[at + 3] = binding.addressLow;
      words[at + 4] =
          (long) binding.port << 48
              | (long) (binding.generation & 0xFFFF) << 32
              | (binding.lastSeenSeconds & 0xFFFF_FFFFL);
      words[at + 5] = (long) binding.intervalCode << 56 | (long) (binding.flags & 0xFF) << 48;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long size() {
    lock.lock();
    try {
      return size;
    } finally {
      lock.unlock();
    }
  }

  /** Index of the row's first word, or of the empty row where it belongs. */
  private static int find(long[] words, long tag) {
    int mask = words.length - 1;
    int at = ((int) tag * WORDS) & mask;
    while (words[at] != 0 && words[at] != tag) {
      at = (at + WORDS) & mask;
    }
    return at;
  }

  private void grow() {
    long[] larger = new long[words.length * 2];
    for (int from = 0; from < words.length; from += WORDS) {
      if (words[from] != 0) {
        System.arraycopy(words, from, larger, find(larger, words[from]), WORDS);
      }
    }
    words = larger;
  }
}
