package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.identity.OneSidedTrust;
import dev.beckon.server.identity.PathToRoot;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges the certificates that clients show: devices, and servers of their own number. Thread-safe.
 *
 * <p>Either chains to the fleet CA (PKIX, with dates), is no CA certificate, is for client
 * authentication, and has exactly one subject alternative name: {@code
 * urn:beckon:device:<id>/<generation>} or {@code urn:beckon:server:<number>/<generation>}. Neither
 * passes for the other. The rendezvous server's own certificate is refused: it is not for client
 * authentication.
 *
 * <p>As a trust manager it is asked in a full handshake only, not when a TLS session is resumed;
 * {@link #identity} or {@link #server} is asked after both, and asks the roots again: one may have
 * been dropped since the TLS session began.
 */
final class DeviceCertificates extends OneSidedTrust {

  /**
   * Who a device is.
   *
   * @param certificate that proves it; null if the device is believed by its Hello
   */
  record Identity(DeviceId id, int generation, @Nullable X509Certificate certificate) {}

  /** Which server a certificate is for. */
  record Server(int number, int generation) {}

  private static final String DEVICE_PREFIX = "urn:beckon:device:";
  private static final String SERVER_PREFIX = "urn:beckon:server:";
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
  private static final BigInteger P256_ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  private static final int URI_NAME = 6;
  private static final int MAX_CHAIN = 4;

  private final Supplier<List<X509Certificate>> roots;
  private final InstantSource clock;
  private final KnownPaths paths = new KnownPaths(KnownPaths.MAX);

  /**
   * @param roots the fleet's CA roots, asked at each handshake, for they can change
   */
  DeviceCertificates(Supplier<List<X509Certificate>> roots, InstantSource clock) {
    super(Side.CLIENTS);
    this.roots = roots;
    this.clock = clock;
  }

  /**
   * The device that this leaf certificate is for.
   *
   * @throws CertificateException if it is no device's certificate, out of its dates or of no root
   *     of now
   */
  Identity identity(X509Certificate leaf) throws CertificateException {
    Identity identity = device(name(leaf), leaf);
    requireRoot(leaf);
    return identity;
  }

  /**
   * The server that this leaf certificate is for.
   *
   * @throws CertificateException if it is no server's certificate for a TLS client, out of its
   *     dates or of no root of now
   */
  Server server(X509Certificate leaf) throws CertificateException {
    Server server = server(name(leaf));
    requireRoot(leaf);
    return server;
  }

  /** Whether a certificate that was fit once is still of one of the roots, and in its dates. */
  boolean leadsToRoot(X509Certificate leaf) {
    try {
      requireRoot(leaf);
      return true;
    } catch (CertificateException dropped) {
      return false;
    }
  }

  /** A signature that was found good is not checked again while the roots stay. */
  private void requireRoot(X509Certificate leaf) throws CertificateException {
    List<X509Certificate> now = roots.get();
    if (paths.holds(leaf, now)) {
      return;
    }
    try {
      // Revocation is the deny-list's, asked at every Hello.
      PathToRoot.require(List.of(leaf), now, clock.instant());
      paths.add(leaf, now);
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException("certificate: not of this fleet", unfit);
    }
  }

  private String name(X509Certificate leaf) throws CertificateException {
    leaf.checkValidity(Date.from(clock.instant()));
    if (leaf.getBasicConstraints() != -1) {
      throw new CertificateException("certificate: a CA's (expected a device's or a server's)");
    }
    if (!(leaf.getPublicKey() instanceof ECPublicKey key)
        || !key.getParams().getOrder().equals(P256_ORDER)) {
      throw new CertificateException("certificate key: of another kind (expected P-256)");
    }
    List<String> usages = leaf.getExtendedKeyUsage();
    if (usages == null || !usages.contains(CLIENT_AUTH)) {
      throw new CertificateException("certificate usage: " + usages + " (expected clientAuth)");
    }
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    if (names == null || names.size() != 1) {
      throw new CertificateException("certificate names: " + names + " (expected one)");
    }
    List<?> name = names.iterator().next();
    if (!Integer.valueOf(URI_NAME).equals(name.get(0)) || !(name.get(1) instanceof String uri)) {
      throw new CertificateException("certificate name: " + name + " (expected a URI)");
    }
    return uri;
  }

  private static Identity device(String uri, X509Certificate leaf) throws CertificateException {
    int slash = uri.lastIndexOf('/');
    if (!uri.startsWith(DEVICE_PREFIX) || slash < 0) {
      throw new CertificateException(
          "certificate name: " + uri + " (expected " + DEVICE_PREFIX + "ID/GENERATION)");
    }
    try {
      int generation = sixteenBits(uri.substring(slash + 1));
      DeviceId id = new DeviceId(uri.substring(DEVICE_PREFIX.length(), slash));
      return new Identity(id, generation, leaf);
    } catch (IllegalArgumentException malformed) {
      throw new CertificateException(
          "certificate name: " + uri + " (expected " + DEVICE_PREFIX + "ID/GENERATION)", malformed);
    }
  }

  private static Server server(String uri) throws CertificateException {
    int slash = uri.lastIndexOf('/');
    if (uri.startsWith(SERVER_PREFIX) && slash >= SERVER_PREFIX.length()) {
      try {
        int number = sixteenBits(uri.substring(SERVER_PREFIX.length(), slash));
        if (number > 0) { // 0 is who they dial
          return new Server(number, sixteenBits(uri.substring(slash + 1)));
        }
      } catch (NumberFormatException malformed) {
        // told below
      }
    }
    throw new CertificateException(
        "certificate name: " + uri + " (expected " + SERVER_PREFIX + "NUMBER/GENERATION)");
  }

  /** Only the plain form, so that one number has one name: no sign, no leading zero. */
  private static int sixteenBits(String digits) {
    int number = Integer.parseInt(digits);
    if (number < 0 || number > 0xffff || !Integer.toString(number).equals(digits)) {
      throw new NumberFormatException(digits);
    }
    return number;
  }

  @Override
  protected void check(X509Certificate[] chain) throws CertificateException {
    if (chain.length == 0 || chain.length > MAX_CHAIN) {
      throw new CertificateException(
          "certificates: " + chain.length + " (expected 1 to " + MAX_CHAIN + ")");
    }
    String name = name(chain[0]);
    if (name.startsWith(SERVER_PREFIX)) {
      server(name);
    } else {
      device(name, chain[0]);
    }
    // What is sent along may be roots, new and old, and the one's word for the other. It counts for
    // nothing: a root of this fleet signs every leaf itself.
    for (X509Certificate behind : List.of(chain).subList(1, chain.length)) {
      if (behind.getBasicConstraints() == -1) {
        throw new CertificateException("certificate: of no CA behind the first one");
      }
    }
    requireRoot(chain[0]);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return roots.get().toArray(new X509Certificate[0]);
  }
}
