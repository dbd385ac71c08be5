package dev.beckon.server.command;

/** Where a command stands. {@link CommandLife} says what follows what. */
public enum CommandState {
  /** Durable here; the device has not confirmed it. */
  QUEUED,
  /** In the device's journal. */
  DELIVERED,
  RUNNING,
  SUCCEEDED,
  FAILED,
  /** The device would not do it. */
  REJECTED,
  /** Not started before its deadline. */
  EXPIRED,
  CANCELLED,
  /** Nobody can tell how it ended; a later report of the device may. */
  UNKNOWN;

  /** Whether nothing more is expected. Only {@link #UNKNOWN} may still be corrected. */
  public boolean ended() {
    return compareTo(RUNNING) > 0;
  }
}
