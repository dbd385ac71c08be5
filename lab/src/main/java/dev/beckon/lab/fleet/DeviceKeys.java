package dev.beckon.lab.fleet;

import io.netty.handler.ssl.PemPrivateKey;
import io.netty.handler.ssl.PemX509Certificate;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Lets one TLS context speak for every device of a fleet: a context for each would cost a hundred
 * times the memory of a session. An engine says whose it is by its peer's port, which is the number
 * of the device; TLS sessions, which are kept by peer, are then kept by device too. Thread-safe.
 */
final class DeviceKeys extends X509ExtendedKeyManager {

  private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private final FleetCertificates fleet;
  private final boolean encoded;
  private final PrivateKey key;

  /**
   * @param encoded whether certificates are only passed on to BoringSSL, which parses them itself
   */
  DeviceKeys(FleetCertificates fleet, boolean encoded) {
    this.fleet = fleet;
    this.encoded = encoded;
    this.key =
        encoded ? PemPrivateKey.valueOf(pem("PRIVATE KEY", fleet.key().getEncoded())) : fleet.key();
  }

  private static byte[] pem(String kind, byte[] der) {
    return ("-----BEGIN "
            + kind
            + "-----\n"
            + BASE64.encodeToString(der)
            + "\n-----END "
            + kind
            + "-----\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public String chooseEngineClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, SSLEngine engine) {
    return String.valueOf(engine.getPeerPort());
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    int device = Integer.parseInt(alias);
    return new X509Certificate[] {
      encoded
          ? PemX509Certificate.valueOf(pem("CERTIFICATE", fleet.encoded(device)))
          : fleet.certificate(device)
    };
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return key;
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return null;
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return null;
  }

  @Override
  public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }

  @Override
  public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }
}
