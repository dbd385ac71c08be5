package dev.beckon.protocol.datagram;

import static dev.beckon.protocol.datagram.Attribute.FINGERPRINT_LENGTH;
import static dev.beckon.protocol.datagram.Attribute.HEADER_LENGTH;
import static dev.beckon.protocol.datagram.Attribute.INTEGRITY_LENGTH;
import static dev.beckon.protocol.datagram.Attribute.padded;
import static dev.beckon.protocol.datagram.Malformation.AFTER_INTEGRITY;
import static dev.beckon.protocol.datagram.Malformation.ATTRIBUTE_LENGTH;
import static dev.beckon.protocol.datagram.Malformation.ATTRIBUTE_OVERRUN;
import static dev.beckon.protocol.datagram.Malformation.BAD_DEVICE_ID;
import static dev.beckon.protocol.datagram.Malformation.BAD_FINGERPRINT;
import static dev.beckon.protocol.datagram.Malformation.BAD_VALUE;
import static dev.beckon.protocol.datagram.Malformation.DUPLICATE_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.INTEGRITY_MISSING;
import static dev.beckon.protocol.datagram.Malformation.INTEGRITY_UNEXPECTED;
import static dev.beckon.protocol.datagram.Malformation.LENGTH_MISMATCH;
import static dev.beckon.protocol.datagram.Malformation.MISSING_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.NOT_STUN;
import static dev.beckon.protocol.datagram.Malformation.SHA1_INTEGRITY;
import static dev.beckon.protocol.datagram.Malformation.TOO_LONG;
import static dev.beckon.protocol.datagram.Malformation.TOO_SHORT;
import static dev.beckon.protocol.datagram.Malformation.UNKNOWN_REQUIRED_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.UNKNOWN_TYPE;

