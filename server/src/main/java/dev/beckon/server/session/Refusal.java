package dev.beckon.server.session;

/** Why a connection ended before a session began. Counted, never logged per connection. */
public enum Refusal {
  /** More connections than {@link SessionConfig#maxConnections}. */
  TOO_MANY_CONNECTIONS,
  /** TLS failed: another version, no common cipher, plain text, or the peer went away. */
  HANDSHAKE_FAILED,
  /** The handshake was not over in time. */
  HANDSHAKE_TOO_SLOW,
  /** The peer asked for neither {@code beckon/1} nor {@code beckon-enroll/1}. */
  NO_COMMON_PROTOCOL,
  /** {@code beckon/1} without a client certificate. */
  NO_CERTIFICATE,
  /** A client certificate that is not a device's, not of this fleet, or out of its dates. */
  UNFIT_CERTIFICATE,
  /** An enrollment connection that did not bring one well-formed request in time. */
  MALFORMED_ENROLLMENT,
  /** An enrollment request with a wrong, used or expired code. */
  ENROLLMENT_REFUSED
}
