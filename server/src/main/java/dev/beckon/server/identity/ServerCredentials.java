package dev.beckon.server.identity;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * What a server shows in a TLS handshake.
 *
 * @param key private key of the first certificate
 * @param chain the server's own certificate, then the fleet CA's
 * @param renewAfter half of the certificate's life; then {@link FleetCa#issueServer} makes a new
 *     one
 */
public record ServerCredentials(PrivateKey key, List<X509Certificate> chain, Instant renewAfter) {

  public ServerCredentials {
    chain = List.copyOf(chain);
  }
}
