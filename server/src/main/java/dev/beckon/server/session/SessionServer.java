package dev.beckon.server.session;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.identity.ServerCredentials;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS port: sessions ({@code beckon/1}), enrollment ({@code beckon-enroll/1}) and other servers
 * ({@code beckon-peer/1}). Thread-safe.
 *
 * <p>Network threads never wait for the store: they hand SQL to reader threads and go on.
 */
public final class SessionServer implements AutoCloseable {

  /** SQLite reads are short, and its writer is another thread; more would only queue up in it. */
  private static final int READERS = 4;

  private static final int BACKLOG = 4096;

  /** By then what a handshake runs is compiled. */
  private static final int MAX_REHEARSALS = 200;

  /** For saying Bye when the server stops. */
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(2);

  private static final Logger log = LoggerFactory.getLogger(SessionServer.class);

  private final SessionConfig config;
  private final SessionCounters counters = new SessionCounters();
  private final OpenSessions sessions;
  private final ExecutorService readers;
  private final MultiThreadIoEventLoopGroup loops;
  private final SessionTransport transport;
  private final List<Channel> listening = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final Entrance entrance;

  /**
   * Makes a server that does not listen yet.
   *
   * @param roots the fleet's CA roots of the moment; devices' certificates chain to one of them
   */
  public SessionServer(
      SessionConfig config,
      ServerCredentials credentials,
      Supplier<List<X509Certificate>> roots,
      ServerNumbers numbers,
      SessionParts parts) {
    this(
        config,
        credentials,
        roots,
        numbers,
        new FleetStore(
            parts.commands(),
            parts.devices(),
            parts.enrollment(),
            // A new identity would outlive the session of somebody who did not prove the old one.
            parts.renewals().filter(renewals -> config.security() == Security.MUTUAL),
            parts.directory(),
            parts.clock()),
        parts.denyList()::denies,
        parts.listener(),
        parts.enrollment().isPresent(),
        parts.peers(),
        parts.nanoClock(),
        parts.clock());
    parts.commands().addListener(new ToSessions());
    parts.denyList().onRaised(sessions::denied);
  }

  SessionServer(
      SessionConfig config,
      ServerCredentials credentials,
      Supplier<List<X509Certificate>> roots,
      ServerNumbers numbers,
      SessionStore store,
      Admission admission,
      SessionListener listener,
      boolean enrolls,
      Optional<PeerConnections> peers,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.config = config;
    this.readers =
        Executors.newFixedThreadPool(
            READERS, Thread.ofPlatform().daemon().name("session-reader-", 0).factory());
    DeviceCertificates certificates = new DeviceCertificates(roots, clock);
    this.sessions =
        new OpenSessions(
            config,
            store,
            admission,
            certificates,
            numbers,
            listener,
            counters,
            readers,
            nanoClock,
            clock);
    this.transport = SessionTransport.of(config.nativeParts());
    this.loops =
        new MultiThreadIoEventLoopGroup(
            Math.max(2, Runtime.getRuntime().availableProcessors()),
            Thread.ofPlatform().daemon().name("session-loop-", 0).factory(),
            transport.handlers());
    this.entrance =
        new Entrance(sessions, certificates, counters, enrolls, peers.orElse(null), credentials);
  }