import dev.beckon.protocol.Security;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A view of one received datagram that is used again for the next: {@link #read} finds and checks
 * the attributes, the accessors read the fields where they stand, {@link #isAuthentic} checks the
 * integrity. Nothing is allocated.
 *
 * <p>The caller's array is not copied: it must not change while the accessors are used. An accessor
 * may be called only if {@link #read} returned null and the datagram's {@link #type} has the field.
 * Not thread-safe: one per thread.
 */
public final class DatagramReader {
  /** Magic cookie of RFC 8489, section 5. */
  public static final int MAGIC_COOKIE = 0x2112A442;

  public static final int STUN_HEADER_BYTES = 20;
  public static final int TRANSACTION_ID_BYTES = 12;

  /** No IPv4 path fragments this (576 − 28; RFC 8489, section 6.1). Ours are below 160 bytes. */
  public static final int MAX_BYTES = 548;

  /**
   * A keepalive request is at least this long, for the longest answer (IPv6) is: a spoofed source
   * address never gets more bytes than were sent in its name.
   */
  public static final int MIN_KEEPALIVE_BYTES = 92;

  /** The fingerprint is the CRC-32 XORed with "STUN" (RFC 8489, section 14.7). */
  static final int FINGERPRINT_XOR = 0x5354554E;

  private static final int TRANSACTION_ID_AT = 8;
  private static final int ABSENT = -1;

  private final boolean isProtected;
  private final byte[] computed = new byte[HmacSha256.LENGTH];
  private final CRC32 crc = new CRC32();

  private byte[] bytes = new byte[0];
  private int length;
  private @Nullable DatagramType type;
  private @Nullable Malformation fault;
  private int unknownRequired;

  // Where the values stand, or ABSENT.
  private int username;
  private int usernameLength;
  private int key;
  private int sequence;
  private int pathToken;
  private int status;
  private int mappedAddress;
  private int wakeId;
  private int wake;
  private int filler;
  private int integrity;
  private int fingerprint;

  /** Reads datagrams that must carry an integrity. */
  public DatagramReader() {
    this(Security.MUTUAL);
  }

  /**
   * @param security whether datagrams must carry an integrity, or must not: who checks none must
   *     not take what the other side protected, or the two would seem to understand each other
   */
  public DatagramReader(Security security) {
    this.isProtected = security.protectsDatagrams();
  }

  /**
   * Reads the framing and every field, without authentication.
   *
   * @return null if the bytes are a well-formed datagram, else why not
   */
  public @Nullable Malformation read(byte[] bytes, int length) {
    this.bytes = bytes;
    this.length = length;
    type = null;
    fault = null;
    unknownRequired = ABSENT;
    username = key = sequence = pathToken = status = mappedAddress = ABSENT;
    wakeId = wake = filler = integrity = fingerprint = ABSENT;

    if (length < STUN_HEADER_BYTES) {
      return TOO_SHORT;
    }
    if (length > MAX_BYTES) {
      return TOO_LONG;
    }
    if ((bytes[0] & 0xC0) != 0 || (length & 3) != 0 || Bytes.i32(bytes, 4) != MAGIC_COOKIE) {
      return NOT_STUN;
    }
    if (Bytes.u16(bytes, 2) != length - STUN_HEADER_BYTES) {
      return LENGTH_MISMATCH;
    }
    DatagramType found = typeOf(Bytes.u16(bytes, 0));
    if (found == null) {
      return UNKNOWN_TYPE;
    }
    for (int at = STUN_HEADER_BYTES; at < length; ) {
      int valueLength = Bytes.u16(bytes, at + 2);
      if (padded(valueLength) > length - at - HEADER_LENGTH) {
        return ATTRIBUTE_OVERRUN;
      }
      attribute(Bytes.u16(bytes, at), at + HEADER_LENGTH, valueLength);
      at += HEADER_LENGTH + padded(valueLength);
    }
    if (found == DatagramType.KEEPALIVE && key == ABSENT) {
      // A stranger's STUN client may send attributes that we do not know.
      found = DatagramType.PLAIN_BINDING_REQUEST;
      fault = fault == BAD_FINGERPRINT ? fault : null;
    }
    if (fault == null) {
      fault = checkFields(found);
    }
    if (fault == null) {
      type = found;
    }
    return fault;
  }

  private static @Nullable DatagramType typeOf(int code) {
    return switch (code) {
      case 0x0001 -> DatagramType.KEEPALIVE;
      case 0x0011 -> DatagramType.ONE_WAY_KEEPALIVE;
      case 0x0101 -> DatagramType.KEEPALIVE_ANSWER;
      case 0x026E -> DatagramType.WAKE;
      case 0x036E -> DatagramType.WAKE_ANSWER;
      default -> null;
    };
  }

  private void attribute(int attributeType, int at, int valueLength) {
    if (fingerprint != ABSENT || (integrity != ABSENT && attributeType != Attribute.FINGERPRINT)) {
      fault(AFTER_INTEGRITY);
      return;
    }
    switch (attributeType) {
      case Attribute.USERNAME -> {
        username = once(username, at);
        usernameLength = valueLength;
        if (!isDeviceId(at, valueLength)) {
          fault(BAD_DEVICE_ID);
        }
      }
      case Attribute.KEY -> key = fixed(key, at, valueLength, Attribute.KEY_LENGTH);
      case Attribute.SEQUENCE ->
          sequence = fixed(sequence, at, valueLength, Attribute.SEQUENCE_LENGTH);
      case Attribute.PATH_TOKEN ->
          pathToken = fixed(pathToken, at, valueLength, Attribute.PATH_TOKEN_LENGTH);
      case Attribute.STATUS -> status = fixed(status, at, valueLength, Attribute.STATUS_LENGTH);
      case Attribute.WAKE_ID -> wakeId = fixed(wakeId, at, valueLength, Attribute.WAKE_ID_LENGTH);
      case Attribute.WAKE -> wake = fixed(wake, at, valueLength, Attribute.WAKE_LENGTH);
      case Attribute.FILLER -> filler = once(filler, at);
      case Attribute.XOR_MAPPED_ADDRESS -> {
        mappedAddress = once(mappedAddress, at);
        checkMappedAddress(at, valueLength);
      }
      case Attribute.MESSAGE_INTEGRITY_SHA256 ->
          integrity = fixed(integrity, at, valueLength, INTEGRITY_LENGTH);
      case Attribute.FINGERPRINT -> {
        fingerprint = at;
        if (valueLength != FINGERPRINT_LENGTH || !isFingerprintRight(at)) {
          fault = BAD_FINGERPRINT; // whatever else is wrong is a consequence
        }
      }
      case Attribute.MESSAGE_INTEGRITY -> fault(SHA1_INTEGRITY);
      default -> {
        if (attributeType < 0x8000) { // comprehension-required: RFC 8489, section 14
          if (unknownRequired == ABSENT) {
            unknownRequired = attributeType;
          }
          fault(UNKNOWN_REQUIRED_ATTRIBUTE);
        }
      }
    }
  }

  private void fault(Malformation reason) {
    if (fault == null) {
      fault = reason;
    }
  }

  private int once(int before, int at) {
    if (before != ABSENT) {
      fault(DUPLICATE_ATTRIBUTE);
    }
    return at;
  }

  private int fixed(int before, int at, int valueLength, int expected) {
    if (valueLength != expected) {
      fault(ATTRIBUTE_LENGTH);
    }
    return once(before, at);
  }

  private boolean isDeviceId(int at, int valueLength) {
    if (valueLength < 1 || valueLength > DeviceId.MAX_LENGTH) {
      return false;
    }
    for (int i = 0; i < valueLength; i++) {
      if (!DeviceId.isAllowed(bytes[at + i])) {
        return false;
      }
    }
    return true;
  }

  private void checkMappedAddress(int at, int valueLength) {
    int family = valueLength < 4 ? 0 : Bytes.u8(bytes, at + 1);
    int expected =
        switch (family) {
          case 1 -> Attribute.IPV4_LENGTH;
          case 2 -> Attribute.IPV6_LENGTH;
          default -> ABSENT;
        };
    if (valueLength != expected) {
      fault(ATTRIBUTE_LENGTH);
    }
  }

  private boolean isFingerprintRight(int at) {
    crc.reset();
    crc.update(bytes, 0, at - HEADER_LENGTH);
    return ((int) crc.getValue() ^ FINGERPRINT_XOR) == Bytes.i32(bytes, at);
  }

  private @Nullable Malformation checkFields(DatagramType found) {
    if ((integrity != ABSENT) != isProtected && found != DatagramType.PLAIN_BINDING_REQUEST) {
      return isProtected ? INTEGRITY_MISSING : INTEGRITY_UNEXPECTED;
    }
    return switch (found) {
      case KEEPALIVE, ONE_WAY_KEEPALIVE -> {
        if (absent(username) || absent(key) || absent(sequence) || absent(pathToken)) {
          yield MISSING_ATTRIBUTE;
        }
        if (intervalCode() == 0) {
          yield BAD_VALUE;
        }
        boolean padded = found == DatagramType.ONE_WAY_KEEPALIVE || length >= MIN_KEEPALIVE_BYTES;
        yield padded ? null : TOO_SHORT;
      }
      case KEEPALIVE_ANSWER -> {
        if (absent(mappedAddress) || absent(status)) {
          yield MISSING_ATTRIBUTE;
        }
        yield absent(isStale() ? sequence : pathToken) ? MISSING_ATTRIBUTE : null;
      }
      case WAKE -> {
        boolean whole = !absent(username) && !absent(key) && !absent(sequence);
        yield whole && !absent(wakeId) && !absent(wake) ? null : MISSING_ATTRIBUTE;
      }
      case WAKE_ANSWER -> absent(wakeId) ? MISSING_ATTRIBUTE : null;
      case PLAIN_BINDING_REQUEST -> null;
    };
  }

  private static boolean absent(int at) {
    return at == ABSENT;
  }

  /**
   * Whether the integrity is right under the key, in a time that does not depend on the bytes. The
   * HMAC covers everything before the integrity attribute, under a header whose length field ends
   * with it (RFC 8489, section 14.6). Without an integrity: false.
   */
  public boolean isAuthentic(HmacSha256 hmac, byte[] deviceKey) {
    if (integrity == ABSENT) {
      return false;
    }
    int attributeAt = integrity - HEADER_LENGTH;
    int coveredLength = integrity + INTEGRITY_LENGTH - STUN_HEADER_BYTES;
    hmac.init(deviceKey);
    hmac.update(bytes, 0, 2);
    hmac.update((byte) (coveredLength >>> 8));
    hmac.update((byte) coveredLength);
    hmac.update(bytes, 4, attributeAt - 4);
    hmac.doFinal(computed, 0);
    int difference = 0;
    for (int i = 0; i < INTEGRITY_LENGTH; i++) {
      difference |= computed[i] ^ bytes[integrity + i];
    }
    return difference == 0;
  }

  /**
   * What was read.
   *
   * @throws IllegalStateException if nothing well-formed was read
   */
  public DatagramType type() {
    if (type == null) {
      throw new IllegalStateException("no well-formed datagram was read");
    }
    return type;
  }

  public byte[] bytes() {
    return bytes;
  }

  public int length() {
    return length;
  }

  /** Where the 12 bytes of the transaction ID stand. */
  public int transactionIdOffset() {
    return TRANSACTION_ID_AT;
  }

  public int deviceIdOffset() {
    return username;
  }

  public int deviceIdLength() {
    return usernameLength;
  }

  public int keyId() {
    return Bytes.u8(bytes, key);
  }

  /** 0 in a wake, 1 to 255 in a keepalive. */
  public int intervalCode() {
    return Bytes.u8(bytes, key + 1);
  }

  public int generation() {
    return Bytes.u16(bytes, key + 2);
  }

  public long sequence() {
    return Bytes.u48(bytes, sequence);
  }

  /** The path token; 0 means that the device has none. */
  public long pathToken() {
    return Bytes.i64(bytes, pathToken);
  }

  public boolean isStale() {
    return (Bytes.u16(bytes, status) & DatagramWriter.FLAG_STALE) != 0;
  }

  public boolean isUnproven() {
    return (Bytes.u16(bytes, status) & DatagramWriter.FLAG_UNPROVEN) != 0;
  }

  public long serverTimeMillis() {
    return Bytes.u48(bytes, status + 2);
  }

  public long directoryVersion() {
    return Bytes.u32(bytes, status + 8);
  }

  public long wakeId() {
    return Bytes.i64(bytes, wakeId);
  }

  public long deadlineMillis() {
    return Bytes.u48(bytes, wake);
  }

  public int serverNumber() {
    return Bytes.u16(bytes, wake + 6);
  }

  public long dialBackDelayMillis() {
    return Bytes.u32(bytes, wake + 8);
  }

  /** High half of the mapped address, as in {@link AddressBits}. */
  public long mappedAddressHigh() {
    return isMappedIpv4()
        ? 0
        : Bytes.i64(bytes, mappedAddress + 4) ^ Bytes.i64(bytes, TRANSACTION_ID_AT - 4);
  }

  /** Low half of the mapped address, as in {@link AddressBits}. */
  public long mappedAddressLow() {
    return isMappedIpv4()
        ? 0xFFFF_0000_0000L | ((Bytes.i32(bytes, mappedAddress + 4) ^ MAGIC_COOKIE) & 0xFFFF_FFFFL)
        : Bytes.i64(bytes, mappedAddress + 12) ^ Bytes.i64(bytes, TRANSACTION_ID_AT + 4);
  }

  public int mappedPort() {
    return Bytes.u16(bytes, mappedAddress + 2) ^ (MAGIC_COOKIE >>> 16);
  }

  private boolean isMappedIpv4() {
    return Bytes.u8(bytes, mappedAddress + 1) == 1;
  }

  /** First unknown comprehension-required attribute, for the 420 answer of public STUN, or −1. */
  public int unknownRequiredAttribute() {
    return unknownRequired;
  }
}
