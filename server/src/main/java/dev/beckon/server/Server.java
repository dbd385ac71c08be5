package dev.beckon.server;

import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.api.ApiConfig;
import dev.beckon.server.api.ApiServer;
import dev.beckon.server.api.Tokens;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.identity.EnrolledIdentity;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.peer.PeerServer;
import dev.beckon.server.session.ServerNumbers;
import dev.beckon.server.session.SessionConfig;
import dev.beckon.server.session.SessionParts;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A running server: its parts, put together by its roles.
 *
 * <p>{@link #start} opens the database, then the identity, then the sockets, and takes traffic only
 * when all of them stand; {@link #close} goes the other way.
 */
public final class Server implements AutoCloseable {

  /** How long the ends of commands hold the timer at once: a group has many at one moment. */
  private static final long TIME_NANOS = 200_000_000L;

  private final LongSupplier nanoClock = System::nanoTime;
  private final InstantSource clock = InstantSource.system();
  private final Opened opened = new Opened();

  private List<InetSocketAddress> udpAddresses = List.of();
  private InetSocketAddress tlsAddress = new InetSocketAddress(0);
  private InetSocketAddress httpAddress = new InetSocketAddress(0);

  private @Nullable RendezvousPart rendezvousPart;
  private @Nullable EnrolledPart enrolledPart;

  private Server() {}

  /**
   * Starts a server; it takes traffic when this returns.
   *
   * @throws IllegalArgumentException with a message for people if roles, enrollment code and data
   *     folder do not go together
   * @throws IOException likewise if an address cannot be had, or is no place for the security that
   *     was chosen, or the server cannot be enrolled
   * @throws dev.beckon.server.store.StoreException likewise if the data folder cannot be used
   */
  public static Server start(ServerConfig config) throws IOException {
    Server server = new Server();
    try {
      LabGuard.check(config);
      server.open(config);
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void open(ServerConfig config) throws IOException {
    refuse(
        Roles.objection(
            config.roles(),
            config.enroll() != null,
            EnrolledIdentity.isRendezvous(config.data()),
            EnrolledIdentity.read(config.data())));
    String enroll = config.enroll();
    EnrollmentCode code = enroll == null ? null : EnrollmentCode.parse(enroll);
    Ground ground = Ground.open(config, opened, nanoClock, clock);
    Optional<EnrolledIdentity> enrolled =
        code == null
            ? EnrolledIdentity.read(config.data())
            : Optional.of(EnrolledIdentity.enroll(config.data(), code, clock));
    if (enrolled.isPresent()) {
      refuse(Roles.objection(config.roles(), enrolled.get().number()));
      openEnrolled(ground, enrolled.get());
    } else {
      openRendezvous(ground, Roles.orAll(config.roles()));
    }
  }

  private static void refuse(@Nullable String objection) {
    if (objection != null) {
      throw new IllegalArgumentException(objection);
    }
  }

  // ---- number 0

  private void openRendezvous(Ground ground, Set<Role> roles) throws IOException {
    RendezvousPart rendezvous = RendezvousPart.open(ground, () -> tlsAddress.getPort());
    rendezvousPart = rendezvous;
    udpAddresses = rendezvous.udpAddresses();
    Identity identity = rendezvous.identity();
    Commands commands =
        opened.add(
            Commands.open(
                ground.database(), identity.devices()::find, clock, ground.config().keep()));
    identity.enrollment().onEnrolledAgain(commands::deviceEnrolledAgain);
    Dispatcher dispatcher = dispatcher(Wake.RENDEZVOUS_SERVER, commands, ground);
    PeerServer peers = rendezvous.peers();
    rendezvous.startWakes(
        (server, id, wakeId, event, details) -> {
          if (server == Wake.RENDEZVOUS_SERVER) {
            dispatcher.evidence(id, event, details);
          } else {
            peers.evidence(server, id, wakeId, event, details);
          }
        });

    boolean delivers = roles.contains(Role.DELIVERY);
    Set<Integer> held = rendezvous.numbers();
    SessionServer sessions =
        opened.add(
            new SessionServer(
                SessionConfig.defaults().withSecurity(ground.config().security()),
                rendezvous.credentials(),
                identity.ca()::roots,
                new ServerNumbers(
                    held, delivers ? OptionalInt.of(Wake.RENDEZVOUS_SERVER) : OptionalInt.empty()),
                new SessionParts(
                    commands,
                    identity.devices(),
                    identity.denyList(),
                    Optional.of(rendezvous.enrollment()),
                    Optional.of(identity.renewals()),
                    rendezvous.servedDirectory(),
                    new WakeEnds(rendezvous, dispatcher),
                    Optional.of(peers),
                    nanoClock,
                    clock)));
    tlsAddress = sessions.start(ground.config().tls());
    opened.add(peers); // says goodbye before the sessions' event loops end
    GroupWaking groupWaking = null;
    if (delivers) {
      dispatcher.begin(rendezvous.waker(), sessions::deliver);
      groupWaking = new GroupWaking(commands, dispatcher, rendezvous.wakes(), sessions, ground);
      dispatcher.pace(groupWaking::left);
      opened.add(groupWaking).start();
    }
    GroupWaking paced = groupWaking;
    keepTime(ground, commands);
    Runnable renewCredentials =
        () -> {
          sessions.use(rendezvous.credentials());
          rendezvous.directory().begin(); // the list is signed with the same certificate
        };
    ground.every(Duration.ofDays(1), renewCredentials);
    identity.fleetKeys().onRootsChanged(renewCredentials);
    identity.fleetKeys().onRootsChanged(sessions::rootsChanged); // behind it: they dial again
    rendezvous.startDatagrams();
    startApi(
        ground,
        sessions,
        identity.ca().issueRehearsal(),
        () ->
            new ApiServer.Parts(
                commands,
                delivers ? commands::submit : Server::refused,
                delivers ? Optional.of(commands.groups()) : Optional.empty(),
                identity.devices(),
                Optional.of(identity.devices()),
                rendezvous::presence,
                rendezvous::wakeOnRequest,
                Optional.of(rendezvous.directory()),
                Optional.of(identity.fleetKeys()),
                text -> {
                  rendezvous.metrics(text);
                  if (paced != null) {
                    paced.metrics(text);
                  }
                  SessionMetrics.write(text, sessions.counters());
                  StoreMetrics.write(text, ground.database(), commands);
                },
                ground.database()::isWritable,
                Tokens.openOrCreate(ground.config().data(), ground.random()),
                clock));
  }

  private void keepTime(Ground ground, Commands commands) {
    Database database = ground.database();
    ground.every(
        Duration.ofMillis(250),
        () -> {
          long begun = ground.nanoClock().getAsLong();
          Instant now;
          do {
            // While the disk is full every write would only fail, and say so in the log.
            if (!database.isWritable()) {
              return;
            }
            now = clock.instant();
          } while (commands.onTime(now) <= now.toEpochMilli()
              && ground.nanoClock().getAsLong() - begun < TIME_NANOS);
        });
    ground.every(Duration.ofSeconds(5), database::probe);
  }

  private static CompletableFuture<Submission> refused(NewCommand command) {
    return CompletableFuture.completedFuture(
        new Submission.Refused(
            "role-missing",
            "server: without the role delivery (expected an application server, or this one started"
                + " with that role)"));
  }

  // ---- numbers from 1

  private void openEnrolled(Ground ground, EnrolledIdentity identity) throws IOException {
    EnrolledPart enrolled = new EnrolledPart(ground, identity);
    enrolledPart = enrolled;
    Commands commands = enrolled.commands();
    int number = identity.number();
    EnrolledDirectory directory = new EnrolledDirectory(ground, enrolled);
    boolean delivers = Roles.of(number) == Role.DELIVERY;
    Dispatcher dispatcher = dispatcher(number, commands, ground);
    SessionServer sessions =
        opened.add(
            new SessionServer(
                SessionConfig.defaults().withSecurity(ground.config().security()),
                identity.credentials(),
                () -> enrolled.identity().roots(),
                new ServerNumbers(
                    Set.of(number), delivers ? OptionalInt.of(number) : OptionalInt.empty()),
                new SessionParts(
                    commands,
                    enrolled.devices(),
                    enrolled.denyList(),
                    Optional.empty(),
                    Optional.empty(),
                    directory,
                    dispatcher,
                    Optional.empty(),
                    nanoClock,
                    clock)));
    tlsAddress = sessions.start(ground.config().tls());
    if (delivers) {
      dispatcher.begin(enrolled, sessions::deliver);
    }
    enrolled.start(dispatcher, sessions);
    keepTime(ground, commands);
    startApi(
        ground,
        sessions,
        identity.credentials(), // of a TLS client as well
        () ->
            new ApiServer.Parts(
                commands,
                delivers ? enrolled : Server::refused,
                Optional.empty(),
                enrolled.devices(),
                Optional.empty(),
                id -> Optional.empty(),
                enrolled::wakeOnRequest,
                Optional.empty(),
                Optional.empty(),
                text -> {
                  enrolled.metrics(text);
                  SessionMetrics.write(text, sessions.counters());
                  StoreMetrics.write(text, ground.database(), commands);
                },
                ground.database()::isWritable,
                Tokens.openOrCreate(ground.config().data(), ground.random()),
                clock));
  }

  private static Dispatcher dispatcher(int number, Commands commands, Ground ground) {
    Executor background = ground.background();
    return new Dispatcher(number, commands, background, pause -> ground.later(pause, background));
  }

  /** The last to start. TLS warms up meanwhile, so that the first device finds it warm. */
  private void startApi(
      Ground ground,
      SessionServer sessions,
      ServerCredentials client,
      Supplier<ApiServer.Parts> parts)
      throws IOException {
    AtomicBoolean ready = new AtomicBoolean();
    CompletableFuture<Void> warm =
        CompletableFuture.runAsync(
            () -> sessions.rehearse(client, ready::get), ground.background());
    try {
      InetSocketAddress http = ground.config().http();
      if (http != null) {
        ApiConfig config = new ApiConfig(http, ground.config().insecure());
        ApiServer api = opened.add(ApiServer.start(config, parts.get()));
        httpAddress = api.address();
      }
    } finally {
      ready.set(true);
    }
    warm.join();
  }

  /** The addresses that take keepalives, with their real ports; none without that role. */
  public List<InetSocketAddress> udpAddresses() {
    return udpAddresses;
  }

  /** With the role rendezvous. */
  Optional<RendezvousPart> rendezvous() {
    return Optional.ofNullable(rendezvousPart);
  }

  /** Of a server with a number of its own. */
  Optional<EnrolledPart> enrolled() {
    return Optional.ofNullable(enrolledPart);
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
