package dev.beckon.server;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.api.MetricsText;
import dev.beckon.server.api.Reachability;
import dev.beckon.server.api.WakeRequests;
import dev.beckon.server.directory.ApplicationServer;
import dev.beckon.server.directory.ApplicationServers;
import dev.beckon.server.directory.DirectoryPush;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.directory.SignerCertificates;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Der;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.InvalidCertificateRequestException;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.identity.Redeemer;
import dev.beckon.server.identity.ServerCredentials;
import dev.beckon.server.peer.PeerServer;
import dev.beckon.server.peer.Rendezvous;
import dev.beckon.server.registrar.Authenticator;
import dev.beckon.server.registrar.DatagramCounters;
import dev.beckon.server.registrar.DeniedGenerations;
import dev.beckon.server.registrar.KeepaliveHandler;
import dev.beckon.server.registrar.Presence;
import dev.beckon.server.registrar.PublicStun;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.registrar.file.BindingFiles;
import dev.beckon.server.session.ServedDirectory;
import dev.beckon.server.udp.LocalAddresses;
import dev.beckon.server.wake.WakeListener;
import dev.beckon.server.wake.WakeThread;
import dev.beckon.server.wake.Wakes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The role rendezvous: who the devices are, where they are, and how they are woken. */
final class RendezvousPart implements WakeListener, Rendezvous {

  /** Is told what becomes of the wakes for one server. Must return at once. */
  @FunctionalInterface
  interface Evidence {
    void happened(int server, DeviceId id, long wakeId, String event, Map<String, String> details);
  }

  private final Ground ground;
  private final LocalSockets sockets;
  private final BindingFiles bindings;
  private final Identity identity;
  private final RendezvousDirectory directory;
  private final Registrar registrar;
  private final DatagramCounters datagrams = new DatagramCounters();
  private final Wakes wakes;
  private final PeerServer peers;
  private final DirectoryPart list;

  // Set before the first datagram is received, and so before the first wake is sent.
  private Evidence evidence = (server, id, wakeId, event, details) -> {};

  private RendezvousPart(
      Ground ground,
      BindingFiles bindings,
      LocalSockets sockets,
      Identity identity,
      Supplier<Advertised> here) {
    this.ground = ground;
    this.bindings = bindings;
    this.sockets = sockets;
    this.identity = identity;
    this.directory =
        ground
            .opened()
            .add(
                new RendezvousDirectory(
                    ground.database(),
                    ground.clock(),
                    identity.ca(),
                    numbers().contains(Wake.DIRECTORY_SERVER),
                    this::credentials,
                    here));
    this.registrar = new Registrar(bindings.table(), identity.masterKeys().tableKey());
    this.wakes = new Wakes(registrar, authenticator(), sockets.byNumber(), ground.random(), this);
    this.peers =
        new PeerServer(
            this,
            ground.config().security(),
            ground.background(),
            ground.nanoClock(),
            ground.clock());
    this.list = directoryPart();
    identity.enrollment().use(list::forEnrollment);
    identity.denyList().onRaised(peers::denied);
    identity.fleetKeys().use(directory.servers());
    identity.fleetKeys().onRootsChanged(peers::rootsChanged);
    directory
        .servers()
        .addListener(
            new ApplicationServers.Listener() {
              @Override
              public void onRemoved(int number) {
                peers.cut(number, -1);
              }

              @Override
              public void onEnrolled(int number, int generation) {
                peers.cut(number, generation);
              }
            });
  }

  /** The connections of the other servers. */
  PeerServer peers() {
    return peers;
  }

  /** The device dialled. A wake for the directory ends when it has that. */
  void dialled(DeviceId id, int server) {
    if (server != Wake.DIRECTORY_SERVER) {
      endWake(id, server);
    }
  }

  /** The wake for that server is no longer outstanding. */
  void endWake(DeviceId id, int server) {
    wakes.sessionOpened(id, server);
  }

  /** As the API asks for it: for this server, or for one of the list. Reads the database. */
  WakeRequests.Outcome wakeOnRequest(DeviceId id, OptionalInt server, Instant deadline) {
    int number = server.orElse(Wake.RENDEZVOUS_SERVER);
    if (number != Wake.RENDEZVOUS_SERVER && directory.servers().find(number).isEmpty()) {
      return WakeRequests.Outcome.SERVER_UNKNOWN;
    }
    wake(id, number, deadline);
    return WakeRequests.Outcome.WAKING;
  }

