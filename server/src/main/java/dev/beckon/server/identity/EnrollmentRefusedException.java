package dev.beckon.server.identity;

import java.io.IOException;

/** The rendezvous server would not enroll this server. */
public final class EnrollmentRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String code;

  EnrollmentRefusedException(String code, String text) {
    super("enrollment: refused (" + text + ")");
    this.code = code;
  }

  /** Stable, for programs, such as {@code enrollment-code-expired}. */
  public String code() {
    return code;
  }
}
