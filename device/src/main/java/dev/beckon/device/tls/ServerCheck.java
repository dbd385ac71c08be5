package dev.beckon.device.tls;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Whether a certificate chain is that of the fleet's server with a given number.
 *
 * <p>The leaf must chain to a fleet CA certificate at the given time, be meant for servers, and
 * name {@code urn:beckon:server:<number>/<generation>}. Host names do not matter: an address may
 * change, the fleet does not.
 */
public final class ServerCheck {
  private static final int SAN_URI = 6;
  private static final int MAX_CHAIN = 8;
  private static final BigInteger P256_ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  /** Only the plain form: no sign, no leading zero. */
  private static final Pattern SERVER_NAME =
      Pattern.compile("urn:beckon:server:(0|[1-9][0-9]{0,4})/[1-9][0-9]{0,4}");

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
    if (chain.size() > MAX_CHAIN) {
      throw new CertificateException(
          "server certificate: " + chain.size() + " in its chain (expected at most 8)");
    }
    X509Certificate leaf = chain.get(0);
    Set<TrustAnchor> anchors = new HashSet<>();
    roots.forEach(root -> anchors.add(new TrustAnchor(root, null)));
    List<? extends Certificate> path;
    try {
      X509CertSelector target = new X509CertSelector();
      target.setCertificate(leaf);
      // Built, not just validated: while the fleet rolls its CA over the chain holds what leads to
      // the old root and to the new one, for devices that know either.
      PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, target);
      parameters.addCertStore(
          CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
      parameters.setRevocationEnabled(false); // a server's certificate is short-lived instead
      parameters.setDate(Date.from(now));
      path = CertPathBuilder.getInstance("PKIX").build(parameters).getCertPath().getCertificates();
    } catch (GeneralSecurityException e) {
      throw new CertificateException(
          "server certificate: not of this fleet, or not valid at "
              + now
              + " ("
              + e.getMessage()
              + ")",
          e);
    }
    // A root signs leaves itself; only the old root's word for the new one may stand between, which
    // is self-issued: both have the same name.
    for (int i = 1; i < path.size(); i++) { // empty if the leaf is a root
      X509Certificate ca = (X509Certificate) path.get(i);
      if (!ca.getSubjectX500Principal().equals(ca.getIssuerX500Principal())) {
        throw new CertificateException("server certificate: not signed by a root of the fleet");
      }
    }
    if (leaf.getBasicConstraints() != -1) {
      throw new CertificateException("server certificate: a CA's");
    }
    if (!(leaf.getPublicKey() instanceof ECPublicKey key)
        || !key.getParams().getOrder().equals(P256_ORDER)) {
      throw new CertificateException("server certificate: its key is not on P-256");
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
      if (!(name.get(0) instanceof Integer type && type == SAN_URI)
          || !(name.get(1) instanceof String uri)
          || !SERVER_NAME.matcher(uri).matches()) {
        throw new CertificateException(
            "server certificate: for " + name + " (expected urn:beckon:server:NUMBER/GENERATION)");
      }
      String number = uri.substring("urn:beckon:server:".length(), uri.indexOf('/'));
      numbers.add(Integer.parseInt(number));
    }
    return numbers;
  }
}
