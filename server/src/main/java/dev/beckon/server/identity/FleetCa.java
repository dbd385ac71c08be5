package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.jspecify.annotations.Nullable;

/**
 * The fleet's certificate authority: P-256, made on the first start, kept in {@code fleet-ca.pem}.
 * It signs devices and servers and nothing else. Thread-safe.
 *
 * <p>From {@link #roll} to {@link #finish} it has two roots. Both are trusted; only the newer one
 * signs. The file then holds, behind the newer root's key and certificate, the cross certificate
 * and the older root; the older root's key is gone.
 */
public final class FleetCa {

  static final String FILE = "fleet-ca.pem";

  private static final String SERVER_FILE = "server.pem";

  /** Longer than any device lives: changing the CA means touching every device. */
  private static final Duration CA_LIFE = Duration.ofDays(50 * 365);

  /** A device may be unplugged for long and still has to get in; revocation is the deny-list. */
  private static final Duration DEVICE_LIFE = Duration.ofDays(2 * 365);

  private static final Duration SERVER_LIFE = Duration.ofDays(365);

  private static final DeviceId REHEARSAL = new DeviceId("rehearsal");
  private static final Duration REHEARSAL_LIFE = Duration.ofMinutes(1);

  private static final int MAX_SERVER_NUMBER = 65_535;

  /** The rendezvous server has the CA, so it never enrolls. */
  private static final int SERVER_GENERATION = 1;

  private final Path folder;
  private final InstantSource clock;
  private volatile Roots roots;

  /**
   * What signs and what is trusted, at one moment.
   *
   * @param keys of {@code root}
   * @param root signs
   * @param older trusted still; null if there is one root only
   * @param cross the key of {@code root}, signed by {@code older}; null with it
   */
  private record Roots(
      KeyPair keys,
      X509Certificate root,
      @Nullable X509Certificate cross,
      @Nullable X509Certificate older) {

    static Roots of(Path path, PemFile file) {
      List<X509Certificate> chain = file.chain();
      return switch (chain.size()) {
        case 1 -> new Roots(file.keyPair(), chain.getFirst(), null, null);
        case 3 -> new Roots(file.keyPair(), chain.getFirst(), chain.get(1), chain.get(2));
        default ->
            throw PrivateFiles.damaged(
                path, chain.size() + " certificates in it, not 1 or 3", null);
      };
    }

    PemFile file() {
      List<X509Certificate> chain = new ArrayList<>(List.of(root));
      if (cross != null && older != null) {
        chain.addAll(List.of(cross, older));
      }
      return new PemFile(keys.getPrivate(), chain);
    }

    List<X509Certificate> trusted() {
      return older == null ? List.of(root) : List.of(root, older);
    }
  }

  private FleetCa(Path folder, InstantSource clock, Roots roots) {
    this.folder = folder;
    this.clock = clock;
    this.roots = roots;
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
    return new FleetCa(folder, clock, Roots.of(path, file));
  }

  /** The certificate of the root that signs; the newer one of two. */
  public X509Certificate root() {
    return roots.root();
  }

  /** The CA certificates that devices and servers of the fleet trust now, the newer first. */
  public List<X509Certificate> roots() {
    return roots.trusted();
  }

  /**
   * What a server of the fleet shows in a handshake behind its own certificate. With two roots the
   * cross certificate is among it, for devices that know only the older one, and both roots, for
   * devices that know only a fingerprint.
   */
  public List<X509Certificate> chain() {
    Roots now = roots;
    return now.cross() == null || now.older() == null
        ? List.of(now.root())
        : List.of(now.cross(), now.older(), now.root());
  }

  /** SHA-256 of {@link #root()} in DER, 32 bytes. */
  public byte[] fingerprint() {
    return fingerprint(roots.root());
  }

  static byte[] fingerprint(X509Certificate certificate) {
    return sha256(Der.of(certificate).toByteArray());
  }

  /** By what a device tells which roots it has: SHA-256 over their sorted fingerprints. */
  public byte[] rootsHash() {
    return rootsHash(roots.trusted());
  }

  /** What counts now, as other servers are told it. */
  public PeerRoots peerRoots() {
    Roots now = roots;
    return peerRoots(now.trusted(), now.root());
  }

  static PeerRoots peerRoots(List<X509Certificate> trusted, @Nullable X509Certificate signer) {
    PeerRoots.Builder roots =
        PeerRoots.newBuilder().setRootsHash(ByteString.copyFrom(rootsHash(trusted)));
    if (signer != null) {
      roots.setSigner(ByteString.copyFrom(fingerprint(signer)));
    }
    return roots.build();
  }

  private static byte[] rootsHash(List<X509Certificate> trusted) {
    List<byte[]> fingerprints =
        trusted.stream().map(FleetCa::fingerprint).sorted(Arrays::compareUnsigned).toList();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    fingerprints.forEach(all::writeBytes);
    return sha256(all.toByteArray());
  }

  /**
   * Whether one of the roots of now signed the certificate. Asks the signature, not the name of the
   * issuer: whoever has a dropped root's key can write any name. Says nothing about dates.
   */
  public boolean signed(X509Certificate certificate) {
    return roots.trusted().stream().anyMatch(root -> Certificates.signed(root, certificate));
  }

  /** Whether the newer root signed the certificate. */
  private boolean isOfNewestRoot(X509Certificate certificate) {
    return Certificates.signed(roots.root(), certificate);
  }

  /**
   * Whether the newer root signed a certificate that is known to be of one of the roots: what it
   * says about its issuer is true then, and no signature need be checked.
   */
  boolean namesNewestRoot(X509Certificate certificate) {
    return Certificates.names(roots.root(), certificate);
  }

