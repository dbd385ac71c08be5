package dev.beckon.protocol.datagram;

/** One datagram as an immutable message. */
public sealed interface Datagram permits Keepalive, KeepaliveAnswer, Wake, WakeAnswer {
  /** The 12 bytes by which an answer is matched to its request; not copied, not to be changed. */
  byte[] transactionId();

  /** The datagram's bytes, with their integrity under {@code deviceKey}. */
  byte[] encode(byte[] deviceKey);

  /**
   * Reads framing and fields. Says nothing about who sent it: see {@link #isAuthentic}.
   *
   * @throws MalformedDatagramException if the bytes are no datagram of this protocol; a Binding
   *     request without KEY is none ({@link Malformation#MISSING_ATTRIBUTE})
   */
  static Datagram decode(byte[] bytes, int length) throws MalformedDatagramException {
    DatagramReader reader = new DatagramReader();
    Malformation malformation = reader.read(bytes, length);
    if (malformation != null) {
      throw new MalformedDatagramException(malformation);
    }
    return switch (reader.type()) {
      case KEEPALIVE, ONE_WAY_KEEPALIVE -> Keepalive.from(reader);
      case KEEPALIVE_ANSWER -> KeepaliveAnswer.from(reader);
      case WAKE -> Wake.from(reader);
      case WAKE_ANSWER -> WakeAnswer.from(reader);
      case PLAIN_BINDING_REQUEST ->
          throw new MalformedDatagramException(Malformation.MISSING_ATTRIBUTE);
    };
  }

  /** Whether the bytes are a well-formed datagram whose integrity is right under the key. */
  static boolean isAuthentic(byte[] bytes, int length, byte[] deviceKey) {
    DatagramReader reader = new DatagramReader();
    return reader.read(bytes, length) == null
        && reader.type() != DatagramType.PLAIN_BINDING_REQUEST
        && reader.isAuthentic(new HmacSha256(), deviceKey);
  }
}
