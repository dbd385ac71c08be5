package dev.beckon.lab.fleet;

import dev.beckon.lab.fleet.SessionLoadConfig.Course;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.server.session.FrameDecoder;
import dev.beckon.server.session.FrameEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of simulated devices: real sockets, and TLS 1.3 by BoringSSL with a certificate of each
 * device's own. Thread-safe.
 *
 * <p>A device has one session at a time; asked to dial in one, it dials again behind it.
 */
public final class SessionLoad implements SessionDialler {

  /** As a device waits before it tries again (DESIGN: rule 6). */
  private static final int[] RETRY_SECONDS = {1, 3, 7, 15};

  private static final int CONNECT_MILLIS = 10_000;

  /**
   * Loopback has 16 million addresses. A connection that the device ended first keeps its port for
   * a minute, and one address has only 28,000 of them.
   */
  private static final int LOOPBACK_SOURCES = 64;

  /**
   * Is told what a measurement wants to know. Called on the threads of the load; return at once.
   */
  public interface Observer {

    /** For those who only read the counts. */
    Observer NONE = new Observer() {};

    /** The device has the command and begins to run it. */
    default void commandCame(int device, Command command, long nowNanos) {}

    /**
     * The session is over, and the device may dial again.
     *
     * @param failure why it did not end well; null if it did
     */
    default void ended(int device, @Nullable String failure) {}
  }

  /** One session that is wanted. */
  static final class Dial {
    private final int device;
    private final long wakeId;
    private final int failures;
    private long againWakeId;
    private boolean again;
    private long beganNanos;

    Dial(int device, long wakeId, int failures) {
      this.device = device;
      this.wakeId = wakeId;
      this.failures = failures;
    }

    int device() {
      return device;
    }

    long wakeId() {
      return wakeId;
    }
  }

  private final SessionLoadConfig config;
  private final FleetCertificates fleet;
  private final Observer observer;
  private final SessionCounts counts = new SessionCounts();
  private final MultiThreadIoEventLoopGroup loops;
  private final ServerProof proof;
  private final SslContext tls;
  private final Bootstrap bootstrap;
  private final long bootId = new SecureRandom().nextLong();

  // Guarded by this.
  private final Map<Integer, Dial> byDevice = new HashMap<>();
  private final Queue<Dial> waiting = new ArrayDeque<>();
  private int open;
  private boolean closed;

  public SessionLoad(SessionLoadConfig config, FleetCertificates fleet, Observer observer) {
    this.config = config;
    this.fleet = fleet;
    this.observer = observer;
    boolean epoll = Epoll.isAvailable();
    this.proof = new ServerProof(fleet.roots());
    this.tls = context(config, fleet, proof);
    this.loops =
        new MultiThreadIoEventLoopGroup(
            config.threads(),
            Thread.ofPlatform().daemon().name("session-load-", 0).factory(),
            epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    this.bootstrap =
        new Bootstrap()
            .group(loops)
            .channelFactory(epoll ? EpollSocketChannel::new : NioSocketChannel::new)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS);
    if (epoll) {
      // Ports are chosen with the peer in mind: two connections to two peers can share one.
      bootstrap.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
    }
  }

