package dev.beckon.protocol.datagram;

/**
 * The attributes that this protocol knows: type and the lengths that the value may have.
 *
 * <p>Types from 0xC000 are comprehension-optional and not registered with IANA: a STUN server that
 * meets them skips them.
 */
final class Attribute {
  /** The device ID; RFC 8489, section 14.3. */
  static final int USERNAME = 0x0006;

  /** SHA-1 integrity, never accepted; RFC 8489, section 14.5. */
  static final int MESSAGE_INTEGRITY = 0x0008;

  /** RFC 8489, section 14.6; always truncated to 16 bytes here. */
  static final int MESSAGE_INTEGRITY_SHA256 = 0x001C;

  /** RFC 8489, section 14.2. */
  static final int XOR_MAPPED_ADDRESS = 0x0020;

  /** RFC 8489, section 14.7. */
  static final int FINGERPRINT = 0x8028;

  /** Key ID 1 byte, interval 1, generation 2. */
  static final int KEY = 0xCB01;

  /** 48 bits. */
  static final int SEQUENCE = 0xCB02;

  /** 8 bytes; zero in a keepalive that has none. */
  static final int PATH_TOKEN = 0xCB03;

  /** Flags 2 bytes, server time 6 (unix milliseconds), directory version 4. */
  static final int STATUS = 0xCB04;

  /** 8 bytes. */
  static final int WAKE_ID = 0xCB05;

  /** Deadline 6 bytes (unix milliseconds), server number 2, dial-back delay 4 (milliseconds). */
  static final int WAKE = 0xCB06;

  /** Zeros that bring a keepalive request to 92 bytes. */
  static final int FILLER = 0xCB07;

  static final int KEY_LENGTH = 4;
  static final int SEQUENCE_LENGTH = 6;
  static final int PATH_TOKEN_LENGTH = 8;
  static final int STATUS_LENGTH = 12;
  static final int WAKE_ID_LENGTH = 8;
  static final int WAKE_LENGTH = 12;
  static final int INTEGRITY_LENGTH = 16;
  static final int FINGERPRINT_LENGTH = 4;
  static final int IPV4_LENGTH = 8;
  static final int IPV6_LENGTH = 20;
  static final int HEADER_LENGTH = 4;

  private Attribute() {}

  /** The space that a value takes: attributes are padded to a multiple of four bytes. */
  static int padded(int length) {
    return (length + 3) & ~3;
  }
}
