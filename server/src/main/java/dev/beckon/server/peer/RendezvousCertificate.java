package dev.beckon.server.peer;

import dev.beckon.server.identity.OneSidedTrust;
import dev.beckon.server.identity.PathToRoot;
import dev.beckon.server.identity.ServerLeaf;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;

/**
 * Trusts the rendezvous server of this fleet and nobody else: a certificate that chains to one of
 * the fleet's roots, is for server authentication and holds the number 0.
 */
final class RendezvousCertificate extends OneSidedTrust {

  private final List<X509Certificate> roots;
  private final InstantSource clock;

  RendezvousCertificate(List<X509Certificate> roots, InstantSource clock) {
    super(Side.SERVERS);
    this.roots = List.copyOf(roots);
    this.clock = clock;
  }

  @Override
  protected void check(X509Certificate[] chain) throws CertificateException {
    if (!ServerLeaf.isOf(0, chain[0])) {
      throw new CertificateException("certificate: not a rendezvous server's (expected number 0)");
    }
    try {
      PathToRoot.require(List.of(chain), roots, clock.instant());
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException(
          "certificate: not of this fleet, or out of its dates (check both hosts' clocks)", unfit);
    }
  }
}
