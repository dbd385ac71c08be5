package dev.beckon.server.session;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.session.Frame;
import dev.beckon.server.identity.ServerCredentials;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How a connection begins: all that the security mode changes about the session port.
 *
 * <ul>
 *   <li>{@code mutual}: TLS at once; {@link Negotiation} insists on a certificate for sessions.
 *   <li>{@code server}: TLS as well, but whoever offers {@code beckon/1} is not asked for one, so
 *       what a client offers is read before the handshake begins.
 *   <li>{@code none}: frames, unless the first two bytes are those of TLS; and no TLS for {@code
 *       beckon/1}, so that a device that wants protection fails before it has said anything.
 * </ul>
 *
 * <p>Without a certificate the device is believed by its Hello: {@link Introduction}.
 */
final class Entrance {

  /** Fatal alert no_application_protocol (RFC 7301, section 3.2) in a plain-text record. */
  private static final byte[] NO_APPLICATION_PROTOCOL = {0x15, 3, 3, 0, 2, 2, 120};

  private final OpenSessions sessions;
  private final DeviceCertificates certificates;
  private final SessionCounters counters;
  private final Security security;
  private final List<String> protocols;
  private final @Nullable PeerConnections peers;

  private volatile ServerCredentials shown;
  private volatile SslContext asking; // for a client certificate
  private volatile SslContext notAsking;

  /**
   * @param enrolls whether devices and servers may enroll here
   * @param peers takes other servers' connections; null where none are taken
   */
  Entrance(
      OpenSessions sessions,
      DeviceCertificates certificates,
      SessionCounters counters,
      boolean enrolls,
      @Nullable PeerConnections peers,
      ServerCredentials credentials) {
    this.sessions = sessions;
    this.certificates = certificates;
    this.counters = counters;
    this.peers = peers;
    this.security = sessions.config().security();
    this.protocols = protocols(enrolls);
    this.shown = credentials;
    this.asking = context(credentials, true);
    this.notAsking = security == Security.SERVER ? context(credentials, false) : asking;
  }

  /** Shows this certificate from now on. */
  void use(ServerCredentials credentials) {
    shown = credentials;
    asking = context(credentials, true);
    notAsking = security == Security.SERVER ? context(credentials, false) : asking;
  }

  /** Handshakes of a client with what this entrance shows and believes. */
  TlsRehearsal rehearsal(ServerCredentials client) {
    return new TlsRehearsal(asking, shown.chain().getFirst(), client);
  }

  private List<String> protocols(boolean enrolls) {
    List<String> all = new ArrayList<>();
    if (security.protectsSessions()) {
      all.add(Negotiation.SESSION);
    }
    if (enrolls) {
      all.add(Negotiation.ENROLLMENT);
    }
    if (peers != null) {
      all.add(Negotiation.PEER);
    }
    return List.copyOf(all);
  }

  private SslContext context(ServerCredentials credentials, boolean asks) {
    return SessionTls.context(
        credentials, certificates, protocols, asks, sessions.config().nativeParts());
  }

  /** Takes a new connection. */
  void open(Channel channel) {
    long limitNanos = sessions.config().handshake().toNanos();
    if (security == Security.MUTUAL) {
      startTls(channel, asking, limitNanos);
      return;
    }
    ChannelPipeline pipeline = channel.pipeline();
    pipeline.addLast(new FirstBytes(this, sessions.nanos() + limitNanos));
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (pipeline.get(FirstBytes.class) != null
                  || pipeline.get(OfferReader.class) != null) {
                refuse(channel, Refusal.HANDSHAKE_TOO_SLOW);
              }
            },
            limitNanos,
            TimeUnit.NANOSECONDS);
  }

  /**
   * The first bytes are in.
   *
   * @param deadlineNanos when the TLS handshake must be over
   */
  void begun(ChannelHandlerContext ctx, boolean isTls, long deadlineNanos) {
    if (isTls) {
      ctx.pipeline().addLast(new OfferReader(this, deadlineNanos));
    } else if (security == Security.NONE) {
      ctx.pipeline()
          .addLast(
              new FrameDecoder(Frame.parser()),
              FrameEncoder.INSTANCE,
              new Introduction(sessions, counters));
    } else {
      refuse(ctx.channel(), Refusal.NOT_TLS);
    }
    ctx.pipeline().remove(ctx.handler()); // passes the bytes on
  }

  /**
   * A TLS client offers these protocols.
   *
   * @param offered empty if it offers none
   * @param deadlineNanos when the TLS handshake must be over
   */
  void offered(ChannelHandlerContext ctx, Set<String> offered, long deadlineNanos) {
    boolean wantsSession = offered.contains(Negotiation.SESSION);
    if (wantsSession && security == Security.NONE) {
      counters.count(Refusal.OTHER_SECURITY);
      ByteBuf alert = ctx.alloc().ioBuffer(NO_APPLICATION_PROTOCOL.length);
      ctx.writeAndFlush(alert.writeBytes(NO_APPLICATION_PROTOCOL))
          .addListener(ChannelFutureListener.CLOSE);
      return;
    }
    long leftNanos = Math.max(1_000_000, deadlineNanos - sessions.nanos());
    startTls(ctx.channel(), wantsSession ? notAsking : asking, leftNanos);
    ctx.pipeline().remove(ctx.handler()); // passes the ClientHello on
  }

  private void startTls(Channel channel, SslContext context, long limitNanos) {
    SslHandler tls = context.newHandler(channel.alloc());
    tls.setHandshakeTimeout(limitNanos, TimeUnit.NANOSECONDS);
    channel.pipeline().addLast(tls);
    channel.pipeline().addLast(new Negotiation(this, sessions, certificates, counters, peers, tls));
  }

  private void refuse(Channel channel, Refusal reason) {
    counters.count(reason);
    channel.close();
  }

  /** Whether a device is believed by the ID in its Hello, without a certificate. */
  boolean believesHello() {
    return security != Security.MUTUAL;
  }
}
