package dev.beckon.server.peer;

import dev.beckon.server.identity.PathToRoot;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts the rendezvous server of this fleet and nobody else: a certificate that chains to one of
 * the fleet's roots, is for server authentication and holds the number 0. Host names do not count.
 */
final class RendezvousCertificate extends X509ExtendedTrustManager {

  private static final String PREFIX = "urn:beckon:server:0/";
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

  private final List<X509Certificate> roots;
  private final InstantSource clock;

  RendezvousCertificate(List<X509Certificate> roots, InstantSource clock) {
    this.roots = List.copyOf(roots);
    this.clock = clock;
  }

  private void check(X509Certificate[] chain) throws CertificateException {
    X509Certificate leaf = chain[0];
    List<String> usages = leaf.getExtendedKeyUsage();
    if (leaf.getBasicConstraints() != -1
        || usages == null
        || !usages.contains(SERVER_AUTH)
        || !holdsNumber0(leaf)) {
      throw new CertificateException("certificate: not a rendezvous server's (expected number 0)");
    }
    try {
      PathToRoot.require(List.of(chain), roots, clock.instant());
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException(
          "certificate: not of this fleet, or out of its dates (check both hosts' clocks)", unfit);
    }
  }

  private static boolean holdsNumber0(X509Certificate leaf) throws CertificateException {
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    return names != null
        && names.stream().anyMatch(name -> String.valueOf(name.get(1)).startsWith(PREFIX));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(chain);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("certificate: a client's (expected the rendezvous server's)");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return roots.toArray(new X509Certificate[0]);
  }
}
