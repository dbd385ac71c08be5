package dev.beckon.cli;

/** What the process's exit code says; the same for every command, listed in every help text. */
final class ExitCode {

  static final int DONE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int NOT_REACHABLE = 3;
  static final int EXPIRED = 4;

  private ExitCode() {}
}