  /**
   * Binds the UDP addresses, which take nothing yet, and opens the fleet's identity.
   *
   * @param tlsPort asked when it is told to somebody
   * @throws IOException with a message for people if an address cannot be had
   */
  static RendezvousPart open(Ground ground, IntSupplier tlsPort) throws IOException {
    AtomicInteger udpPort = new AtomicInteger();
    String advertise = ground.config().advertise();
    Supplier<Advertised> here =
        () ->
            new Advertised(
                advertise != null ? advertise : LocalAddresses.ofDefaultRoute().getHostAddress(),
                udpPort.get(),
                tlsPort.getAsInt());
    Identity identity = Identity.open(ground.database(), ground.clock(), here);
    // Opened before the sockets, so that it is closed after them.
    BindingFiles bindings =
        ground
            .opened()
            .add(
                BindingFiles.open(
                    ground.config().data().resolve("bindings"), identity.masterKeys().tableKey()));
    LocalSockets sockets = LocalSockets.bind(ground, bindings);
    udpPort.set(sockets.addresses().getFirst().getPort());
    return new RendezvousPart(ground, bindings, sockets, identity, here);
  }

  private Authenticator authenticator() {
    return Authenticator.of(ground.config().security(), identity.masterKeys()::key);
  }

  /** Starts to send wakes. */
  void startWakes(Evidence listener) {
    evidence = listener;
    ground.opened().add(new WakeThread(wakes, ground.nanoClock()));
  }

  /** Starts to take keepalives, and to bring the directory to those who send them. */
  void startDatagrams() {
    list.start();
    MasterKeys masterKeys = identity.masterKeys();
    DeniedGenerations denied = new DeniedGenerations();
    // All that stands on the list at once: one by one each would copy those before it.
    denied.raiseAll(
        identity.denyList().entries().entrySet().stream()
            .collect(
                Collectors.toMap(
                    entry -> registrar.tag(new DeviceId(entry.getKey())),
                    Map.Entry::getValue,
                    Math::max)));
    identity.denyList().onRaised((id, minimum) -> denied.raise(registrar.tag(id), minimum));
    PublicStun publicStun = new PublicStun(ground.config().publicStun());
    sockets.start(
        number ->
            new KeepaliveHandler(
                number,
                registrar,
                authenticator(),
                denied,
                masterKeys.pathTokenKey(),
                publicStun,
                wakes,
                directory.directory()::version,
                datagrams),
        ground);
  }

  /** The servers of the fleet besides this one, and the list of them. */
  RendezvousDirectory directory() {
    return directory;
  }

  /** Of devices and of servers. */
  Redeemer enrollment() {
    return identity.enrollment().or(directory.enrollment());
  }

  /** Which servers this process is: 0, and by its role the directory server. */
  Set<Integer> numbers() {
    return Roles.orAll(ground.config().roles()).contains(Role.DIRECTORY)
        ? Set.of(Wake.RENDEZVOUS_SERVER, Wake.DIRECTORY_SERVER)
        : Set.of(Wake.RENDEZVOUS_SERVER);
  }

  /** The certificate of this server; a new one once half of the old one's life is over. */
  ServerCredentials credentials() {
    return identity.ca().issueServer(numbers());
  }

  private DirectoryPart directoryPart() {
    DirectoryPush.Waking waking =
        new DirectoryPush.Waking() {
          @Override
          public void wake(DeviceId id, long lifeMillis) {
            RendezvousPart.this.wake(
                id, Wake.DIRECTORY_SERVER, ground.clock().instant().plusMillis(lifeMillis));
          }

          @Override
          public void served(DeviceId id) {
            wakes.sessionOpened(id, Wake.DIRECTORY_SERVER);
          }
        };
    return new DirectoryPart(
        ground,
        directory,
        new SignerCertificates(() -> identity.ca().roots(), ground.clock()),
        wakes,
        peers,
        new DirectoryPush(
            ground.database(),
            directory.directory(),
            id -> presence(id).map(Reachability.Presence::reachable).orElse(false),
            waking,
            ground.nanoClock()));
  }

  /** What devices are told of other servers in their sessions. */
  ServedDirectory servedDirectory() {
    return list;
  }

  // ---- for the other servers

  @Override
  public boolean admits(int number, int generation) {
    return directory.servers().admits(number, generation);
  }

  @Override
  public String nameOf(int number) {
    return directory
        .servers()
        .find(number)
        .map(ApplicationServer::name)
        .orElse(String.valueOf(number));
  }

