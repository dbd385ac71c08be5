package dev.beckon.protocol.datagram;

import dev.beckon.protocol.Security;
import java.util.Arrays;

/** One datagram as an immutable message. */
public sealed interface Datagram permits Keepalive, KeepaliveAnswer, Wake, WakeAnswer {
  /** The 12 bytes by which an answer is matched to its request; not copied, not to be changed. */
  byte[] transactionId();

  /**
   * Writes the datagram, but for the integrity and the length.
   *
   * @param integrityFollows whether an integrity will be added, for what depends on the size
   */
  void write(DatagramWriter writer, boolean integrityFollows);

  /** The datagram's bytes, with their integrity under {@code deviceKey}. */
  default byte[] encode(byte[] deviceKey) {
    DatagramWriter writer = new DatagramWriter();
    write(writer, true);
    return Arrays.copyOf(writer.bytes(), writer.finish(new HmacSha256(), deviceKey));
  }

  /** The datagram's bytes without an integrity: for {@link Security#NONE} alone. */
  default byte[] encodeUnprotected() {
    DatagramWriter writer = new DatagramWriter();
    write(writer, false);
    return Arrays.copyOf(writer.bytes(), writer.finishUnprotected());
  }

  /**
   * Reads a datagram that must carry an integrity, as {@link #decode(byte[], int, Security)}.
   *
   * @throws MalformedDatagramException if the bytes are no datagram of this protocol
   */
  static Datagram decode(byte[] bytes, int length) throws MalformedDatagramException {
    return decode(bytes, length, Security.MUTUAL);
  }

  /**
   * Reads framing and fields. Says nothing about who sent it: see {@link #isAuthentic}.
   *
   * @param security whether an integrity must be there, or must not
   * @throws MalformedDatagramException if the bytes are no datagram of this protocol; a Binding
   *     request without KEY is none ({@link Malformation#MISSING_ATTRIBUTE})
   */
  static Datagram decode(byte[] bytes, int length, Security security)
      throws MalformedDatagramException {
    DatagramReader reader = new DatagramReader(security);
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
