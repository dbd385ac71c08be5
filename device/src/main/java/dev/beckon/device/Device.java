package dev.beckon.device;

import com.google.protobuf.ByteString;
import dev.beckon.device.command.CommandLogic;
import dev.beckon.device.command.FileJournal;
import dev.beckon.device.command.Journal;
import dev.beckon.device.directory.PullLogic;
import dev.beckon.device.keepalive.KeepaliveLogic;
import dev.beckon.device.keepalive.KeepaliveTiming;
import dev.beckon.device.keepalive.KeyRing;
import dev.beckon.device.session.SessionLogic;
import dev.beckon.device.wake.Dials;
import dev.beckon.device.wake.WakeLogic;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.session.Actions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A device that its fleet's server can reach at any time, behind whatever router.
 *
 * <p>It keeps a UDP mapping alive, is woken through it, dials the server over TLS, fetches its
 * commands and runs them, each at most once. It never listens on a port.
 *
 * <p>Names of servers are resolved at each dial. The JDK keeps what it learns of DNS for 30 s; a
 * program that wants changes to be followed at once sets the security property {@code
 * networkaddress.cache.ttl} to 0 when it starts, as the agent does.
 *
 * <p>Thread-safe. A started device keeps the program alive until it is closed.
 */
public final class Device implements AutoCloseable {
  /** Longest body of a command, or of a result. */
  public static final long MAX_BODY_BYTES = 16L << 20;

  private static final int TRANSACTION_ID_BYTES = 12;

  /** The server gets all actions in one frame of 64 KiB. */
  private static final int MAX_CATALOG_BYTES = 65_000;

  private static final System.Logger LOG = System.getLogger("dev.beckon.device");

  private final Builder settings;
  private final DeviceIdentity identity;
  private @Nullable FileJournal journal;
  private @Nullable SessionLoop sessions;
  private @Nullable DatagramLoop datagrams;
  private @Nullable HostAddresses addresses;

  private Device(Builder settings, DeviceIdentity identity) {
    this.settings = settings;
    this.identity = identity;
  }

  public static Builder builder() {
    return new Builder();
  }

