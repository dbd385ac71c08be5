package dev.beckon.server.identity;

/** A change of master keys or CA roots that is not possible now; the message says what to do. */
public final class KeyChangeException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why. */
  public enum Reason {
    /** No such master key is live. */
    KEY_UNKNOWN,
    /** The newest master key cannot go. */
    KEY_NEWEST,
    /** Devices still use the master key. */
    KEY_IN_USE,
    /** An earlier change of the same kind is not over: two are live. */
    CHANGE_UNFINISHED,
    /** There is one CA root only. */
    ROOT_SINGLE,
    /** Devices still depend on the older CA root. */
    ROOT_IN_USE
  }

  private final Reason reason;

  KeyChangeException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
