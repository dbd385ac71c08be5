package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.server.store.StoreException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.x509.KeyPurposeId;

/**
 * The fleet's certificate authority: P-256, made on the first start, kept in {@code fleet-ca.pem}.
 * It signs devices and servers and nothing else. Thread-safe.
 */
public final class FleetCa {

  static final String FILE = "fleet-ca.pem";

  private static final String SERVER_FILE = "server.pem";

  /** Longer than any device lives: changing the CA means touching every device. */
  private static final Duration CA_LIFE = Duration.ofDays(50 * 365);

  /** A device may be unplugged for long and still has to get in; revocation is the deny-list. */
  private static final Duration DEVICE_LIFE = Duration.ofDays(2 * 365);

  private static final Duration SERVER_LIFE = Duration.ofDays(365);

  private static final int MAX_SERVER_NUMBER = 65_535;

  /** The rendezvous server has the CA, so it never enrolls. */
  private static final int SERVER_GENERATION = 1;

  private final Path folder;
  private final InstantSource clock;
  private final KeyPair keys;
  private final X509Certificate root;

  private FleetCa(Path folder, InstantSource clock, PemFile file) {
    this.folder = folder;
    this.clock = clock;
    this.keys = file.keyPair();
    this.root = file.certificate();
  }

  /**
   * Opens the CA of a data folder; makes it if there is none.
   *
   * @throws StoreException if its file is unreadable or damaged
   */
  public static FleetCa openOrCreate(Path folder, InstantSource clock) {
    Path path = folder.resolve(FILE);
    PemFile file = PemFile.read(path).orElse(null);
    if (file == null) {
      KeyPair keys = Certificates.newKeyPair();
      file =
          new PemFile(
              keys.getPrivate(), List.of(Certificates.root(keys, clock.instant(), CA_LIFE)));
      file.write(path);
    }
    return new FleetCa(folder, clock, file);
  }

  /** The CA's own certificate: what every device and server trusts. */
  public X509Certificate root() {
    return root;
  }

