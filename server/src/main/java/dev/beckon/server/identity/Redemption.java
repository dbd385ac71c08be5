package dev.beckon.server.identity;

import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;

/** What became of an enrollment request; both go to the device as they are. */
public sealed interface Redemption {

  record Answered(EnrollmentAnswer answer) implements Redemption {}

  /**
   * Codes: {@code enrollment-code-unknown}, {@code enrollment-code-expired}, {@code
   * enrollment-code-used}, {@code certificate-request-invalid}.
   */
  record Refused(EnrollmentRefusal refusal) implements Redemption {}
}