  /**
   * Starts, and returns at once; from now on the device can be reached.
   *
   * @return this device
   * @throws IOException if the data folder cannot be used, or another device uses it, or if {@link
   *     Builder#security} is not allowed for where the server is
   * @throws IllegalStateException if it was started before
   */
  public synchronized Device start() throws IOException {
    if (journal != null) {
      throw new IllegalStateException("device: started before (expected one start per device)");
    }
    Path folder = identity.folder();
    SecureRandom random = new SecureRandom();
    DeviceClock clock =
        new DeviceClock(System::nanoTime, settings.board, identity.serverTimeMillis());
    DeviceListener listener = new QuietListener(settings.listener);
    LabGuard guard = new LabGuard(settings.security, settings.insecure);
    if (!guard.warning().isEmpty()) {
      LOG.log(System.Logger.Level.WARNING, guard.warning());
    }
    FileJournal openJournal = FileJournal.open(folder.resolve("journal.log"));
    journal = openJournal;
    try {
      BodyFolder bodies = new BodyFolder(folder.resolve("bodies"));
      bodies.tidy(
          openJournal.entries().stream().map(Journal.Entry::key).collect(Collectors.toSet()));
      ActionRunner actions = new ActionRunner(settings.actions, bodies, MAX_BODY_BYTES);
      String id = identity.deviceId().value();
      CommandLogic commands = new CommandLogic(id, openJournal, actions::refusal, clock.millis());
      Actions catalog = catalog();
      ByteString hash = hash(catalog);
      ConfirmedActions confirmed = new ConfirmedActions(folder.resolve("actions.confirmed"));
      IdentityKeeper identities = new IdentityKeeper(identity);
      ServerTable servers =
          new ServerTable(
              identity.tlsAddress(), new DirectoryFile(folder), identities::roots, clock);
      HostAddresses hosts =
          new HostAddresses(
              folder.resolve("hosts.properties"), settings.resolver, guard, clock::millis);
      if (guard.restricts()) {
        refuseNetworks(hosts);
      }
      LoopLink link = new LoopLink();
      SessionLoop sessionLoop =
          new SessionLoop(
              new SessionLogic.Settings(
                  id,
                  random.nextLong(),
                  settings.delivery == Delivery.PUSH
                      ? dev.beckon.protocol.session.Delivery.DELIVERY_PUSH
                      : dev.beckon.protocol.session.Delivery.DELIVERY_INQUIRY,
                  catalog,
                  hash,
                  MAX_BODY_BYTES,
                  settings.security == Security.MUTUAL ? identities::held : null),
              commands,
              actions,
              bodies,
              confirmed,
              identities,
              new Diallers(settings.security, identities, clock),
              servers,
              hosts,
              clock,
              listener,
              link);
      KeyRing keys = new KeyRing(settings.security, identity.key());
      KeepaliveLogic keepalives =
          new KeepaliveLogic(
              identity.deviceId(),
              keys,
              new KeepaliveTiming(settings.interval, settings.oneWay),
              random::nextDouble,
              () -> {
                byte[] bytes = new byte[TRANSACTION_ID_BYTES];
                random.nextBytes(bytes);
                return bytes;
              },
              clock.nanos());
      DatagramLoop datagramLoop =
          new DatagramLoop(
              identity.udpAddress(),
              hosts,
              keys,
              keepalives,
              new WakeLogic(identity.deviceId(), keepalives::isFresh),
              new Dials(random::nextDouble, clock.nanos()),
              new PullLogic(servers::directory, random::nextDouble),
              servers,
              new DatagramLoop.AtStart(!confirmed.isConfirmed(hash), commands.servers()),
              link,
              clock,
              listener);
      link.tie(datagramLoop, sessionLoop);
      sessions = sessionLoop;
      datagrams = datagramLoop;
      addresses = hosts;
      sessionLoop.start();
      datagramLoop.start();
      return this;
    } catch (IOException | RuntimeException e) {
      openJournal.close();
      throw e;
    } catch (GeneralSecurityException e) {
      openJournal.close();
      throw new IOException("identity: cannot be used (" + e.getMessage() + ")", e);
    }
  }

  /** Names that cannot be resolved now are judged when they are. */
  private void refuseNetworks(HostAddresses hosts) throws IOException {
    for (InetSocketAddress server : List.of(identity.udpAddress(), identity.tlsAddress())) {
      try {
        hosts.find(server.getHostString());
      } catch (UnknownHostException e) {
        // The device starts without its server too.
      }
    }
  }

  public DeviceIdentity identity() {
    return identity;
  }

  /**
   * Stops: interrupts running actions, says goodbye to the server, and frees the data folder. Takes
   * a few seconds at most. Closing again does nothing.
   */
  @Override
  public synchronized void close() throws IOException {
    if (datagrams != null) {
      datagrams.close();
      datagrams = null;
    }
    if (sessions != null) {
      sessions.close();
      sessions = null;
    }
    if (addresses != null) {
      addresses.close(); // a resolver may still run, and must not write into a folder that is free
    }
    if (journal != null) {
      journal.close();
    }
  }

  private Actions catalog() {
    Actions.Builder catalog = Actions.newBuilder();
    settings.actions.values().forEach(entry -> catalog.addActions(entry.action().toMessage()));
    return catalog.build();
  }

