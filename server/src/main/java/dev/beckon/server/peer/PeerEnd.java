package dev.beckon.server.peer;

/** Why a connection between servers ended. */
public enum PeerEnd {
  /** The server was taken off the list, or a newer generation of it enrolled. */
  REMOVED,
  /** The server's certificate is of a CA root that counts no more; it may have a newer one. */
  ROOT_DROPPED,
  /** The same number opened a newer connection. */
  REPLACED,
  SHUTTING_DOWN,
  /** PeerHello named another number or generation than the certificate. */
  WRONG_NUMBER,
  /** The two run in different security modes. */
  WRONG_SECURITY,
  /** The other side broke a rule of the protocol. */
  PROTOCOL_ERROR,
  /** The other side was silent for too long. */
  SILENT,
  /** The other side did not read what it was sent. */
  TOO_SLOW,
  /** The connection broke, or could not be made. */
  CONNECTION_LOST;

  /** As it stands in PeerBye and in metrics. */
  public String code() {
    return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }
}
