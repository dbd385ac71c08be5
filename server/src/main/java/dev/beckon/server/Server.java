package dev.beckon.server;

import dev.beckon.protocol.datagram.Wake;
import dev.beckon.server.api.ApiConfig;
import dev.beckon.server.api.ApiServer;
import dev.beckon.server.api.Tokens;
import dev.beckon.server.command.Commands;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.session.ServerNumbers;
import dev.beckon.server.session.SessionConfig;
import dev.beckon.server.session.SessionParts;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * A running server: its parts, put together by its roles.
 *
 * <p>{@link #start} opens the database, then the identity, then the sockets, and takes traffic only
 * when all of them stand; {@link #close} goes the other way.
 */
public final class Server implements AutoCloseable {

  private final LongSupplier nanoClock = System::nanoTime;
  private final InstantSource clock = InstantSource.system();
  private final Opened opened = new Opened();

  private List<InetSocketAddress> udpAddresses = List.of();
  private InetSocketAddress tlsAddress = new InetSocketAddress(0);
  private InetSocketAddress httpAddress = new InetSocketAddress(0);

  private Server() {}

  /**
   * Starts a server; it takes traffic when this returns.
   *
   * @throws IOException with a message for people if an address cannot be had, or is no place for
   *     the security that was chosen
   * @throws dev.beckon.server.store.StoreException likewise if the data folder cannot be used
   */
  public static Server start(ServerConfig config) throws IOException {
    Server server = new Server();
    try {
      LabGuard.check(config);
      server.open(Ground.open(config, server.opened, server.nanoClock, server.clock));
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void open(Ground ground) throws IOException {
    RendezvousPart rendezvous = RendezvousPart.open(ground, () -> tlsAddress.getPort());
    udpAddresses = rendezvous.udpAddresses();
    Identity identity = rendezvous.identity();
    Commands commands =
        opened.add(
            Commands.open(
                ground.database(), identity.devices()::find, clock, ground.config().keep()));
    identity.enrollment().onEnrolledAgain(commands::deviceEnrolledAgain);
    Dispatcher dispatcher = new Dispatcher(Wake.RENDEZVOUS_SERVER, commands, ground.background());
    rendezvous.startWakes(
        (server, id, wakeId, event, details) -> {
          if (server == Wake.RENDEZVOUS_SERVER) {
            dispatcher.evidence(id, event, details);
          }
        });

    SessionServer sessions =
        opened.add(
            new SessionServer(
                SessionConfig.defaults().withSecurity(ground.config().security()),
                credentials(identity),
                identity.ca()::roots,
                ServerNumbers.delivering(Wake.RENDEZVOUS_SERVER),
                new SessionParts(
                    commands,
                    identity.devices(),
                    identity.denyList(),
                    Optional.of(rendezvous.enrollment()),
                    Optional.of(identity.renewals()),
                    dispatcher,
                    Optional.empty(),
                    nanoClock,
                    clock)));
    tlsAddress = sessions.start(ground.config().tls());
    dispatcher.begin(rendezvous.waker(), sessions);
    Database database = ground.database();
    ground.every(
        Duration.ofMillis(250),
        () -> {
          // While the disk is full every write would only fail, and say so in the log.
          if (database.isWritable()) {
            commands.onTime(clock.instant());
          }
        });
    ground.every(Duration.ofSeconds(5), database::probe);
    ground.every(Duration.ofDays(1), () -> sessions.use(credentials(identity)));
    identity.fleetKeys().onRootsChanged(() -> sessions.use(credentials(identity)));
    rendezvous.startDatagrams();
    startApi(
        ground,
        new ApiServer.Parts(
            commands,
            identity.devices(),
            rendezvous::presence,
            dispatcher::wake,
            text -> {
              rendezvous.metrics(text);
              SessionMetrics.write(text, sessions.counters());
              StoreMetrics.write(text, database, commands);
            },
            database::isWritable,
            Tokens.openOrCreate(ground.config().data(), ground.random()),
            clock));
  }

  private void startApi(Ground ground, ApiServer.Parts parts) throws IOException {
    InetSocketAddress http = ground.config().http();
    if (http != null) {
      ApiServer api =
          opened.add(ApiServer.start(new ApiConfig(http, ground.config().insecure()), parts));
      httpAddress = api.address();
    }
  }

  /** The certificate of this server; a new one once half of the old one's life is over. */
  private static ServerCredentials credentials(Identity identity) {
    return identity.ca().issueServer(Set.of(Wake.RENDEZVOUS_SERVER));
  }

  /** The addresses that take keepalives, with their real ports; none without that role. */
  public List<InetSocketAddress> udpAddresses() {
    return udpAddresses;
  }

  public InetSocketAddress tlsAddress() {
    return tlsAddress;
  }

  public InetSocketAddress httpAddress() {
    return httpAddress;
  }

  @Override
  public void close() {
    opened.close();
  }
}