  private static ByteString hash(Actions catalog) {
    try {
      return ByteString.copyFrom(
          MessageDigest.getInstance("SHA-256").digest(catalog.toByteArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Says what a device is and does. Not thread-safe. */
  public static final class Builder {
    private @Nullable DeviceIdentity identity;
    private Delivery delivery = Delivery.PUSH;
    private Duration interval = KeepaliveTiming.DEFAULT_INTERVAL;
    private boolean oneWay;
    private boolean lab;
    private Security security = Security.MUTUAL;
    private boolean insecure;
    private DeviceListener listener = new DeviceListener() {};
    private Resolver resolver = Resolver.SYSTEM;
    private InstantSource board = InstantSource.system();
    private final TreeMap<String, ActionRunner.Entry> actions = new TreeMap<>();

    private Builder() {}

    /** Who the device is; needed. */
    public Builder identity(DeviceIdentity newIdentity) {
      identity = newIdentity;
      return this;
    }

    /** How commands come; {@link Delivery#PUSH} unless set. */
    public Builder delivery(Delivery newDelivery) {
      delivery = newDelivery;
      return this;
    }

    /**
     * Time between two keepalives; 25 s unless set. From 15 s to 135 min; it must be shorter than
     * the router keeps a mapping, or wakes get lost.
     */
    public Builder interval(Duration newInterval) {
      interval = newInterval;
      return this;
    }

    /**
     * Three of four keepalives go unanswered. Halves the traffic; a mapped address that changed is
     * then noticed up to four intervals later.
     */
    public Builder oneWayKeepalives() {
      oneWay = true;
      return this;
    }

    /** Allows intervals down to 1 s, for tests; never in the field. */
    public Builder lab() {
      lab = true;
      return this;
    }

    /**
     * How much of the protection is on; {@link Security#MUTUAL} unless set. The server needs the
     * same setting, and nothing that it says changes this one. The others are for labs: the device
     * then starts only if its server is on a loopback address, or with {@link #insecure}.
     */
    public Builder security(Security mode) {
      security = mode;
      return this;
    }

    /** Allows a security below mutual over networks; never in the field. */
    public Builder insecure() {
      insecure = true;
      return this;
    }

    /** Told of what happens. */
    public Builder listener(DeviceListener newListener) {
      listener = newListener;
      return this;
    }

    /** Asks this one for the addresses of hosts, in tests. */
    Builder resolver(Resolver newResolver) {
      resolver = newResolver;
      return this;
    }

    /** The board's clock, in tests: it may be wrong. */
    Builder board(InstantSource newBoard) {
      board = newBoard;
      return this;
    }

    /** Adds an action that takes any arguments; the handler makes of them what it likes. */
    public Builder action(String name, ActionHandler handler) {
      return action(Action.named(name).takesOtherArguments(), handler);
    }

    /** Adds an action with typed parameters; a name given before is given another meaning. */
    public Builder action(Action action, ActionHandler handler) {
      actions.put(action.name(), new ActionRunner.Entry(action, handler));
      return this;
    }

    /**
     * @throws IllegalArgumentException if a setting is out of range
     * @throws IllegalStateException if the identity is missing
     */
    public Device build() {
      DeviceIdentity who = identity;
      if (who == null) {
        throw new IllegalStateException("identity: missing (expected DeviceIdentity.load(folder))");
      }
      Duration minimum = lab ? Duration.ofSeconds(1) : KeepaliveTiming.MIN_INTERVAL;
      if (interval.compareTo(minimum) < 0 || interval.compareTo(KeepaliveTiming.MAX_INTERVAL) > 0) {
        throw new IllegalArgumentException(
            "interval: "
                + interval.toMillis()
                + "ms (expected "
                + minimum.toSeconds()
                + "s to 8100s)");
      }
      Builder copy = new Builder();
      copy.delivery = delivery;
      copy.interval = interval;
      copy.oneWay = oneWay;
      copy.security = security;
      copy.insecure = insecure;
      copy.listener = listener;
      copy.resolver = resolver;
      copy.board = board;
      copy.actions.putAll(actions);
      Device device = new Device(copy, who);
      int catalogBytes = device.catalog().getSerializedSize();
      if (catalogBytes > MAX_CATALOG_BYTES) {
        throw new IllegalArgumentException(
            "actions: "
                + catalogBytes
                + " bytes in all (expected at most "
                + MAX_CATALOG_BYTES
                + "; shorten the descriptions)");
      }
      return device;
    }
  }
}
