package dev.beckon.server.session;

import dev.beckon.server.identity.ServerCredentials;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.ReferenceCountedOpenSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.internal.tcnative.SSLContext;
import java.util.List;
import javax.net.ssl.SSLException;

/** TLS 1.3 as the session port speaks it: BoringSSL where it loads, else the JDK's. */
final class SessionTls {

  /**
   * Tickets behind each full handshake: one, for a device has one session at a time. BoringSSL's
   * own choice is two, of a kilobyte each, for browsers.
   */
  private static final int TICKETS = 1;

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
      SslContext context = builder.build();
      if (context instanceof ReferenceCountedOpenSslContext boring) {
        limitTickets(boring);
      }
      return context;
    } catch (SSLException broken) {
      throw new IllegalStateException("tls: the server's certificate cannot be used", broken);
    }
  }

  @SuppressWarnings("deprecation") // Netty has no setting for it, and no other way to the pointer
  private static void limitTickets(ReferenceCountedOpenSslContext context) {
    SSLContext.setNumTickets(context.sslCtxPointer(), TICKETS);
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
