package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.server.api.AdminToken;
import dev.beckon.server.api.ApiConfig;
import dev.beckon.server.api.ApiServer;
import dev.beckon.server.api.MetricsText;
import dev.beckon.server.api.Reachability;
import dev.beckon.server.command.Commands;
import dev.beckon.server.directory.ApplicationServers;
import dev.beckon.server.directory.ServerEnrollment;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.registrar.DatagramCounters;
import dev.beckon.server.registrar.DeniedGenerations;
import dev.beckon.server.registrar.HeapBindingTable;
import dev.beckon.server.registrar.KeepaliveHandler;
import dev.beckon.server.registrar.PublicStun;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.session.Refusal;
import dev.beckon.server.session.SessionConfig;
import dev.beckon.server.session.SessionCounters;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.Database;
import dev.beckon.server.udp.LocalAddresses;
import dev.beckon.server.udp.UdpSocket;
import dev.beckon.server.wake.WakeThread;
import dev.beckon.server.wake.Wakes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running server: its parts, put together.
 *
 * <p>{@link #start} opens the database, then the identity, then the sockets, and takes traffic only
 * when all of them stand; {@link #close} goes the other way.
 */
public final class Server implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Server.class);

  private final LongSupplier nanoClock = System::nanoTime;
  private final InstantSource clock = InstantSource.system();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  private List<UdpSocket> udp = List.of();
  private InetSocketAddress tlsAddress = new InetSocketAddress(0);
  private InetSocketAddress httpAddress = new InetSocketAddress(0);

  private Server() {}

  /**
   * Starts a server; it takes traffic when this returns.
   *
   * @throws IOException with a message for people if an address cannot be had
   * @throws dev.beckon.server.store.StoreException likewise if the data folder cannot be used
   */
  public static Server start(ServerConfig config) throws IOException {
    Server server = new Server();
    try {
      server.open(config);
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void open(ServerConfig config) throws IOException {
    Database database = closing(Database.open(config.data()));
    udp = bindUdp(config);
    Identity identity = Identity.open(database, clock, () -> advertised(config));
    MasterKeys masterKeys = identity.masterKeys();
    Commands commands = closing(Commands.open(database, identity.devices(), clock));
    identity.enrollment().onEnrolledAgain(commands::deviceEnrolledAgain);
    ApplicationServers servers =
        new ApplicationServers(database, clock, identity.ca(), () -> advertised(config));
    ServerEnrollment serverEnrollment =
        new ServerEnrollment(database, clock, identity.ca(), servers, () -> advertised(config));
    ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();
    opened.push(background::shutdownNow);

    Registrar registrar = new Registrar(new HeapBindingTable(), masterKeys.tableKey());
    DeniedGenerations denied = new DeniedGenerations();
    identity.denyList().onRaised((id, minimum) -> denied.raise(registrar.tag(id), minimum));
    Dispatcher dispatcher = new Dispatcher(commands, background, nanoClock, clock);
    SecureRandom random = new SecureRandom();
    Wakes wakes = new Wakes(registrar, masterKeys::key, udp, random, dispatcher);
    closing(new WakeThread(wakes, nanoClock));

    SessionServer sessions =
        closing(
            new SessionServer(
                SessionConfig.defaults(),
                credentials(identity),
                identity.ca().root(),
                commands,
                identity.devices(),
                identity.denyList(),
                identity.enrollment().or(serverEnrollment),
                dispatcher,
                nanoClock,
                clock));
    tlsAddress = sessions.start(config.tls());
    dispatcher.begin(wakes, sessions);

    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("timer").daemon().factory());
    opened.push(timer::shutdownNow);
    timer.scheduleWithFixedDelay(
        () -> logged(() -> commands.onTime(clock.instant())), 0, 250, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(
        () -> logged(() -> sessions.use(credentials(identity))), 1, 1, TimeUnit.DAYS);

    DatagramCounters counters = new DatagramCounters();
    PublicStun publicStun = new PublicStun(config.publicStun());
    for (int i = 0; i < udp.size(); i++) {
      KeepaliveHandler handler =
          new KeepaliveHandler(
              i,
              registrar,
              masterKeys::key,
              denied,
              masterKeys.pathTokenKey(),
              publicStun,
              wakes,
              counters);
      udp.get(i).start(handler, nanoClock, clock);
    }
    ApiServer api =
        closing(
            ApiServer.start(
                new ApiConfig(config.http(), config.insecure()),
                new ApiServer.Parts(
                    commands,
                    identity.devices(),
                    id -> presence(registrar, id),
                    dispatcher::wake,
                    text -> metrics(text, registrar, wakes, counters, sessions.counters()),
                    () -> true,
                    AdminToken.openOrCreate(config.data(), random),
                    clock)));
    httpAddress = api.address();
  }

  private void metrics(
      MetricsText text,
      Registrar registrar,
      Wakes wakes,
      DatagramCounters datagrams,
      SessionCounters sessions) {
    text.gauge("beckon_bindings", "Devices whose address is known.", registrar.size());
    text.gauge("beckon_wakes_outstanding", "Wakes that wait for a device to dial.", wakes.size());
    datagrams
        .snapshot()
        .forEach(
            (outcome, count) ->
                text.counter(
                    "beckon_datagrams_total",
                    "Datagrams received, by what became of them.",
                    count,
                    "outcome",
                    outcome));
    text.counter(
        "beckon_datagrams_send_failed_total",
        "Datagrams that the kernel refused to send.",
        udp.stream().mapToLong(UdpSocket::sendFailures).sum());
    text.counter("beckon_sessions_total", "Sessions opened.", sessions.opened());
    text.counter("beckon_enrollments_total", "Devices enrolled.", sessions.enrolled());
    for (Refusal reason : Refusal.values()) {
      text.counter(
          "beckon_sessions_refused_total",
          "Connections refused, by reason.",
          sessions.refused(reason),
          "reason",
          reason.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    for (CloseReason reason : CloseReason.values()) {
      text.counter(
          "beckon_sessions_closed_total",
          "Sessions closed, by reason.",
          sessions.closed(reason),
          "reason",
          reason.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
  }

  /** The certificate of this server; a new one once half of the old one's life is over. */
  private static ServerCredentials credentials(Identity identity) {
    return identity.ca().issueServer(Set.of(Wake.RENDEZVOUS_SERVER));
  }

  /** A timer's task that fails is not called again; ours must be. */
  private static void logged(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      log.error("a timed task failed; it is tried again", e);
    }
  }

  private <T extends AutoCloseable> T closing(T part) {
    opened.push(part);
    return part;
  }

  private List<UdpSocket> bindUdp(ServerConfig config) throws IOException {
    List<InetSocketAddress> addresses = new ArrayList<>(config.udp());
    if (addresses.isEmpty()) {
      for (InetAddress address : LocalAddresses.all()) {
        addresses.add(new InetSocketAddress(address, ServerConfig.DEFAULT_UDP_PORT));
      }
    }
    List<UdpSocket> sockets = new ArrayList<>();
    for (InetSocketAddress address : addresses) {
      sockets.add(closing(UdpSocket.bind(address)));
    }
    return sockets;
  }

  private Advertised advertised(ServerConfig config) {
    String host =
        config.advertise() != null
            ? config.advertise()
            : LocalAddresses.ofDefaultRoute().getHostAddress();
    return new Advertised(host, udp.get(0).localAddress().getPort(), tlsAddress.getPort());
  }

  private Optional<Reachability.Presence> presence(Registrar registrar, DeviceId id) {
    return registrar
        .presence(id, clock.instant())
        .map(
            presence ->
                new Reachability.Presence(
                    presence.reachable(),
                    presence.lastSeen(),
                    presence.mappedAddress(),
                    udp.get(presence.socket()).localAddress(),
                    presence.interval()));
  }

  /** The addresses that take keepalives, with their real ports. */
  public List<InetSocketAddress> udpAddresses() {
    return udp.stream().map(UdpSocket::localAddress).toList();
  }

  public InetSocketAddress tlsAddress() {
    return tlsAddress;
  }

  public InetSocketAddress httpAddress() {
    return httpAddress;
  }

  @Override
  public void close() {
    while (!opened.isEmpty()) {
      AutoCloseable part = opened.pop();
      try {
        part.close();
      } catch (Exception e) { // the others must be closed all the same
        log.warn("closing {} failed", part, e);
      }
    }
  }
}
