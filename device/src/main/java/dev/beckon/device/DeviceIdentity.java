package dev.beckon.device;

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
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Properties;

/**
 * Who a device is, as enrollment left it in the device's data folder.
 *
 * <pre>
 *   identity.properties  device-id, generation, key-id, udp-address, tls-address, server-time-millis
 *   device.key           32 bytes, for datagrams
 *   private-key.pem      for sessions, PKCS #8, P-256
 *   certificates.pem     the device's certificate and what it chains to
 *   ca.pem               the fleet's CA certificates
 * </pre>
 *
 * <p>Only the owner may read them (0600 in a folder 0700). Immutable.
 */
public final class DeviceIdentity {
  private static final String PROPERTIES = "identity.properties";
  private static final String DEVICE_KEY = "device.key";
  private static final String PRIVATE_KEY = "private-key.pem";
  private static final String CERTIFICATES = "certificates.pem";
  private static final String CA = "ca.pem";
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
          Files.readAllBytes(folder.resolve(DEVICE_KEY)),
          Pem.parseKey(Files.readString(folder.resolve(PRIVATE_KEY))),
          Pem.parseCertificates(Files.readString(folder.resolve(CERTIFICATES))),
          Pem.parseCertificates(Files.readString(folder.resolve(CA))));
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

  void store() throws IOException {
    SecretFiles.createFolder(folder);
    write(DEVICE_KEY, deviceKey);
    write(PRIVATE_KEY, ascii(Pem.format(privateKey)));
    try {
      write(CERTIFICATES, ascii(Pem.format(certificates)));
      write(CA, ascii(Pem.format(roots)));
    } catch (GeneralSecurityException e) {
      throw new IOException("certificate: cannot be encoded", e);
    }
    write(
        PROPERTIES,
        ascii(
            "device-id=%s%ngeneration=%d%nkey-id=%d%nudp-address=%s%ntls-address=%s%nserver-time-millis=%d%n"
                .formatted(
                    deviceId,
                    generation,
                    keyId,
                    SocketAddresses.format(udpAddress),
                    SocketAddresses.format(tlsAddress),
                    serverTimeMillis)));
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

  PrivateKey privateKey() {
    return privateKey;
  }

  List<X509Certificate> certificates() {
    return certificates;
  }

  List<X509Certificate> roots() {
    return roots;
  }

  private void write(String name, byte[] content) throws IOException {
    SecretFiles.replace(folder.resolve(name), content);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
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
