package dev.beckon.protocol.datagram;

import static dev.beckon.protocol.datagram.Attribute.HEADER_LENGTH;
import static dev.beckon.protocol.datagram.Attribute.padded;
import static dev.beckon.protocol.datagram.DatagramReader.MAGIC_COOKIE;
import static dev.beckon.protocol.datagram.DatagramReader.STUN_HEADER_BYTES;
import static dev.beckon.protocol.datagram.DatagramReader.TRANSACTION_ID_BYTES;

import java.util.zip.CRC32;

/**
 * Writes one datagram after another into the same array: {@link #begin}, the attributes in the
 * order of docs/PROTOCOL.md, {@link #finish}. Nothing is allocated. Not thread-safe: one per
 * thread.
 */
public final class DatagramWriter {
  /** In STATUS: the keepalive's sequence was older than the last one. */
  public static final int FLAG_STALE = 1;

  /** In STATUS: the mapped address is not proven; echo the path token at once. */
  public static final int FLAG_UNPROVEN = 2;

  private static final int ERROR_RESPONSE = 0x0111;
  private static final int ERROR_CODE = 0x0009;
  private static final int UNKNOWN_ATTRIBUTES = 0x000A;
  private static final int FAMILY_IPV4 = 1;
  private static final int FAMILY_IPV6 = 2;

  private final byte[] bytes = new byte[DatagramReader.MAX_BYTES];
  private final byte[] computed = new byte[HmacSha256.LENGTH];
  private final CRC32 crc = new CRC32();
  private int length;

  /** Starts a datagram with the 12 bytes of transaction ID that stand in {@code source}. */
  public DatagramWriter begin(DatagramType type, byte[] source, int transactionIdOffset) {
    return begin(type.code(), source, transactionIdOffset);
  }

  private DatagramWriter begin(int type, byte[] source, int transactionIdOffset) {
    Bytes.put16(bytes, 0, type);
    Bytes.put32(bytes, 4, MAGIC_COOKIE);
    System.arraycopy(source, transactionIdOffset, bytes, 8, TRANSACTION_ID_BYTES);
    length = STUN_HEADER_BYTES;
    return this;
  }

  public DatagramWriter deviceId(byte[] source, int offset, int idLength) {
    int at = attribute(Attribute.USERNAME, idLength);
    System.arraycopy(source, offset, bytes, at, idLength);
    return this;
  }

  public DatagramWriter key(int keyId, int intervalCode, int generation) {
    int at = attribute(Attribute.KEY, Attribute.KEY_LENGTH);
    bytes[at] = (byte) keyId;
    bytes[at + 1] = (byte) intervalCode;
    Bytes.put16(bytes, at + 2, generation);
    return this;
  }

  public DatagramWriter sequence(long sequence) {
    Bytes.put48(bytes, attribute(Attribute.SEQUENCE, Attribute.SEQUENCE_LENGTH), sequence);
    return this;
  }

  public DatagramWriter pathToken(long pathToken) {
    Bytes.put64(bytes, attribute(Attribute.PATH_TOKEN, Attribute.PATH_TOKEN_LENGTH), pathToken);
    return this;
  }

  public DatagramWriter status(int flags, long serverTimeMillis, long directoryVersion) {
    int at = attribute(Attribute.STATUS, Attribute.STATUS_LENGTH);
    Bytes.put16(bytes, at, flags);
    Bytes.put48(bytes, at + 2, serverTimeMillis);
    Bytes.put32(bytes, at + 8, (int) directoryVersion);
    return this;
  }

  /** XOR-MAPPED-ADDRESS of an address in the form of {@link AddressBits}; after {@link #begin}. */
  public DatagramWriter mappedAddress(long high, long low, int port) {
    boolean ipv4 = AddressBits.isIpv4(high, low);
    int at =
        attribute(
            Attribute.XOR_MAPPED_ADDRESS, ipv4 ? Attribute.IPV4_LENGTH : Attribute.IPV6_LENGTH);
    Bytes.put16(bytes, at, ipv4 ? FAMILY_IPV4 : FAMILY_IPV6);
    Bytes.put16(bytes, at + 2, port ^ (MAGIC_COOKIE >>> 16));
    if (ipv4) {
      Bytes.put32(bytes, at + 4, (int) low ^ MAGIC_COOKIE);
    } else {
      Bytes.put64(bytes, at + 4, high ^ Bytes.i64(bytes, 4));
      Bytes.put64(bytes, at + 12, low ^ Bytes.i64(bytes, 12));
    }
    return this;
  }

