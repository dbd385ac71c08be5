package dev.beckon.server.session;

/** Why a connection ended before a session began. Counted, never logged per connection. */
public enum Refusal {
  /** More connections than {@link SessionConfig#maxConnections}. */
  TOO_MANY_CONNECTIONS,
  /** TLS failed: another version, no common cipher, or the peer went away. */
  HANDSHAKE_FAILED,
  /** Plain text where TLS must begin: a device whose security is {@code none}, or a stranger. */
  NOT_TLS,
  /** The handshake was not over in time. */
  HANDSHAKE_TOO_SLOW,
  /** The peer asked for neither {@code beckon/1} nor {@code beckon-enroll/1}. */
  NO_COMMON_PROTOCOL,
  /** {@code beckon/1} without a client certificate. */
  NO_CERTIFICATE,
  /** A client certificate that is not a device's, not of this fleet, or out of its dates. */
  UNFIT_CERTIFICATE,
  /** A session over TLS, where security is {@code none}. */
  OTHER_SECURITY,
  /**
   * Without a client certificate (security {@code server} or {@code none}): it left, was silent or
   * began otherwise before Hello. A device whose security is {@code mutual} leaves a server without
   * it like that.
   */
  NO_HELLO,
  /** Likewise: no device of the ID in Hello has enrolled. */
  UNKNOWN_DEVICE,
  /** An enrollment connection that did not bring one well-formed request in time. */
  MALFORMED_ENROLLMENT,
  /** An enrollment request with a wrong, used or expired code. */
  ENROLLMENT_REFUSED
}
