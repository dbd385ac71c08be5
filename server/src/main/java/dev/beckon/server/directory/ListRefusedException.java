package dev.beckon.server.directory;

import org.jspecify.annotations.Nullable;

/** A signed list that must not be taken. */
public final class ListRefusedException extends Exception {
  private static final long serialVersionUID = 1;

  /** What is wrong with it. */
  public enum Reason {
    /** Not readable, larger than {@link ListCheck#MAX_BYTES}, or its entries out of order. */
    MALFORMED,
    /** Its certificate is not the directory server's of this fleet, or not valid now. */
    WRONG_SIGNER,
    /** Not what the directory server signed. */
    FORGED,
    /** Older than what is held already. */
    ROLLED_BACK
  }

  private final Reason reason;

  ListRefusedException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  ListRefusedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
