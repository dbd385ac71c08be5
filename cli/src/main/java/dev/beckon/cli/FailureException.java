package dev.beckon.cli;

import org.jspecify.annotations.Nullable;

/**
 * Ends a command: one line that says what is wrong, perhaps a second one that says what to do, and
 * the exit code. Needs no stack trace, since the reader is not a programmer.
 */
final class FailureException extends RuntimeException {

  private final int exitCode;
  private final String line;
  private final @Nullable String hint;

  FailureException(int exitCode, String message, @Nullable String hint) {
    super(message, null, false, false);
    this.exitCode = exitCode;
    this.line = message;
    this.hint = hint;
  }

  /** Something that the command was asked to do went wrong. */
  static FailureException failed(String message, @Nullable String hint) {
    return new FailureException(ExitCode.FAILED, message, hint);
  }

  /** The command line or a file it names is wrong. */
  static FailureException usage(String message, @Nullable String hint) {
    return new FailureException(ExitCode.USAGE, message, hint);
  }

  /** Nobody answers at the server's address, or not with Beckon's API. */
  static FailureException notReachable(String message, @Nullable String hint) {
    return new FailureException(ExitCode.NOT_REACHABLE, message, hint);
  }

  /** What is wrong, in one line. */
  String line() {
    return line;
  }

  int exitCode() {
    return exitCode;
  }

  @Nullable String hint() {
    return hint;
  }
}
