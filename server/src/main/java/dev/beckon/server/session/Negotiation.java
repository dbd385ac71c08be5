package dev.beckon.server.session;

import dev.beckon.protocol.session.Frame;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the TLS handshake and makes the connection what its protocol says: a session, an
 * enrollment, or another server's connection. Client authentication is optional in TLS because they
 * share the port; here {@code beckon/1} insists on a device's certificate (where security is {@code
 * mutual}) and {@code beckon-peer/1} on a server's.
 */
final class Negotiation extends ChannelInboundHandlerAdapter {

  static final String SESSION = "beckon/1";
  static final String ENROLLMENT = "beckon-enroll/1";
  static final String PEER = "beckon-peer/1";

  private final Entrance entrance;
  private final OpenSessions sessions;
  private final DeviceCertificates certificates;
  private final SessionCounters counters;
  private final @Nullable PeerConnections peers;
  private final SslHandler tls;
  private boolean decided;

  Negotiation(
      Entrance entrance,
      OpenSessions sessions,
      DeviceCertificates certificates,
      SessionCounters counters,
      @Nullable PeerConnections peers,
      SslHandler tls) {
    this.entrance = entrance;
    this.sessions = sessions;
    this.certificates = certificates;
    this.counters = counters;
    this.peers = peers;
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
    } else if (SESSION.equals(protocol) && entrance.believesHello()) {
      become(ctx, new Introduction(sessions, counters));
    } else if (SESSION.equals(protocol)) {
      certified(ctx, leaf -> session(ctx, leaf));
    } else if (PEER.equals(protocol) && peers != null) {
      certified(ctx, leaf -> peer(ctx, leaf, peers));
    } else {
      refuse(ctx, Refusal.NO_COMMON_PROTOCOL);
    }
  }

  private interface Judged {
    void accept(X509Certificate leaf) throws CertificateException;
  }

  private void certified(ChannelHandlerContext ctx, Judged next) {
    Certificate[] chain;
    try {
      chain = tls.engine().getSession().getPeerCertificates();
    } catch (SSLPeerUnverifiedException none) {
      refuse(ctx, Refusal.NO_CERTIFICATE);
      return;
    }
    try {
      // Asked again after the trust manager, which a resumed TLS session goes past.
      next.accept((X509Certificate) chain[0]);
    } catch (CertificateException unfit) {
      refuse(ctx, Refusal.UNFIT_CERTIFICATE);
    }
  }

  private void session(ChannelHandlerContext ctx, X509Certificate leaf)
      throws CertificateException {
    become(ctx, new SessionHandler(sessions, certificates.identity(leaf)));
  }

  private void peer(ChannelHandlerContext ctx, X509Certificate leaf, PeerConnections connections)
      throws CertificateException {
    DeviceCertificates.Server server = certificates.server(leaf);
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.remove(this);
    connections.connected(pipeline, server.number(), server.generation(), leaf);
  }

  private void become(ChannelHandlerContext ctx, ChannelInboundHandlerAdapter handler) {
    ChannelPipeline pipeline = ctx.pipeline();
    pipeline.addLast(new FrameDecoder(Frame.parser()), FrameEncoder.INSTANCE, handler);
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
      if (t instanceof NotSslRecordException) {
        return Refusal.NOT_TLS;
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