  public DatagramWriter wakeId(long wakeId) {
    Bytes.put64(bytes, attribute(Attribute.WAKE_ID, Attribute.WAKE_ID_LENGTH), wakeId);
    return this;
  }

  public DatagramWriter wake(long deadlineMillis, int serverNumber, long dialBackDelayMillis) {
    int at = attribute(Attribute.WAKE, Attribute.WAKE_LENGTH);
    Bytes.put48(bytes, at, deadlineMillis);
    Bytes.put16(bytes, at + 6, serverNumber);
    Bytes.put32(bytes, at + 8, (int) dialBackDelayMillis);
    return this;
  }

  /**
   * Fills up so that the datagram has at least {@code wholeBytes} once it is finished.
   *
   * @param integrityFollows whether {@link #finish} comes next, not {@link #finishUnprotected}
   */
  public DatagramWriter fillTo(int wholeBytes, boolean integrityFollows) {
    int behind = integrityFollows ? HEADER_LENGTH + Attribute.INTEGRITY_LENGTH : 0;
    int missing = wholeBytes - length - HEADER_LENGTH - behind;
    if (missing > -HEADER_LENGTH) {
      attribute(Attribute.FILLER, Math.max(0, missing));
    }
    return this;
  }

  /**
   * Adds the integrity. Returns the datagram's length; it stands at the start of {@link #bytes}.
   */
  public int finish(HmacSha256 hmac, byte[] deviceKey) {
    int covered = length;
    int at = attribute(Attribute.MESSAGE_INTEGRITY_SHA256, Attribute.INTEGRITY_LENGTH);
    putLength();
    hmac.init(deviceKey);
    hmac.update(bytes, 0, covered);
    hmac.doFinal(computed, 0);
    System.arraycopy(computed, 0, bytes, at, Attribute.INTEGRITY_LENGTH);
    return length;
  }

  /**
   * Ends a datagram without an integrity: for {@link dev.beckon.protocol.Security#NONE} alone.
   * Returns its length.
   */
  public int finishUnprotected() {
    putLength();
    return length;
  }

  /** Adds a FINGERPRINT instead of the integrity: the answer to a stranger's STUN client. */
  public int finishPlain() {
    int covered = length;
    int at = attribute(Attribute.FINGERPRINT, Attribute.FINGERPRINT_LENGTH);
    putLength();
    crc.reset();
    crc.update(bytes, 0, covered);
    Bytes.put32(bytes, at, (int) crc.getValue() ^ DatagramReader.FINGERPRINT_XOR);
    return length;
  }

  /** A whole 420 (Unknown Attribute) error response; RFC 8489, section 6.3.1. */
  public int unknownAttributeError(DatagramReader request) {
    begin(ERROR_RESPONSE, request.bytes(), request.transactionIdOffset());
    int error = attribute(ERROR_CODE, 4);
    bytes[error + 2] = 4;
    bytes[error + 3] = 20;
    Bytes.put16(bytes, attribute(UNKNOWN_ATTRIBUTES, 2), request.unknownRequiredAttribute());
    return finishPlain();
  }

  public byte[] bytes() {
    return bytes;
  }

  private int attribute(int type, int valueLength) {
    Bytes.put16(bytes, length, type);
    Bytes.put16(bytes, length + 2, valueLength);
    int at = length + HEADER_LENGTH;
    int end = at + padded(valueLength);
    for (int i = at; i < end; i++) {
      bytes[i] = 0; // padding and filler are zero, whatever the datagram before left here
    }
    length = end;
    return at;
  }

  private void putLength() {
    Bytes.put16(bytes, 2, length - STUN_HEADER_BYTES);
  }
}
