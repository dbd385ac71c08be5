package dev.beckon.server.registrar;

/**
 * One row per device, found by its tag. Rows are copied out and in, so that an implementation is
 * free to keep them anywhere.
 *
 * <p>Thread-safe. To change a row: {@link #lock}, {@link #read}, {@link #write}, {@link #unlock}.
 * {@link #read} alone is allowed too and never sees half a row.
 */
public interface BindingTable {
  /**
   * Keeps others from changing the row of this tag. Held for a few microseconds; a thread holds one
   * at a time.
   */
  void lock(long tag);

  void unlock(long tag);

  /**
   * Copies the row of {@code tag}.
   *
   * @return false if there is none; {@code into} is then unchanged
   */
  boolean read(long tag, Binding into);

  /**
   * Adds or replaces the row of {@code binding.tag}, under its lock. Replacing always succeeds;
   * where there is no room for another row, the new one is dropped and counted.
   */
  void write(Binding binding);

  /**
   * Begins to bring the first rows of {@code tags} from memory into the cache, all at the same
   * time; what is read soon after finds them there. Changes nothing, and needs no lock. Where it
   * does not pay, it does nothing.
   *
   * @return means nothing; to be stored somewhere, so that the compiler does not leave out loads
   *     that nobody needs
   */
  default long fetch(long[] tags, int count) {
    return 0;
  }

  /** Number of rows. */
  long size();
}
