package dev.beckon.device;

import dev.beckon.device.keepalive.KeyRing;
import dev.beckon.device.tls.Pem;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;

/**
 * Who a device is, as enrollment and renewal left it in the device's data folder, in {@code
 * identity.properties}:
 *
 * <pre>
 *   device-id, generation, udp-address, tls-address, server-time-millis
 *   key-id, device-key         for datagrams, 32 bytes in hexadecimal
 *   private-key                for sessions, P-256, PKCS #8 in Base64
 *   certificate.1, …           the device's own and what it chains to, DER in Base64
 *   ca.1, …                    the fleet's CA certificates, likewise
 * </pre>
 *
 * <p>One file, because it is replaced as a whole or not at all: key and certificate of different
 * ages would not fit each other. Only the owner may read it (0600 in a folder 0700). Immutable.
 */
public final class DeviceIdentity {
  private static final String PROPERTIES = "identity.properties";
  private static final String DEVICE_KEY = "device-key";
  private static final String PRIVATE_KEY = "private-key";
  private static final String CERTIFICATE = "certificate.";
  private static final String CA = "ca.";
  private static final int DEVICE_KEY_BYTES = 32;

  private final Path folder;
  private final DeviceId deviceId;
  private final int generation;
  private final int keyId;
  private final InetSocketAddress udpAddress;
  private final InetSocketAddress tlsAddress;
  private final long serverTimeMillis;
  private final byte[] deviceKey;
  private final PrivateKey privateKey;
  private final List<X509Certificate> certificates;
  private final List<X509Certificate> roots;

  DeviceIdentity(
      Path folder,
      DeviceId deviceId,
      int generation,
      int keyId,
      InetSocketAddress udpAddress,
      InetSocketAddress tlsAddress,
      long serverTimeMillis,
      byte[] deviceKey,
      PrivateKey privateKey,
      List<X509Certificate> certificates,
      List<X509Certificate> roots) {
    if (deviceKey.length != DEVICE_KEY_BYTES || certificates.isEmpty() || roots.isEmpty()) {
      throw new IllegalArgumentException(
          "identity: incomplete (expected a device key of 32 bytes, a certificate and a CA)");
    }
    this.folder = folder;
    this.deviceId = deviceId;
    this.generation = generation;
    this.keyId = keyId;
    this.udpAddress = udpAddress;
    this.tlsAddress = tlsAddress;
    this.serverTimeMillis = serverTimeMillis;
    this.deviceKey = deviceKey.clone();
    this.privateKey = privateKey;
    this.certificates = List.copyOf(certificates);
    this.roots = List.copyOf(roots);
  }

