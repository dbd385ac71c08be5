package dev.beckon.server.session;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the TLS handshake and makes the connection what its protocol says: a session or an
 * enrollment. Client authentication is optional in TLS because both share the port; here {@code
 * beckon/1} insists on it.
 */
final class Negotiation extends ChannelInboundHandlerAdapter {

  static final String SESSION = "beckon/1";
  static final String ENROLLMENT = "beckon-enroll/1";

  private final OpenSessions sessions;
  private final DeviceCertificates certificates;
  private final SessionCounters counters;
  private final SslHandler tls;
  private boolean decided;

  Negotiation(
      OpenSessions sessions,
      DeviceCertificates certificates,
      SessionCounters counters,
      SslHandler tls) {
    this.sessions = sessions;
    this.certificates = certificates;
    this.counters = counters;
    this.tls = tls;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake && !decided) {
      decided = true;
      if (handshake.isSuccess()) {
        negotiated(ctx);
      } else {
        refuse(ctx, reason(handshake.cause()));
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  private void negotiated(ChannelHandlerContext ctx) {
    String protocol = tls.applicationProtocol();
    if (ENROLLMENT.equals(protocol)) {
      become(ctx, new EnrollmentHandler(sessions, counters));
    } else if (SESSION.equals(protocol)) {
      session(ctx);
    } else {
      refuse(ctx, Refusal.NO_COMMON_PROTOCOL);
    }
  }

  private void session(ChannelHandlerContext ctx) {
    Certificate[] chain;
    try {
      chain = tls.engine().getSession().getPeerCertificates();
    } catch (SSLPeerUnverifiedException none) {
      refuse(ctx, Refusal.NO_CERTIFICATE);
      return;
    }
    try {
      // Asked again after the trust manager, which a resumed TLS session goes past: dates.
      become(ctx, new SessionHandler(sessions, certificates.identity((X509Certificate) chain[0])));
    } catch (CertificateException unfit) {
      refuse(ctx, Refusal.UNFIT_CERTIFICATE);
    }
  }

  private void become(ChannelHandlerContext ctx, ChannelInboundHandlerAdapter handler) {
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new FrameDecoder(), FrameEncoder.INSTANCE, handler);
    pipeline.remove(this);
  }

  private void refuse(ChannelHandlerContext ctx, Refusal reason) {
    counters.count(reason);
    ctx.close();
  }

  private static Refusal reason(@Nullable Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof SslHandshakeTimeoutException) {
        return Refusal.HANDSHAKE_TOO_SLOW;
      }
      if (t instanceof CertificateException) {
        return Refusal.UNFIT_CERTIFICATE;
      }
    }
    return Refusal.HANDSHAKE_FAILED;
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (!decided) {
      decided = true;
      counters.count(Refusal.HANDSHAKE_FAILED);
    }
    ctx.fireChannelInactive();
  }

  /** What fails before the end of the handshake is the peer's fault, and counted already. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }
}
