package dev.beckon.server.session;

import dev.beckon.server.identity.ServerCredentials;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.List;
import javax.net.ssl.SSLException;

/** TLS 1.3 as the session port speaks it: BoringSSL where it loads, else the JDK's. */
final class SessionTls {

  private SessionTls() {}

  /**
   * @param protocols that are spoken; with none of them every connection ends in {@link
   *     Negotiation}
   * @param asksForCertificate whether clients are asked for a certificate; one that they show must
   *     be fit
   */
  static SslContext context(
      ServerCredentials credentials,
      DeviceCertificates certificates,
      List<String> protocols,
      boolean asksForCertificate,
      boolean nativeParts) {
    try {
      SslContextBuilder builder =
          SslContextBuilder.forServer(credentials.key(), credentials.chain())
              .sslProvider(provider(nativeParts))
              .protocols("TLSv1.3")
              .trustManager(certificates)
              // Enrolling devices have no certificate yet; Negotiation insists on one otherwise.
              .clientAuth(asksForCertificate ? ClientAuth.OPTIONAL : ClientAuth.NONE);
      if (!protocols.isEmpty()) {
        builder.applicationProtocolConfig(
            new ApplicationProtocolConfig(
                Protocol.ALPN,
                SelectorFailureBehavior.NO_ADVERTISE,
                SelectedListenerFailureBehavior.ACCEPT,
                protocols));
      }
      return builder.build();
    } catch (SSLException broken) {
      throw new IllegalStateException("tls: the server's certificate cannot be used", broken);
    }
  }

  static String name(boolean nativeParts) {
    return provider(nativeParts) == SslProvider.OPENSSL ? OpenSsl.versionString() : "JDK TLS";
  }

  private static SslProvider provider(boolean nativeParts) {
    return nativeParts
            && OpenSsl.isAvailable()
            && SslProvider.isTlsv13Supported(SslProvider.OPENSSL)
        ? SslProvider.OPENSSL
        : SslProvider.JDK;
  }
}