  /**
   * Reads the identity.
   *
   * @throws IOException if the folder holds none, or it cannot be read or is damaged; the message
   *     says what to do
   */
  public static DeviceIdentity load(Path folder) throws IOException {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(Files.readString(folder.resolve(PROPERTIES))));
      return new DeviceIdentity(
          folder,
          new DeviceId(property(properties, "device-id")),
          number(properties, "generation"),
          number(properties, "key-id"),
          HostPort.parse("udp-address", property(properties, "udp-address")),
          HostPort.parse("tls-address", property(properties, "tls-address")),
          Long.parseLong(properties.getProperty("server-time-millis", "0")),
          HexFormat.of().parseHex(property(properties, DEVICE_KEY)),
          Pem.key(decode(property(properties, PRIVATE_KEY))),
          certificates(properties, CERTIFICATE),
          certificates(properties, CA));
    } catch (NoSuchFileException e) {
      throw new IOException(
          "data: " + folder + " (expected an enrolled device; run: beckon enroll CODE)", e);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(
          "data: "
              + folder
              + " (damaged: "
              + e.getMessage()
              + "; enroll the device again: beckon enroll CODE)",
          e);
    }
  }

  /** Replaces the identity in the folder; durable on return. */
  void store() throws IOException {
    StringBuilder text = new StringBuilder("# Secret: whoever has this file is the device.\n");
    line(text, "device-id", deviceId.value());
    line(text, "generation", generation);
    line(text, "key-id", keyId);
    line(text, "udp-address", SocketAddresses.format(udpAddress));
    line(text, "tls-address", SocketAddresses.format(tlsAddress));
    line(text, "server-time-millis", serverTimeMillis);
    line(text, DEVICE_KEY, HexFormat.of().formatHex(deviceKey));
    line(text, PRIVATE_KEY, encode(privateKey.getEncoded()));
    try {
      for (int i = 0; i < certificates.size(); i++) {
        line(text, CERTIFICATE + (i + 1), encode(certificates.get(i).getEncoded()));
      }
      for (int i = 0; i < roots.size(); i++) {
        line(text, CA + (i + 1), encode(roots.get(i).getEncoded()));
      }
    } catch (GeneralSecurityException e) {
      throw new IOException("certificate: cannot be encoded", e);
    }
    SecretFiles.createFolder(folder);
    SecretFiles.replace(
        folder.resolve(PROPERTIES), text.toString().getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * The same device with other keys and roots.
   *
   * @param atMillis the server's clock, unix time
   */
  DeviceIdentity renewed(
      int newKeyId,
      byte[] newDeviceKey,
      PrivateKey newPrivateKey,
      List<X509Certificate> newCertificates,
      List<X509Certificate> newRoots,
      long atMillis) {
    return new DeviceIdentity(
        folder,
        deviceId,
        generation,
        newKeyId,
        udpAddress,
        tlsAddress,
        Math.max(atMillis, serverTimeMillis),
        newDeviceKey,
        newPrivateKey,
        newCertificates,
        newRoots);
  }

  /** The folder it was read from; the journal is there too. */
  public Path folder() {
    return folder;
  }

  public DeviceId deviceId() {
    return deviceId;
  }

  /** Counts enrollments of this device ID; 0 to 65,535. */
  public int generation() {
    return generation;
  }

  /** Which of the server's master keys the device key comes from; 0 to 255. */
  public int keyId() {
    return keyId;
  }

  /** Where keepalives go; not resolved. */
  public InetSocketAddress udpAddress() {
    return udpAddress;
  }

  /** Where the device dials; not resolved. */
  public InetSocketAddress tlsAddress() {
    return tlsAddress;
  }

  /** The server's clock at enrollment, unix time: the present is not before it. */
  long serverTimeMillis() {
    return serverTimeMillis;
  }

  byte[] deviceKey() {
    return deviceKey.clone();
  }

  /** For datagrams. */
  KeyRing.Key key() {
    return new KeyRing.Key(keyId, generation, deviceKey.clone());
  }

  PrivateKey privateKey() {
    return privateKey;
  }

  List<X509Certificate> certificates() {
    return certificates;
  }

  List<X509Certificate> roots() {
    return roots;
  }

  /** The end of the certificate's life. */
  Instant validUntil() {
    return certificates.get(0).getNotAfter().toInstant();
  }

  /** When half of the certificate's life is over, unix time: it is to be renewed then. */
  long renewAfterMillis() {
    X509Certificate own = certificates.get(0);
    long from = own.getNotBefore().toInstant().toEpochMilli();
    return from + (own.getNotAfter().toInstant().toEpochMilli() - from) / 2;
  }

  /** How the server knows which roots a device has: SHA-256 over their sorted SHA-256. */
  byte[] rootsHash() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      List<byte[]> fingerprints = new ArrayList<>();
      for (X509Certificate root : roots) {
        fingerprints.add(digest.digest(root.getEncoded()));
      }
      fingerprints.sort(Arrays::compareUnsigned);
      fingerprints.forEach(digest::update);
      return digest.digest();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a certificate that was decoded can be encoded", e);
    }
  }

  private static void line(StringBuilder text, String name, Object value) {
    text.append(name).append('=').append(value).append('\n');
  }

  private static String encode(byte[] der) {
    return Base64.getEncoder().encodeToString(der);
  }

  private static byte[] decode(String base64) {
    return Base64.getDecoder().decode(base64);
  }

  private static List<X509Certificate> certificates(Properties properties, String prefix)
      throws GeneralSecurityException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (int i = 1; properties.containsKey(prefix + i); i++) {
      certificates.add(Pem.certificate(decode(property(properties, prefix + i))));
    }
    return certificates;
  }

  private static String property(Properties properties, String name) {
    String value = properties.getProperty(name);
    if (value == null) {
      throw new IllegalArgumentException(PROPERTIES + ": no " + name);
    }
    return value;
  }

  private static int number(Properties properties, String name) {
    try {
      return Integer.parseInt(property(properties, name));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(PROPERTIES + ": " + name + " is no number", e);
    }
  }
}
