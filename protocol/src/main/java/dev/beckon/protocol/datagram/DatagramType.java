package dev.beckon.protocol.datagram;

/**
 * What a datagram is, told from its STUN message type (RFC 8489, section 5) and, for Binding
 * requests, from whether KEY is there.
 *
 * <pre>
 *    0                 1
 *    2  3  4 5 6 7 8 9 0 1 2 3 4 5
 *   +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |M |M |M|M|M|C|M|M|M|C|M|M|M|M|   M: method, C: class
 *   |11|10|9|8|7|1|6|5|4|0|3|2|1|0|   00 request, 01 indication, 10 success, 11 error
 *   +--+--+-+-+-+-+-+-+-+-+-+-+-+-+
 * </pre>
 */
public enum DatagramType {
  /** Device to server, answered: Binding request with KEY. */
  KEEPALIVE(0x0001),
  /** Device to server, not answered: Binding indication. */
  ONE_WAY_KEEPALIVE(0x0011),
  /** Server to device: Binding success response. */
  KEEPALIVE_ANSWER(0x0101),
  /** Server to device: request of method 0x0BE, which IANA has not assigned. */
  WAKE(0x026E),
  /** Device to server: success response of method 0x0BE. */
  WAKE_ANSWER(0x036E),
  /** A stranger's Binding request, without KEY: answered in public STUN mode only. */
  PLAIN_BINDING_REQUEST(0x0001);

  private final int code;

  DatagramType(int code) {
    this.code = code;
  }

  /** The STUN message type. */
  public int code() {
    return code;
  }
}
