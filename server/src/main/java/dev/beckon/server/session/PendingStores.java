package dev.beckon.server.session;

/**
 * Counts what is on its way into the store, and says when the device has to wait for it. Not
 * thread-safe.
 */
final class PendingStores {

  /** Enough for every command in flight to begin, progress and end; a flood fills it at once. */
  static final int MAX = 64;

  private int pending;
  private boolean paused;

  boolean isEmpty() {
    return pending == 0;
  }

  /** One more. Returns whether to stop reading now. */
  boolean begin() {
    pending++;
    if (pending < MAX || paused) {
      return false;
    }
    paused = true;
    return true;
  }

  /** One less. Returns whether to read again. */
  boolean end() {
    pending--;
    if (!paused || pending > MAX / 2) {
      return false;
    }
    paused = false;
    return true;
  }
}
