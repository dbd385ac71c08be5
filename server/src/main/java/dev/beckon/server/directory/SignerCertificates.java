package dev.beckon.server.directory;

import dev.beckon.server.identity.PathToRoot;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/** Who may sign lists: the fleet's server 65,535, with a certificate that is valid now. */
public final class SignerCertificates implements ListCheck.SignerCheck {

  private static final String PREFIX = "urn:beckon:server:" + ListCheck.SIGNER_NUMBER + "/";
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final int URI_NAME = 6;

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
    X509Certificate leaf = chain.getFirst();
    try {
      PathToRoot.require(chain, roots.get(), clock.instant());
    } catch (GeneralSecurityException unfit) {
      throw new CertificateException(
          "certificate: not of this fleet, or not valid at " + clock.instant(), unfit);
    }
    List<String> usages = leaf.getExtendedKeyUsage();
    if (leaf.getBasicConstraints() != -1 || usages == null || !usages.contains(SERVER_AUTH)) {
      throw new CertificateException("certificate: not a server's");
    }
    Collection<List<?>> names = leaf.getSubjectAlternativeNames();
    boolean named =
        names != null
            && names.stream()
                .anyMatch(
                    name ->
                        Integer.valueOf(URI_NAME).equals(name.get(0))
                            && String.valueOf(name.get(1)).startsWith(PREFIX));
    if (!named) {
      throw new CertificateException(
          "certificate names: " + names + " (expected " + PREFIX + "GENERATION)");
    }
  }
}