  private static SslContext context(
      SessionLoadConfig config, FleetCertificates fleet, ServerProof proof) {
    boolean boring = OpenSsl.isAvailable();
    try {
      SslContextBuilder builder =
          SslContextBuilder.forClient()
              .sslProvider(boring ? SslProvider.OPENSSL : SslProvider.JDK)
              .protocols("TLSv1.3")
              .keyManager(new DeviceKeys(fleet, boring))
              .trustManager(proof)
              // The name in the certificate is a URN, which ServerProof looks for.
              .endpointIdentificationAlgorithm("")
              .sessionCacheSize(config.resumes() ? fleet.devices() : 1);
      if (config.course() != Course.HANDSHAKE) {
        builder.applicationProtocolConfig(
            new ApplicationProtocolConfig(
                Protocol.ALPN,
                SelectorFailureBehavior.NO_ADVERTISE,
                SelectedListenerFailureBehavior.ACCEPT,
                "beckon/1"));
      }
      SslContext context = builder.build();
      if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
        sessions.setSessionCacheEnabled(config.resumes());
      }
      return context;
    } catch (SSLException broken) {
      throw new IllegalStateException("tls: the fleet's certificates cannot be used", broken);
    }
  }

  @Override
  public void dial(int device, long wakeId, long delayMillis) {
    loops
        .next()
        .schedule(
            () -> begin(new Dial(device, wakeId, 0)),
            partNanos(delayMillis, ThreadLocalRandom.current().nextDouble()),
            TimeUnit.NANOSECONDS);
  }

  /**
   * When a device dials (docs/PROTOCOL.md, "dialling").
   *
   * @param random uniform in [0, 1)
   */
  static long partNanos(long delayMillis, double random) {
    return (long) (TimeUnit.MILLISECONDS.toNanos(delayMillis) * random);
  }

  private void begin(Dial dial) {
    synchronized (this) {
      if (closed) {
        return;
      }
      Dial before = byDevice.putIfAbsent(dial.device, dial);
      if (before != null) {
        before.again = true;
        before.againWakeId = dial.wakeId;
        return;
      }
      if (open == config.maxOpen()) {
        waiting.add(dial);
        return;
      }
      open++;
    }
    connect(dial);
  }

  private void connect(Dial dial) {
    dial.beganNanos = System.nanoTime();
    counts.countDialled();
    ChannelFuture connecting =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    begun(channel, dial);
                  }
                })
            .connect(config.server(), source(dial.device));
    connecting.addListener(
        done -> {
          if (!done.isSuccess()) {
            ended(dial, "connect: " + done.cause());
          }
        });
  }

  private @Nullable InetSocketAddress source(int device) {
    byte[] server = config.server().getAddress().getAddress();
    if (server.length != 4 || server[0] != 127) {
      return null;
    }
    try {
      byte[] own = {127, 0, 1, (byte) (1 + device % LOOPBACK_SOURCES)};
      return new InetSocketAddress(InetAddress.getByAddress(own), 0);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void begun(Channel channel, Dial dial) {
    // The host is no name that could be sent; the port tells the key manager whose engine it is.
    SslHandler handler = tls.newHandler(channel.alloc(), "fleet", dial.device);
    handler.setHandshakeTimeoutMillis(config.patience().toMillis());
    channel.pipeline().addLast(handler);
    if (config.course() == Course.HANDSHAKE) {
      channel.pipeline().addLast(new SimulatedHandshake(this, dial, handler));
    } else {
      channel
          .pipeline()
          .addLast(
              new FrameDecoder(Frame.parser()),
              FrameEncoder.INSTANCE,
              new SimulatedSession(this, dial));
    }
    var patience =
        channel
            .eventLoop()
            .schedule(() -> channel.close(), config.patience().toMillis(), TimeUnit.MILLISECONDS);
    channel.closeFuture().addListener(gone -> patience.cancel(false));
  }

  // ---- from the sessions

  FleetCertificates fleet() {
    return fleet;
  }

  long bootId() {
    return bootId;
  }

  long millis() {
    return System.currentTimeMillis();
  }

  boolean leavesAtOnce() {
    return config.course() == Course.COMMANDS;
  }

  boolean leavesGreeted() {
    return config.course() == Course.GREETING;
  }

  void handshakeDone(Dial dial) {
    counts.countHandshake(System.nanoTime() - dial.beganNanos, !proof.takeAsked(dial.device));
  }

  void commandCame(Dial dial, Command command) {
    counts.countCommand();
    observer.commandCame(dial.device, command, System.nanoTime());
  }

  void confirmed() {
    counts.countConfirmed();
  }

  void ended(Dial dial, @Nullable String failure) {
    if (failure == null) {
      counts.countEnded(System.nanoTime() - dial.beganNanos);
    } else {
      counts.countFailure(failure);
    }
    Dial next;
    synchronized (this) {
      byDevice.remove(dial.device);
      next = waiting.poll();
      if (next == null) {
        open--;
      }
    }
    if (next != null) {
      connect(next);
    }
    if (dial.again) {
      begin(new Dial(dial.device, dial.againWakeId, 0));
    } else if (failure != null && config.retries() && dial.failures < RETRY_SECONDS.length) {
      loops
          .next()
          .schedule(
              () -> begin(new Dial(dial.device, dial.wakeId, dial.failures + 1)),
              RETRY_SECONDS[dial.failures],
              TimeUnit.SECONDS);
    }
    observer.ended(dial.device, failure);
  }

  // ---- for everybody

  public SessionCounts counts() {
    return counts;
  }

  /** Sessions that are open now, and dials that wait for their turn. */
  public synchronized int pending() {
    return open + waiting.size();
  }

  /** Cuts what is open. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      waiting.clear();
    }
    loops.shutdownGracefully(0, 2_000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
  }
}
