package dev.beckon.server.registrar;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The memory that a {@link RowTable} lives in. What is stored there must outlive the process as it
 * stands, if the table shall. Calls come from many threads, one at a time for each shard.
 */
public interface RowSpace {
  /** The table's directory, {@link RowTable#DIRECTORY_BYTES} long, aligned to 64 bytes. */
  MemorySegment directory();

  /** The rows of a shard that the directory knows at this level. */
  MemorySegment rows(int shard, int level);

  /**
   * Makes room for a shard at another level, with this content; the rows that it has stay until
   * {@link #release}.
   *
   * @return the new room, safe to write to from now on
   * @throws IOException if there is no room; nothing has changed then
   */
  MemorySegment place(int shard, int level, MemorySegment content) throws IOException;

  /** Is told that the table wanted to grow and had not the memory to do so; it goes on as it is. */
  void cannotGrow(OutOfMemoryError why);

  /** The shard has left this level; its room there is free. */
  void release(int shard, int level);
}
