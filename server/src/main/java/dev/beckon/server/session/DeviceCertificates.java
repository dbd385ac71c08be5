package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Judges the certificates that devices show. Thread-safe.
 *
 * <p>A device's certificate chains to the fleet CA (PKIX, with dates), is no CA certificate, is for
 * client authentication, and has exactly one subject alternative name, {@code
 * urn:beckon:device:<id>/<generation>}. A server's certificate of the same fleet is refused: it is
 * not for client authentication, and its name is another.
 *
 * <p>As a trust manager it is asked in a full handshake only, not when a TLS session is resumed;
 * {@link #identity} is asked after both.
 */
final class DeviceCertificates extends X509ExtendedTrustManager {

  /** Who a certificate is for. */
  record Identity(DeviceId id, int generation) {}

  private static final String DEVICE_PREFIX = "urn:beckon:device:";
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
  private static final int URI_NAME = 6;
  private static final int MAX_CHAIN = 4;

  private final X509Certificate root;
  private final Set<TrustAnchor> anchors;
  private final InstantSource clock;

  DeviceCertificates(X509Certificate root, InstantSource clock) {
    this.root = root;
    this.anchors = Set.of(new TrustAnchor(root, null));
    this.clock = clock;
  }

  /**
   * The device that this leaf certificate is for. Does not check signatures.
   *
   * @throws CertificateException if it is no device's certificate or out of its dates
   */
  Identity identity(X509Certificate leaf) throws CertificateException {
    leaf.checkValidity(Date.from(clock.instant()));
    if (leaf.getBasicConstraints() != -1) {
      throw new CertificateException("certificate: a CA's (expected a device's)");
    }
    List<String> usages = leaf.getExtendedKeyUsage();
    if (usages == null || !usages.contains(CLIENT_AUTH)) {
      throw new CertificateException("certificate usage: " + usages + " (expected clientAuth)");
    }
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    if (names == null || names.size() != 1) {
      throw new CertificateException(
          "certificate names: " + names + " (expected one, " + DEVICE_PREFIX + "ID/GENERATION)");
    }
    List<?> name = names.iterator().next();
    if (!Integer.valueOf(URI_NAME).equals(name.get(0)) || !(name.get(1) instanceof String uri)) {
      throw new CertificateException("certificate name: " + name + " (expected a URI)");
    }
    return parse(uri);
  }

  private static Identity parse(String uri) throws CertificateException {
    int slash = uri.lastIndexOf('/');
    if (!uri.startsWith(DEVICE_PREFIX) || slash < 0) {
      throw new CertificateException(
          "certificate name: " + uri + " (expected " + DEVICE_PREFIX + "ID/GENERATION)");
    }
    try {
      String number = uri.substring(slash + 1);
      int generation = Integer.parseInt(number);
      // Only the plain form, so that one generation has one name: no sign, no leading zero.
      if (generation < 0 || generation > 0xffff || !Integer.toString(generation).equals(number)) {
        throw new NumberFormatException();
      }
      return new Identity(new DeviceId(uri.substring(DEVICE_PREFIX.length(), slash)), generation);
    } catch (IllegalArgumentException malformed) {
      throw new CertificateException(
          "certificate name: " + uri + " (expected " + DEVICE_PREFIX + "ID/GENERATION)", malformed);
    }
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    if (chain.length == 0 || chain.length > MAX_CHAIN) {
      throw new CertificateException(
          "certificates: " + chain.length + " (expected 1 to " + MAX_CHAIN + ")");
    }
    identity(chain[0]);
    List<X509Certificate> path = new ArrayList<>(List.of(chain));
    // A device may send the root along; the path ends below the trust anchor.
    path.removeIf(root::equals);
    try {
      PKIXParameters parameters = new PKIXParameters(anchors);
      // Revocation is the deny-list's, asked at every Hello.
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(clock.instant()));
      CertPathValidator.getInstance("PKIX")
          .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
    } catch (CertificateException unfit) {
      throw unfit;
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException("certificate: not of this fleet", unfit);
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("certificate: a server's (expected a device's)");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkServerTrusted(chain, authType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checkServerTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[] {root};
  }
}
