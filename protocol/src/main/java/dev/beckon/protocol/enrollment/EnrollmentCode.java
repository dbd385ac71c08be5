package dev.beckon.protocol.enrollment;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import java.util.zip.CRC32;

/**
 * The one line that lets a device enroll once: where to dial, by what to know the server, and a
 * secret that says which device this is.
 *
 * <pre>
 * beckon1:HOST:PORT:BASE64URL
 *
 *   offset  bytes
 *        0      1  version, 1
 *        1     32  SHA-256 of the fleet CA certificate (DER)
 *       33     16  one-time secret
 *       49      4  expiry, unix seconds, unsigned
 *       53      4  CRC-32 of "HOST:PORT" (ASCII) and of the 53 bytes before
 * </pre>
 *
 * <p>Numbers are big-endian; Base64 is the URL alphabet without padding. An IPv6 host stands in
 * brackets in the line and without them in {@link #host()}. The checksum catches what goes wrong
 * when a person copies the line; the secret protects it.
 *
 * @param host name or address of the server's TLS port, 1 to 253 characters
 * @param port the server's TLS port, 1 to 65535
 * @param caFingerprint SHA-256 of the fleet CA certificate, 32 bytes
 * @param secret 16 random bytes; whoever knows them can enroll as the device
 * @param expiry when the server stops accepting the code, in whole seconds from 1970 to 2106
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode are written out below
public record EnrollmentCode(
    String host, int port, byte[] caFingerprint, byte[] secret, Instant expiry) {

  /** Bytes of {@link #caFingerprint()}. */
  public static final int FINGERPRINT_BYTES = 32;

  /** Bytes of {@link #secret()}. */
  public static final int SECRET_BYTES = 16;

  private static final String PREFIX = "beckon1:";
  private static final int VERSION = 1;
  private static final int CHECKED_BYTES = 1 + FINGERPRINT_BYTES + SECRET_BYTES + 4;
  private static final int PAYLOAD_BYTES = CHECKED_BYTES + 4;
  private static final int MAX_HOST_CHARS = 253; // of a DNS name, RFC 1035 section 2.3.4
  private static final int MAX_LINE_CHARS = 512;
  private static final long MAX_EXPIRY_SECONDS = 0xFFFF_FFFFL;
  private static final String ADVICE =
      "copy the whole line that \"beckon device add\" or \"beckon app-server add\" printed, or make"
          + " a new one";

  public EnrollmentCode {
    Objects.requireNonNull(host, "host");
    if (host.isEmpty() || host.length() > MAX_HOST_CHARS || !isHost(host)) {
      throw new IllegalArgumentException(
          "host: " + host + " (expected a DNS name, an IPv4 address or an IPv6 address)");
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("port: " + port + " (expected 1 to 65535)");
    }
    caFingerprint = copy("CA fingerprint", caFingerprint, FINGERPRINT_BYTES);
    secret = copy("secret", secret, SECRET_BYTES);
    if (expiry.getEpochSecond() < 0 || expiry.getEpochSecond() > MAX_EXPIRY_SECONDS) {
      throw new IllegalArgumentException("expiry: " + expiry + " (expected 1970 to 2106)");
    }
    expiry = Instant.ofEpochSecond(expiry.getEpochSecond());
  }

  @Override
  public byte[] caFingerprint() {
    return caFingerprint.clone();
  }

  @Override
  public byte[] secret() {
    return secret.clone();
  }

  /** The line for people to copy. */
  public String format() {
    ByteBuffer payload = ByteBuffer.allocate(PAYLOAD_BYTES);
    payload.put((byte) VERSION).put(caFingerprint).put(secret);
    payload.putInt((int) expiry.getEpochSecond());
    String address = address(host, port);
    payload.putInt(checksum(address, payload.array()));
    return PREFIX
        + address
        + ':'
        + Base64.getUrlEncoder().withoutPadding().encodeToString(payload.array());
  }

  /**
   * Reads a line; white space around it is ignored. An expired code is read like any other: only
   * the server's clock decides.
   *
   * @throws IllegalArgumentException if the line is no enrollment code or was damaged while copying
   *     it; the message says what to do and never repeats the secret
   */
  public static EnrollmentCode parse(String line) {
    String text = line.strip();
    if (!text.startsWith(PREFIX)) {
      throw unreadable("does not start with \"" + PREFIX + "\"");
    }
    if (text.length() > MAX_LINE_CHARS) {
      throw unreadable("longer than " + MAX_LINE_CHARS + " characters");
    }
    int payloadAt = text.lastIndexOf(':') + 1;
    if (payloadAt <= PREFIX.length()) {
      throw unreadable("no address in it");
    }
    String address = text.substring(PREFIX.length(), payloadAt - 1);
    byte[] bytes = decodeBase64(text.substring(payloadAt));
    ByteBuffer payload = ByteBuffer.wrap(bytes);
    if (bytes.length == 0 || payload.get() != VERSION) {
      throw unreadable("of a version this program does not know");
    }
    if (bytes.length != PAYLOAD_BYTES) {
      throw unreadable("its last part has " + bytes.length + " bytes instead of " + PAYLOAD_BYTES);
    }
    byte[] fingerprint = new byte[FINGERPRINT_BYTES];
    byte[] secret = new byte[SECRET_BYTES];
    payload.get(fingerprint).get(secret);
    Instant expiry = Instant.ofEpochSecond(Integer.toUnsignedLong(payload.getInt()));
    if (payload.getInt() != checksum(address, bytes)) {
      throw unreadable("its checksum does not match");
    }
    return withAddress(address, fingerprint, secret, expiry);
  }

  private static EnrollmentCode withAddress(
      String address, byte[] fingerprint, byte[] secret, Instant expiry) {
    int colon = address.lastIndexOf(':');
    if (colon < 1) {
      throw unreadable("no port in it");
    }
    String host = address.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (bracketed) {
      host = host.substring(1, host.length() - 1);
    }
    if (bracketed != (host.indexOf(':') >= 0)) {
      throw unreadable("an IPv6 address, and only that, stands in brackets");
    }
    try {
      int port = Integer.parseInt(address.substring(colon + 1));
      return new EnrollmentCode(host, port, fingerprint, secret, expiry);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "enrollment code: its address is " + address + " (expected HOST:PORT; " + ADVICE + ")",
          e);
    }
  }

  private static byte[] decodeBase64(String text) {
    try {
      return Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      // The decoder's own message would repeat a part of the secret.
      throw unreadable("its last part is not Base64");
    }
  }

  private static IllegalArgumentException unreadable(String why) {
    return new IllegalArgumentException(
        "enrollment code: " + why + " (expected beckon1:HOST:PORT:…; " + ADVICE + ")");
  }

  private static String address(String host, int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }

  private static int checksum(String address, byte[] payload) {
    CRC32 crc = new CRC32();
    crc.update(address.getBytes(StandardCharsets.US_ASCII));
    crc.update(payload, 0, CHECKED_BYTES);
    return (int) crc.getValue();
  }

  /** Only characters of names and addresses; whether it leads anywhere shows when dialling. */
  private static boolean isHost(String host) {
    return host.chars()
        .allMatch(
            c ->
                (c >= 'a' && c <= 'z')
                    || (c >= 'A' && c <= 'Z')
                    || (c >= '0' && c <= '9')
                    || ".:-_%".indexOf(c) >= 0);
  }

  private static byte[] copy(String name, byte[] value, int length) {
    if (value.length != length) {
      throw new IllegalArgumentException(
          name + ": " + value.length + " bytes (expected " + length + ")");
    }
    return value.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EnrollmentCode that
        && host.equals(that.host)
        && port == that.port
        && Arrays.equals(caFingerprint, that.caFingerprint)
        && Arrays.equals(secret, that.secret)
        && expiry.equals(that.expiry);
  }

  @Override
  public int hashCode() {
    return Objects.hash(host, port, Arrays.hashCode(caFingerprint), expiry);
  }

  /** Leaves the secret out, so that logging a code gives nothing away. */
  @Override
  public String toString() {
    return "EnrollmentCode[" + address(host, port) + ", expiry=" + expiry + "]";
  }
}
