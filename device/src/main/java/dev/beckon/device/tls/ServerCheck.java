package dev.beckon.device.tls;

import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether a certificate chain is that of the fleet's server with a given number.
 *
 * <p>The leaf must chain to a fleet CA certificate at the given time, be meant for servers, and
 * name {@code urn:beckon:server:<number>/<generation>}. Host names do not matter: an address may
 * change, the fleet does not.
 */
public final class ServerCheck {
  private static final int SAN_URI = 6;
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

  private ServerCheck() {}

  /**
   * @param chain leaf first, as the server sent it; may end with the root
   * @param roots the fleet's CA certificates
   * @param number of the server, 0 for the rendezvous server
   * @param now the device's clock
   * @throws CertificateException if the chain is not that server's, with the reason
   */
  public static void check(
      List<X509Certificate> chain, Collection<X509Certificate> roots, int number, Instant now)
      throws CertificateException {
    if (chain.isEmpty()) {
      throw new CertificateException("server certificate: none");
    }
    X509Certificate leaf = chain.get(0);
    Set<TrustAnchor> anchors = new HashSet<>();
    roots.forEach(root -> anchors.add(new TrustAnchor(root, null)));
    List<X509Certificate> path = new ArrayList<>(chain);
    path.removeAll(roots); // an anchor is no part of the path
    try {
      CertPath certPath = CertificateFactory.getInstance("X.509").generateCertPath(path);
      PKIXParameters parameters = new PKIXParameters(anchors);
      parameters.setRevocationEnabled(false); // a server's certificate is short-lived instead
      parameters.setDate(Date.from(now));
      CertPathValidator.getInstance("PKIX").validate(certPath, parameters);
    } catch (GeneralSecurityException e) {
      throw new CertificateException(
          "server certificate: not of this fleet, or not valid at "
              + now
              + " ("
              + e.getMessage()
              + ")",
          e);
    }
    if (leaf.getExtendedKeyUsage() == null || !leaf.getExtendedKeyUsage().contains(SERVER_AUTH)) {
      throw new CertificateException("server certificate: not meant for a server");
    }
    if (!numbers(leaf).contains(number)) {
      throw new CertificateException(
          "server certificate: for the servers "
              + numbers(leaf)
              + " (expected one for server "
              + number
              + ")");
    }
  }

  private static Set<Integer> numbers(X509Certificate leaf) throws CertificateException {
    Set<Integer> numbers = new HashSet<>();
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    if (names == null) {
      return numbers;
    }
    for (List<?> name : names) {
      if (name.get(0) instanceof Integer type
          && type == SAN_URI
          && name.get(1) instanceof String uri
          && uri.matches("urn:beckon:server:[0-9]{1,5}/[0-9]{1,9}")) {
        numbers.add(
            Integer.parseInt(uri.substring("urn:beckon:server:".length(), uri.indexOf('/'))));
      }
    }
    return numbers;
  }
}
