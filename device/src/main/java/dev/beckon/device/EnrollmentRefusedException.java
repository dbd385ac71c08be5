package dev.beckon.device;

import java.io.IOException;

/** The server would not enroll the device. */
public final class EnrollmentRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  private final String code;

  EnrollmentRefusedException(String code, String text) {
    super("enrollment: refused (" + code + ": " + text + ")");
    this.code = code;
  }

  /** Stable, for programs, such as {@code enrollment-code-expired}. */
  public String code() {
    return code;
  }
}
