package dev.beckon.server.identity;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Whether a certificate chain leads to a trusted root. The path is built from what was shown, in
 * any order and with more than it takes: while the CA is rolled over, and after it for as long as
 * somebody shows a chain of then, there is what leads to the older root and to the newer one.
 */
public final class PathToRoot {

  /** One more than what is shown during a roll-over would do; the rest is room. */
  private static final int MAX_CHAIN = 8;

  private PathToRoot() {}

  /**
   * Passes if the chain's first certificate was signed by a root, or by whom a root vouches for,
   * and is within its dates.
   *
   * @param chain as it was shown, the first one's owner first
   * @throws GeneralSecurityException if it was not, or is not
   */
  public static void require(
      List<X509Certificate> chain, Collection<X509Certificate> roots, Instant now)
      throws GeneralSecurityException {
    if (chain.isEmpty() || chain.size() > MAX_CHAIN) {
      throw new GeneralSecurityException(
          "certificates: " + chain.size() + " (expected 1 to " + MAX_CHAIN + ")");
    }
    Set<TrustAnchor> anchors =
        roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet());
    X509CertSelector leaf = new X509CertSelector();
    leaf.setCertificate(chain.getFirst());
    PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, leaf);
    parameters.addCertStore(
        CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
    parameters.setRevocationEnabled(false); // generations and the deny-list take its place
    parameters.setDate(Date.from(now));
    parameters.setSigProvider(SignatureChecks.provider());
    CertPathBuilder.getInstance("PKIX").build(parameters);
  }
}
