package dev.beckon.server.identity;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Security;
import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who checks the signatures in certificates: native code where it loads, else the JDK, in five
 * times the time. Only these checks go there; everything else stays with the JDK's providers.
 */
public final class SignatureChecks {

  private static final Logger LOG = LoggerFactory.getLogger(SignatureChecks.class);

  /** Loading takes a while, so that is done when somebody asks first. */
  private static final class Loaded {
    static final @Nullable String PROVIDER = load();
  }

  private SignatureChecks() {}

  private static @Nullable String load() {
    try {
      AmazonCorrettoCryptoProvider provider = AmazonCorrettoCryptoProvider.INSTANCE;
      Throwable missing = provider.getLoadingError();
      if (missing != null) {
        LOG.debug("signatures are checked by the JDK", missing);
        return null;
      }
      provider.assertHealthy();
      Security.addProvider(provider); // the last one: nobody gets it who does not ask for it
      return provider.getName();
    } catch (RuntimeException | LinkageError missing) {
      LOG.debug("signatures are checked by the JDK", missing);
      return null;
    }
  }

  /** The provider to name; null for the JDK's own choice. The first call may take 0.3 s. */
  public static @Nullable String provider() {
    return Loaded.PROVIDER;
  }

  /** As {@link X509Certificate#verify(PublicKey)}. */
  static void verify(X509Certificate certificate, PublicKey issuer)
      throws GeneralSecurityException {
    String provider = provider();
    if (provider == null) {
      certificate.verify(issuer);
    } else {
      certificate.verify(issuer, provider);
    }
  }
}
