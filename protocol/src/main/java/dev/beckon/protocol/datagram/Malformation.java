package dev.beckon.protocol.datagram;

/** Why bytes are not a datagram of this protocol. Such bytes are counted by reason and dropped. */
public enum Malformation {
  /** Shorter than a STUN header, or a keepalive request under 92 bytes. */
  TOO_SHORT,
  /** Longer than {@link DatagramReader#MAX_BYTES}. */
  TOO_LONG,
  /**
   * The two top bits are not zero, the magic cookie is missing, or the length is no multiple of 4.
   */
  NOT_STUN,
  /** The header's length is not the datagram's. */
  LENGTH_MISMATCH,
  /** A STUN message type that this protocol does not use. */
  UNKNOWN_TYPE,
  /** An attribute reaches past the end. */
  ATTRIBUTE_OVERRUN,
  /** A known attribute has a length that it cannot have. */
  ATTRIBUTE_LENGTH,
  DUPLICATE_ATTRIBUTE,
  /** An unknown attribute of the comprehension-required range. */
  UNKNOWN_REQUIRED_ATTRIBUTE,
  MISSING_ATTRIBUTE,
  /** No MESSAGE-INTEGRITY-SHA256 where datagrams are protected. */
  INTEGRITY_MISSING,
  /** MESSAGE-INTEGRITY-SHA256 where datagrams are not protected, so that nobody would check it. */
  INTEGRITY_UNEXPECTED,
  /** MESSAGE-INTEGRITY with SHA-1 is not accepted beside or instead of SHA-256. */
  SHA1_INTEGRITY,
  /** Something other than FINGERPRINT behind the integrity, or anything behind FINGERPRINT. */
  AFTER_INTEGRITY,
  BAD_FINGERPRINT,
  /** USERNAME is not a device ID. */
  BAD_DEVICE_ID,
  /** A field has a value that it cannot have. */
  BAD_VALUE
}