  /**
   * Makes a second root, which signs from now on; both are trusted. Durable on return.
   *
   * @throws IllegalStateException if there are two already
   * @throws StoreException if the file cannot be written
   */
  synchronized void roll() {
    Roots before = roots;
    if (before.older() != null) {
      throw new IllegalStateException("fleet CA: two roots already (expected one)");
    }
    Instant now = clock.instant();
    KeyPair keys = Certificates.newKeyPair();
    X509Certificate root = Certificates.root(keys, now, CA_LIFE);
    X509Certificate cross = Certificates.cross(root, before.keys(), before.root(), now);
    become(new Roots(keys, root, cross, before.root()));
  }

  /**
   * Trusts the older root no more. Durable on return.
   *
   * @throws IllegalStateException if there is one root only
   * @throws StoreException if the file cannot be written
   */
  synchronized void finish() {
    Roots before = roots;
    if (before.older() == null) {
      throw new IllegalStateException("fleet CA: one root only (expected two)");
    }
    become(new Roots(before.keys(), before.root(), null, null));
  }

  private void become(Roots next) {
    next.file().write(folder.resolve(FILE));
    roots = next;
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

  /**
   * The same for a key that needs no request, because whoever asks is known to have its private
   * half.
   *
   * @param generation 1 to 65,535
   */
  public X509Certificate issueDevice(PublicKey key, DeviceId id, int generation) {
    requireGeneration(generation);
    return leaf(
        id.value(),
        List.of(Certificates.deviceUri(id, generation)),
        List.of(KeyPurposeId.id_kp_clientAuth),
        key,
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
   * if there are none, if the numbers changed, if half of their life of a year is over, or if they
   * are of an older root.
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
    X509Certificate shown = file == null ? null : file.certificate();
    if (shown != null && !signed(shown)) {
      throw new StoreException(
          path
              + ": not of this fleet's CA (restore "
              + FILE
              + " if that is the wrong one, else delete this file: the next start makes a new"
              + " one)");
    }
    if (file == null
        || !isOfNewestRoot(file.certificate())
        || !isFor(uris, file.certificate())
        || !now.isBefore(renewAfter(file.certificate()))) {
      file = newServer(uris);
      file.write(path);
    }
    List<X509Certificate> chain = new ArrayList<>(List.of(file.certificate()));
    chain.addAll(chain()); // as it is now; the file has it as it was
    return new ServerCredentials(file.key(), chain, renewAfter(file.certificate()));
  }

  /**
   * Makes sure that {@code server.pem}, where there is one, is of the newer root, so that it is
   * still of this fleet when the older one goes. Durable on return.
   *
   * @throws StoreException if the file is unreadable or damaged, or cannot be written
   */
  synchronized void settleServer() {
    Path path = folder.resolve(SERVER_FILE);
    PemFile file = PemFile.read(path).orElse(null);
    if (file == null || isOfNewestRoot(file.certificate())) {
      return;
    }
    try {
      newServer(ServerLeaf.uris(file.certificate())).write(path);
    } catch (CertificateParsingException e) {
      throw PrivateFiles.damaged(path, "no names in its certificate", e);
    }
  }

  /**
   * What a device would show that is none: for a handshake of this server with itself. Kept
   * nowhere, and of no worth to anybody: it ends after a minute.
   */
  public ServerCredentials issueRehearsal() {
    KeyPair keys = Certificates.newKeyPair();
    X509Certificate leaf =
        leaf(
            REHEARSAL.value(),
            List.of(Certificates.deviceUri(REHEARSAL, 1)),
            List.of(KeyPurposeId.id_kp_clientAuth),
            keys.getPublic(),
            REHEARSAL_LIFE);
    return new ServerCredentials(keys.getPrivate(), List.of(leaf), renewAfter(leaf));
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
    return issueServerFor(Certificates.requestedKey(csrDer), number, generation);
  }

  /** The same for a key whose owner has proven already to have its private half. */
  public X509Certificate issueServerFor(PublicKey key, int number, int generation) {
    if (number < 1 || number > MAX_SERVER_NUMBER) {
      throw new IllegalArgumentException(
          "server number: " + number + " (expected 1 to " + MAX_SERVER_NUMBER + ")");
    }
    requireGeneration(generation);
    return leaf(
        "Beckon server",
        List.of(Certificates.serverUri(number, generation)),
        List.of(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth),
        key,
        SERVER_LIFE);
  }

  private PemFile newServer(List<String> uris) {
    KeyPair serverKeys = Certificates.newKeyPair();
    X509Certificate leaf =
        leaf(
            "Beckon server",
            uris,
            List.of(KeyPurposeId.id_kp_serverAuth),
            serverKeys.getPublic(),
            SERVER_LIFE);
    List<X509Certificate> chain = new ArrayList<>(List.of(leaf));
    chain.addAll(chain());
    return new PemFile(serverKeys.getPrivate(), chain);
  }

  private X509Certificate leaf(
      String commonName,
      List<String> uris,
      List<KeyPurposeId> purposes,
      PublicKey key,
      Duration life) {
    Roots now = roots;
    return Certificates.leaf(
        commonName, uris, purposes, key, now.keys(), now.root(), clock.instant(), life);
  }

  private static Instant renewAfter(X509Certificate certificate) {
    Instant from = certificate.getNotBefore().toInstant();
    Instant to = certificate.getNotAfter().toInstant();
    return from.plus(Duration.between(from, to).dividedBy(2));
  }

  private static boolean isFor(Collection<String> uris, X509Certificate certificate) {
    try {
      return Set.copyOf(ServerLeaf.uris(certificate)).equals(Set.copyOf(uris));
    } catch (CertificateParsingException e) {
      return false;
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
