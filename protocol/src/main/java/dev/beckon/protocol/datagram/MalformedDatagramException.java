package dev.beckon.protocol.datagram;

/** Thrown for bytes that are no datagram of this protocol; has no stack trace, for it is common. */
public final class MalformedDatagramException extends Exception {
  private static final long serialVersionUID = 1;

  private final Malformation reason;

  MalformedDatagramException(Malformation reason) {
    super("malformed datagram: " + reason, null, false, false);
    this.reason = reason;
  }

  public Malformation reason() {
    return reason;
  }
}
