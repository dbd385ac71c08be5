package dev.beckon.server;

/** A command that was not accepted; the message says why, and what is expected. */
public final class CommandRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String code;

  CommandRefusedException(String code, String detail) {
    super(detail);
    this.code = code;
  }

  /** Stable, for programs, as in docs/errors.md: {@code device-unknown}. */
  public String code() {
    return code;
  }
}