  /**
   * Listens; may be called again for another address.
   *
   * @return the address with the real port
   * @throws IOException if the address cannot be had; its message is for people
   */
  public InetSocketAddress start(InetSocketAddress address) throws IOException {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops)
            .channelFactory(transport.serverChannels())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            // Commands and updates are small; waiting to fill a segment would cost 40 ms each.
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    connected(channel);
                  }
                });
    transport.watchForDeadPeers(bootstrap);
    Channel channel;
    try {
      channel = bootstrap.bind(address).sync().channel();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(
          "tls: " + SocketAddresses.format(address) + " (interrupted)", interrupted);
    } catch (Exception refused) { // Netty throws the bind's IOException without declaring it.
      throw new IOException(
          "tls: "
              + SocketAddresses.format(address)
              + " ("
              + reason(refused)
              + "; expected a free port of this host: stop what uses it or give --tls ADDR:PORT)",
          refused);
    }
    listening.add(channel);
    return (InetSocketAddress) channel.localAddress();
  }

  private static String reason(Exception refused) {
    String message = String.valueOf(refused.getMessage());
    return message.contains("Address already in use") ? "address already in use" : message;
  }

  private void connected(SocketChannel channel) {
    if (connections.incrementAndGet() > config.maxConnections()) {
      connections.decrementAndGet();
      counters.count(Refusal.TOO_MANY_CONNECTIONS);
      channel.close();
      return;
    }
    channel.closeFuture().addListener(closed -> connections.decrementAndGet());
    entrance.open(channel);
  }

  /**
   * Shows this certificate from now on, and resumes no TLS session that began before; open sessions
   * go on with the former one.
   */
  public void use(ServerCredentials credentials) {
    entrance.use(credentials);
  }

  /**
   * Says Bye to every session whose certificate is of none of the roots of now. Call it when a root
   * was dropped; returns at once.
   */
  public void rootsChanged() {
    sessions.rootsChanged();
  }

  /**
   * Makes TLS handshakes with itself, on this thread: the first ones of a process take many times
   * as long as those behind them, and no device shall be the one to wait for that.
   *
   * @param client what a client of this fleet shows
   * @param enough asked before each handshake but the first; there are 200 at most
   */
  public void rehearse(ServerCredentials client, BooleanSupplier enough) {
    try {
      TlsRehearsal rehearsal = entrance.rehearsal(client);
      int made = 0;
      do {
        rehearsal.handshake(Negotiation.SESSION);
        made++;
      } while (made < MAX_REHEARSALS && !enough.getAsBoolean());
    } catch (SSLException failed) {
      log.warn("tls: a handshake of this server with itself failed; devices' may fail too", failed);
    }
  }

  /** Whether the device has a session for commands, in either way of delivery. */
  public boolean hasSession(DeviceId id) {
    return sessions.of(id) != null;
  }

  /**
   * Offers the device's new command to its session.
   *
   * @return true if an open push session takes it, so that no wake is needed. Should that session
   *     end before it took the command, {@link SessionListener#closed} tells
   */
  public boolean deliver(DeviceId id) {
    SessionHandler session = sessions.of(id);
    if (session == null || !session.takesPushes()) {
      return false;
    }
    session.commandsWaiting();
    return true;
  }

  /** The threads on which sessions wait for their turn: for whoever finds out how long. */
  public List<Executor> threads() {
    List<Executor> threads = new ArrayList<>();
    loops.forEach(threads::add);
    threads.add(readers);
    return threads;
  }

  public SessionCounters counters() {
    return counters;
  }

  /** Sessions that are open now. */
  public int openSessions() {
    return sessions.count();
  }

  /** Which TLS and which transport carry the sessions, for a line at the start. */
  public String transportName() {
    return transport.name() + ", " + SessionTls.name(config.nativeParts());
  }

  /** Stops listening, says Bye to every session, waits two seconds at most, and cuts the rest. */
  @Override
  public void close() {
    for (Channel channel : listening) {
      channel.close().awaitUninterruptibly();
    }
    awaitAll(sessions.closeAll());
    loops.shutdownGracefully(0, 1_000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
    readers.shutdown();
  }

  /** Before the event loops stop, which cut connections without a word. */
  private void awaitAll(List<Future<?>> ends) {
    long deadline = sessions.nanos() + CLOSE_PATIENCE.toNanos();
    for (Future<?> end : ends) {
      try {
        end.get(Math.max(0, deadline - sessions.nanos()), TimeUnit.NANOSECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return;
      } catch (ExecutionException | TimeoutException cut) {
        // The event loops will cut it.
      }
    }
  }

  /** Tells a device's session what happened to its commands elsewhere. */
  private final class ToSessions implements CommandListener {

    @Override
    public void changed(Command command) {
      if (command.state().ended()) {
        SessionHandler session = sessions.of(command.deviceId());
        if (session != null) {
          session.commandEnded(command.id());
        }
      }
    }

    @Override
    public void cancelAsked(Command command) {
      SessionHandler session = sessions.of(command.deviceId());
      if (session != null) {
        session.cancelAsked(command.id());
      }
    }
  }
}