  @Override
  public Optional<Device> device(DeviceId id) {
    return identity.devices().find(id);
  }

  @Override
  public long wake(DeviceId id, int number, long deadlineMillis) {
    return wake(id, number, Instant.ofEpochMilli(deadlineMillis));
  }

  @Override
  public Map<String, Integer> denied() {
    return identity.denyList().entries();
  }

  @Override
  public List<ByteString> certify(byte[] certificateRequest, int number, int generation)
      throws InvalidCertificateRequestException {
    List<X509Certificate> chain = new ArrayList<>();
    chain.add(identity.ca().issueServerFor(certificateRequest, number, generation));
    chain.addAll(identity.ca().chain());
    return Der.of(chain);
  }

  @Override
  public boolean signed(X509Certificate certificate) {
    return identity.ca().signed(certificate);
  }

  @Override
  public PeerRoots rootsOfToday() {
    return identity.ca().peerRoots();
  }

  @Override
  public void holds(int number, int generation, PeerRoots roots) {
    directory.servers().holds(number, generation, roots);
  }

  @Override
  public List<ByteString> roots() {
    return Der.of(identity.ca().roots());
  }

  Identity identity() {
    return identity;
  }

  List<InetSocketAddress> udpAddresses() {
    return sockets.addresses();
  }

  /**
   * Wakes a device for a server, until it dials that or the deadline passes.
   *
   * @return the wake's ID
   */
  long wake(DeviceId id, int server, Instant deadline) {
    return wakes.request(
        id,
        server,
        deadline.toEpochMilli(),
        ground.nanoClock().getAsLong(),
        ground.clock().millis());
  }

  /** The device dialled that server. */
  @Override
  public void served(DeviceId id, int server) {
    if (server == Wake.DIRECTORY_SERVER) {
      list.servedElsewhere(id);
    }
    wakes.sessionOpened(id, server);
  }

  /** All of them, for whoever wakes many devices. */
  Wakes wakes() {
    return wakes;
  }

  /** Wakes for this server itself. */
  Waker waker() {
    return new Waker() {
      @Override
      public boolean wake(DeviceId id, Instant deadline) {
        RendezvousPart.this.wake(id, Wake.RENDEZVOUS_SERVER, deadline);
        return true;
      }

      @Override
      public void served(DeviceId id) {
        RendezvousPart.this.served(id, Wake.RENDEZVOUS_SERVER);
      }
    };
  }

  @Override
  public void sent(
      DeviceId id,
      int server,
      long wakeId,
      int transmission,
      InetSocketAddress serverAddress,
      InetSocketAddress mappedAddress) {
    evidence.happened(
        server,
        id,
        wakeId,
        "wake-sent",
        Map.of(
            "wakeId",
            Long.toHexString(wakeId),
            "transmission",
            String.valueOf(transmission),
            "serverAddress",
            SocketAddresses.format(serverAddress),
            "mappedAddress",
            SocketAddresses.format(mappedAddress)));
  }

  @Override
  public void answered(DeviceId id, int server, long wakeId) {
    evidence.happened(
        server, id, wakeId, "wake-answered", Map.of("wakeId", Long.toHexString(wakeId)));
  }

  Optional<Reachability.Presence> presence(DeviceId id) {
    return registrar.presence(id, ground.clock().instant()).flatMap(this::told);
  }

  /** A device whose mapping leads to an address that is no longer ours cannot be woken. */
  private Optional<Reachability.Presence> told(Presence presence) {
    return bindings
        .address(presence.socket())
        .map(
            address ->
                new Reachability.Presence(
                    presence.reachable() && sockets.has(presence.socket()),
                    presence.lastSeen(),
                    presence.mappedAddress(),
                    address,
                    presence.interval()));
  }

  void metrics(MetricsText text) {
    text.gauge("beckon_bindings", "Devices whose address is known.", registrar.size());
    text.counter(
        "beckon_bindings_torn_total", "Bindings that were found damaged.", bindings.table().torn());
    text.counter(
        "beckon_bindings_dropped_total",
        "New bindings that found no room on the disk.",
        bindings.table().dropped());
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
        sockets.sendFailures());
    text.counter(
        "beckon_datagrams_receive_failed_total",
        "Attempts to receive datagrams, or to handle them, that failed.",
        sockets.receiveFailures());
    list.metrics(text);
    text.gauge("beckon_peers", "Other servers that are connected.", peers.connected().size());
    PeerMetrics.write(text, peers.counters());
  }
}
