package dev.beckon.server.peer;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.directory.ServerAddress;
import dev.beckon.protocol.peer.DeviceAnswer;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.identity.EnrolledIdentity;
import dev.beckon.server.session.FrameDecoder;
import dev.beckon.server.session.FrameEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslProvider;
import java.net.InetSocketAddress;
import java.security.cert.CertificateException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An enrolled server's connection to the rendezvous server, kept up as long as this is open.
 * Carries out what {@link PeerLinkLogic} wants; that is touched by one event loop alone.
 * Thread-safe.
 */
public final class PeerLink implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);

  private static final String ALPN = "beckon-peer/1";
  private static final int CONNECT_MILLIS = 8_000; // under the logic's 10 s for an answer

  private final PeerLinkListener listener;
  private final LongSupplier nanoClock;
  private final InstantSource clock;
  private final PeerCounters counters = new PeerCounters();
  private final FarClock farClock = new FarClock();
  private final PeerLinkLogic logic;
  private final MultiThreadIoEventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          1,
          Thread.ofPlatform().daemon().name("peer-link-", 0).factory(),
          NioIoHandler.newFactory());

  // Event loop only.
  private final Map<Long, CompletableFuture<Optional<DeviceAnswer>>> queries = new HashMap<>();
  private @Nullable Channel channel;
  private @Nullable Future<?> timer;

  private volatile EnrolledIdentity identity;
  private volatile PeerDirectory directory = PeerDirectory.NONE;
  private volatile boolean away;
  private volatile boolean up;

  /**
   * Makes a link that does not dial yet.
   *
   * @param random for the pauses between attempts
   */
  public PeerLink(
      EnrolledIdentity identity,
      Security security,
      PeerLinkListener listener,
      RandomGenerator random,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.identity = identity;
    this.listener = listener;
    this.nanoClock = nanoClock;
    this.clock = clock;
    this.logic =
        new PeerLinkLogic(
            identity.number(), identity.generation(), security, random, nanoClock.getAsLong());
  }

  /** Begins to dial. */
  public void start() {
    onLoop(logic::onTime);
  }

  /** Shows this certificate from the next connection on. */
  public void use(EnrolledIdentity renewed) {
    identity = renewed;
    onLoop(now -> logic.holds(renewed.peerRoots()));
  }

  /** Says which CA roots this server goes by. */
  public void holds(PeerRoots roots) {
    onLoop(now -> logic.holds(roots));
  }

  /** Who exchanges the directory with the rendezvous server. */
  public void use(PeerDirectory exchange) {
    directory = exchange;
  }

  // ---- from any thread

  /** Whether the rendezvous server can be asked now. */
  public boolean isUp() {
    return up;
  }

  /**
   * Wakes the device for this server.
   *
   * @return false if the rendezvous server is known to be away; who waits is asked for once it is
   *     back, see {@link PeerLinkListener#up}
   */
  public boolean wake(DeviceId id, long deadlineMillis) {
    if (up) {
      counters.countWakeAsked();
      onLoop(now -> logic.wake(id, deadlineMillis));
    }
    return !away;
  }

  /** The device dialled this server. */
  public void served(DeviceId id) {
    onLoop(now -> logic.served(id));
  }

  /** What the rendezvous server knows of a device; empty if it cannot be asked, or goes away. */
  public CompletableFuture<Optional<DeviceAnswer>> query(DeviceId id) {
    CompletableFuture<Optional<DeviceAnswer>> answer = new CompletableFuture<>();
    if (!up) {
      answer.complete(Optional.empty());
      return answer;
    }
    onLoop(
        now -> {
          Optional<LinkEffect.Send> query = logic.query(id);
          if (query.isEmpty()) {
            answer.complete(Optional.empty());
            return List.of();
          }
          queries.put(logic.lastRequestId(), answer);
          return List.of(query.get());
        });
    return answer;
  }

  /** Asks for a new certificate; {@link PeerLinkListener#renewed} tells. */
  public void renew(byte[] certificateRequest) {
    onLoop(now -> logic.renew(certificateRequest));
  }

  /** Sends a frame about the directory. */
  public void send(PeerFrame frame) {
    onLoop(now -> logic.directory(frame));
  }

  public PeerCounters counters() {
    return counters;
  }

  private void onLoop(LongFunction<List<LinkEffect>> input) {
    try {
      loop.execute(() -> run(input.apply(nanoClock.getAsLong())));
    } catch (RejectedExecutionException stopping) {
      // This server stops.
    }
  }

  // ---- on the event loop

  private void run(List<LinkEffect> effects) {
    Channel open = channel;
    for (LinkEffect effect : effects) {
      switch (effect) {
        case LinkEffect.Dial dial -> dial();
        case LinkEffect.Send send -> {
          if (open != null) {
            open.write(send.frame());
          }
        }
        case LinkEffect.Cut cut -> cut();
        case LinkEffect.Up now -> cameUp(now.name());
        case LinkEffect.Away gone -> wentAway(gone);
        case LinkEffect.Refused refused -> {
          counters.countWakeRefused();
          listener.refused(refused.id(), refused.refusal());
        }
        case LinkEffect.Evidence evidence -> {
          DeviceId id = new DeviceId(evidence.evidence().getDeviceId());
          listener.evidence(
              id,
              farClock.here(evidence.evidence().getAtMillis(), clock.millis()),
              evidence.evidence().getEvent(),
              evidence.evidence().getDetailsMap());
        }
        case LinkEffect.Device device -> {
          CompletableFuture<Optional<DeviceAnswer>> waiting = queries.remove(device.requestId());
          if (waiting != null) {
            waiting.complete(Optional.of(device.answer()));
          }
        }
        case LinkEffect.Denied denied -> listener.denied(denied.minimumGenerations());
        case LinkEffect.Roots roots -> listener.roots(roots.ofToday());
        case LinkEffect.Renewed renewed -> listener.renewed(renewed.renewal());
        case LinkEffect.Directory piece -> directory.received(0, piece.frame());
      }
    }
    if (open != null) {
      open.flush();
    }
    watch();
  }

  private void cameUp(String name) {
    counters.countOpened();
    up = true;
    away = false;
    LOG.info(
        "connected to the rendezvous server {} as server {} ({})",
        identity.rendezvous(),
        identity.number(),
        name);
    listener.up();
    directory.connected(0, 0);
  }

  private void wentAway(LinkEffect.Away gone) {
    away = true;
    LOG.warn(
        "the rendezvous server {} is away, {}: {}; commands wait, and it is tried again",
        identity.rendezvous(),
        gone.end().code(),
        gone.why());
    listener.away(gone.why());
  }

  private void dial() {
    EnrolledIdentity own = identity;
    SslContext tls;
    try {
      tls = tls(own);
    } catch (SSLException broken) {
      LOG.error("the certificate of this server cannot be used", broken);
      run(logic.onConnectionLost("certificate: cannot be used", nanoClock.getAsLong()));
      return;
    }
    ServerAddress address = ServerAddress.parse(own.rendezvous());
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel opened) {
                    SslHandler handler = tls.newHandler(opened.alloc());
                    opened
                        .pipeline()
                        .addLast(
                            handler,
                            new FrameDecoder(PeerFrame.parser()),
                            FrameEncoder.INSTANCE,
                            new Frames());
                  }
                });
    // Each attempt looks the name up anew.
    ChannelFuture dialled =
        bootstrap.connect(InetSocketAddress.createUnresolved(address.host(), address.port()));
    channel = dialled.channel();
    dialled.addListener(
        attempt -> {
          if (!attempt.isSuccess() && dialled.channel() == channel) {
            lost(why(attempt.cause()));
          }
        });
  }

  private SslContext tls(EnrolledIdentity own) throws SSLException {
    return SslContextBuilder.forClient()
        .sslProvider(SslProvider.JDK) // one connection: its speed does not matter
        .protocols("TLSv1.3")
        .keyManager(own.key(), own.chain())
        .trustManager(new RendezvousCertificate(own.roots(), clock))
        .endpointIdentificationAlgorithm(null) // the number counts, not the host's name
        .applicationProtocolConfig(
            new ApplicationProtocolConfig(
                Protocol.ALPN,
                SelectorFailureBehavior.NO_ADVERTISE,
                SelectedListenerFailureBehavior.ACCEPT,
                ALPN))
        .build();
  }

  private static String why(@Nullable Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof CertificateException) {
        return String.valueOf(each.getMessage());
      }
    }
    return cause == null ? "closed" : String.valueOf(cause.getMessage());
  }

  private void lost(String why) {
    channel = null;
    counters.count(PeerEnd.CONNECTION_LOST);
    disconnected();
    run(logic.onConnectionLost(why, nanoClock.getAsLong()));
  }

  private void cut() {
    Channel open = channel;
    channel = null;
    disconnected();
    if (open != null) {
      open.flush();
      open.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER)
          .addListener(ChannelFutureListener.CLOSE);
    }
  }

  private void disconnected() {
    if (up) {
      up = false;
      directory.disconnected(0);
    }
    queries.values().forEach(answer -> answer.complete(Optional.empty()));
    queries.clear();
  }

  /** One timer; moved only to an earlier time, and set anew when it fires. */
  private void watch() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    OptionalLong deadline = logic.deadlineNanos();
    if (deadline.isEmpty() || loop.isShuttingDown()) {
      return;
    }
    timer =
        loop.schedule(
            () -> {
              timer = null;
              run(logic.onTime(nanoClock.getAsLong()));
            },
            Math.max(0, deadline.getAsLong() - nanoClock.getAsLong()),
            TimeUnit.NANOSECONDS);
  }

  /** Passes on what happens on the connection that counts; an older one's end is no news. */
  private final class Frames extends ChannelInboundHandlerAdapter {

    private boolean isCurrent(ChannelHandlerContext ctx) {
      return ctx.channel() == channel;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof SslHandshakeCompletionEvent handshake && isCurrent(ctx)) {
        if (handshake.isSuccess()) {
          run(logic.onConnected(directory.version(), nanoClock.getAsLong()));
        } else {
          String why = why(handshake.cause());
          ctx.close();
          lost(why);
        }
      }
      ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (isCurrent(ctx)) {
        PeerFrame frame = (PeerFrame) message;
        if (frame.hasWelcome()) {
          farClock.restart();
          farClock.here(frame.getWelcome().getServerTimeMillis(), clock.millis());
        }
        run(logic.onFrame(frame, nanoClock.getAsLong()));
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      if (isCurrent(ctx)) {
        lost("the connection ended");
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
      if (isCurrent(ctx)) {
        lost(why(cause));
      }
    }
  }

  /** Says PeerBye and ends. */
  @Override
  public void close() {
    onLoop(now -> logic.close());
    loop.shutdownGracefully(0, 1_000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
  }
}
