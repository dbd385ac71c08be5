package dev.beckon.agent;

/** What the process tells its caller. */
final class ExitCode {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int NOT_REACHABLE = 3;
  static final int TIMED_OUT = 4;

  private ExitCode() {}
}