  /** SHA-256 of {@link #root()} in DER, 32 bytes. */
  public byte[] fingerprint() {
    try {
      return sha256(root.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("the CA certificate has no encoding", e);
    }
  }

  /**
   * Signs a device's key for two years: SAN {@code urn:beckon:device:<id>/<generation>}, for TLS
   * clients only.
   *
   * @param csrDer PKCS #10 in DER; its key counts, its names do not
   * @param generation 1 to 65,535
   * @throws InvalidCertificateRequestException if the request is malformed, not on P-256, or not
   *     signed with its own key
   */
  public X509Certificate issueDevice(byte[] csrDer, DeviceId id, int generation)
      throws InvalidCertificateRequestException {
    return issueDevice(Certificates.requestedKey(csrDer), id, generation);
  }

  X509Certificate issueDevice(PublicKey key, DeviceId id, int generation) {
    requireGeneration(generation);
    return Certificates.leaf(
        id.value(),
        List.of(Certificates.deviceUri(id, generation)),
        List.of(KeyPurposeId.id_kp_clientAuth),
        key,
        keys,
        root,
        clock.instant(),
        DEVICE_LIFE);
  }

  private static void requireGeneration(int generation) {
    if (generation < 1 || generation > DeviceKey.MAX_GENERATION) {
      throw new IllegalArgumentException(
          "generation: " + generation + " (expected 1 to " + DeviceKey.MAX_GENERATION + ")");
    }
  }

  /**
   * The credentials of this server, kept in {@code server.pem}: SAN {@code
   * urn:beckon:server:<number>/<generation>} for each number, for TLS servers only. Makes new ones
   * if there are none, if the numbers changed, or if half of their life of a year is over.
   *
   * @param numbers the roles of this server; 0 is the rendezvous server
   * @throws StoreException if the file is unreadable or damaged
   */
  public synchronized ServerCredentials issueServer(Set<Integer> numbers) {
    if (numbers.isEmpty()) {
      throw new IllegalArgumentException("server numbers: none (expected 1 or more)");
    }
    Path path = folder.resolve(SERVER_FILE);
    List<String> uris =
        new TreeSet<>(numbers)
            .stream().map(n -> Certificates.serverUri(n, SERVER_GENERATION)).toList();
    Instant now = clock.instant();
    PemFile file = PemFile.read(path).orElse(null);
    if (file != null && !file.chain().getLast().equals(root)) {
      throw new StoreException(
          path
              + ": not of this fleet's CA (restore "
              + FILE
              + " if that is the wrong one, else delete this file: the next start makes a new"
              + " one)");
    }
    if (file == null
        || !uris(file.certificate()).equals(new HashSet<>(uris))
        || !now.isBefore(renewAfter(file.certificate()))) {
      file = newServer(uris, now);
      file.write(path);
    }
    return new ServerCredentials(file.key(), file.chain(), renewAfter(file.certificate()));
  }

  /**
   * The key that a certificate request asks for; its names do not count.
   *
   * @param csrDer PKCS #10 in DER
   * @throws InvalidCertificateRequestException if the request is malformed, not on P-256, or not
   *     signed with its own key
   */
  public static PublicKey requestedKey(byte[] csrDer) throws InvalidCertificateRequestException {
    return Certificates.requestedKey(csrDer);
  }

  /**
   * Signs the key of an enrolled server for a year: SAN {@code
   * urn:beckon:server:<number>/<generation>}, for TLS servers (devices dial it) and TLS clients (it
   * dials the rendezvous server). Behind it in a handshake stands {@link #chain}.
   *
   * @param csrDer PKCS #10 in DER; its key counts, its names do not
   * @param number 1 to 65,535
   * @param generation 1 to 65,535
   * @throws InvalidCertificateRequestException if the request is malformed, not on P-256, or not
   *     signed with its own key
   */
  public X509Certificate issueServerFor(byte[] csrDer, int number, int generation)
      throws InvalidCertificateRequestException {
    if (number < 1 || number > MAX_SERVER_NUMBER) {
      throw new IllegalArgumentException(
          "server number: " + number + " (expected 1 to " + MAX_SERVER_NUMBER + ")");
    }
    requireGeneration(generation);
    return Certificates.leaf(
        "Beckon server",
        List.of(Certificates.serverUri(number, generation)),
        List.of(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth),
        Certificates.requestedKey(csrDer),
        keys,
        root,
        clock.instant(),
        SERVER_LIFE);
  }

  /** The CA certificates that devices and servers of the fleet trust now. */
  public List<X509Certificate> roots() {
    return List.of(root);
  }

  /** What a server of the fleet shows in a handshake behind its own certificate. */
  public List<X509Certificate> chain() {
    return List.of(root);
  }

  private PemFile newServer(List<String> uris, Instant now) {
    KeyPair serverKeys = Certificates.newKeyPair();
    X509Certificate leaf =
        Certificates.leaf(
            "Beckon server",
            uris,
            List.of(KeyPurposeId.id_kp_serverAuth),
            serverKeys.getPublic(),
            keys,
            root,
            now,
            SERVER_LIFE);
    return new PemFile(serverKeys.getPrivate(), List.of(leaf, root));
  }

  private static Instant renewAfter(X509Certificate certificate) {
    Instant from = certificate.getNotBefore().toInstant();
    Instant to = certificate.getNotAfter().toInstant();
    return from.plus(Duration.between(from, to).dividedBy(2));
  }

  private static Set<String> uris(X509Certificate certificate) {
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      return names == null
          ? Set.of()
          : names.stream().map(name -> String.valueOf(name.get(1))).collect(Collectors.toSet());
    } catch (CertificateParsingException e) {
      return Set.of();
    }
  }

  /** 32 bytes. */
  public static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK has no SHA-256", e);
    }
  }
}
