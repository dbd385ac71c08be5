package dev.beckon.server.directory;

import dev.beckon.server.identity.PathToRoot;
import dev.beckon.server.identity.ServerLeaf;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;

/** Who may sign lists: the fleet's server 65,535, with a certificate that is valid now. */
public final class SignerCertificates implements ListCheck.SignerCheck {

  private final Supplier<List<X509Certificate>> roots;
  private final InstantSource clock;

  /**
   * @param roots the fleet's CA certificates; asked each time, for they change at a roll-over
   */
  public SignerCertificates(Supplier<List<X509Certificate>> roots, InstantSource clock) {
    this.roots = roots;
    this.clock = clock;
  }

  @Override
  public void check(List<X509Certificate> chain) throws CertificateException {
    try {
      PathToRoot.require(chain, roots.get(), clock.instant());
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException(
          "certificate: not of this fleet, or not valid at " + clock.instant(), unfit);
    }
    if (!ServerLeaf.isOf(ListCheck.SIGNER_NUMBER, chain.getFirst())) {
      throw new CertificateException(
          "certificate: not the directory server's (expected number "
              + ListCheck.SIGNER_NUMBER
              + ")");
    }
  }
}
