package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.DeviceAnswer;
import dev.beckon.protocol.peer.PeerRenewal;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.api.MetricsText;
import dev.beckon.server.api.WakeRequests;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import dev.beckon.server.command.Submitter;
import dev.beckon.server.identity.DenyList;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.EnrolledIdentity;
import dev.beckon.server.identity.EnrollmentExchange;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.peer.PeerLink;
import dev.beckon.server.peer.PeerLinkListener;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.Sql;
import dev.beckon.server.store.StoreException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server of its own number: its identity, its connection to the rendezvous server, and what it
 * learns there about devices.
 */
final class EnrolledPart implements PeerLinkListener, Waker, Submitter {
  private static final Duration RENEWAL = Duration.ofDays(1);
  private static final Logger log = LoggerFactory.getLogger(EnrolledPart.class);

  /** How long a new command waits for word about its device; then that is found out later. */
  private static final long QUERY_MILLIS = 2_000;

  private final Ground ground;
  private final KnownDevices devices;
  private final DenyList denyList;
  private final PeerLink link;
  private final Commands commands;

  private volatile EnrolledIdentity identity;
  private volatile PeerRoots rootsOfToday = PeerRoots.getDefaultInstance();
  private volatile @Nullable Asked renewing;
  private volatile @Nullable Dispatcher dispatcher;
  private volatile @Nullable SessionServer sessions;
  private volatile Runnable afterRenewal = () -> {};

  EnrolledPart(Ground ground, EnrolledIdentity identity) {
    this.ground = ground;
    this.identity = identity;
    this.devices = new KnownDevices(ground.database());
    this.denyList = new DenyList(ground.database());
    this.commands =
        ground
            .opened()
            .add(
                Commands.open(
                    ground.database(), this::find, ground.clock(), ground.config().keep()));
    this.link =
        new PeerLink(
            identity,
            ground.config().security(),
            this,
            ground.random(),
            ground.nanoClock(),
            ground.clock());
  }

  /** Commands are accepted before it is known whether there is such a device. */
  private Optional<Device> find(Sql sql, DeviceId id) throws SQLException {
    Optional<Device> known = devices.find(sql, id);
    return known.isPresent()
        ? known
        : Optional.of(
            new Device(id, 0, Device.State.INVITED, ground.clock().instant(), null, null));
  }

  int number() {
    return identity.number();
  }

  EnrolledIdentity identity() {
    return identity;
  }

  /** Wall time, as everything here goes by it. */
  Instant now() {
    return ground.clock().instant();
  }

  Commands commands() {
    return commands;
  }

  KnownDevices devices() {
    return devices;
  }

  DenyList denyList() {
    return denyList;
  }

  PeerLink link() {
    return link;
  }

  /** Begins to keep the connection to the rendezvous server up. */
  void start(Dispatcher startedDispatcher, SessionServer startedSessions) {
    dispatcher = startedDispatcher;
    sessions = startedSessions;
    ground.opened().add(link);
    link.start();
    ground.every(Duration.ofHours(1), this::renewInTime);
  }

  // ---- wakes

  @Override
  public boolean wake(DeviceId id, Instant deadline) {
    return link.wake(id, deadline.toEpochMilli());
  }

  /** As the API asks for it: for this server only, and of any device of the fleet. May block. */
  WakeRequests.Outcome wakeOnRequest(DeviceId id, OptionalInt server, Instant deadline) {
    if (server.orElse(number()) != number()) {
      return WakeRequests.Outcome.SERVER_UNKNOWN;
    }
    if (!isAtHome(id)) {
      Optional<DeviceAnswer> answer =
          ask(id)
              .completeOnTimeout(Optional.empty(), QUERY_MILLIS, TimeUnit.MILLISECONDS)
              .exceptionally(unwritten -> Optional.empty()) // its wake is judged there all the same
              .join();
      if (answer.isPresent() && (!answer.get().getKnown() || answer.get().getRevoked())) {
        return answer.get().getKnown()
            ? WakeRequests.Outcome.DEVICE_REVOKED
            : WakeRequests.Outcome.DEVICE_UNKNOWN;
      }
    }
    return link.isUp() && wake(id, deadline)
        ? WakeRequests.Outcome.WAKING
        : WakeRequests.Outcome.AWAY;
  }

  @Override
  public void served(DeviceId id) {
    link.served(id);
  }

  @Override
  public void up() {
    inBackground(this::wakeAllWaiting);
  }

  /** There is a newer directory: a device that did not find this server in the last one may now. */
  void listChanged() {
    inBackground(this::wakeAllWaiting);
  }

  private void inBackground(Runnable task) {
    try {
      ground.background().execute(task);
    } catch (RejectedExecutionException stopping) {
      // Its next start begins with the same.
    }
  }

  /**
   * Wakes for all that waits, behind the answers about devices that may be others by now: what was
   * handed to a device must not be handed to its successor.
   */
  void wakeAllWaiting() {
    if (!link.isUp()) {
      return; // done when it is
    }
    try {
      List<CompletableFuture<Optional<DeviceAnswer>>> answers = askAboutDenied(denyList.entries());
      for (DeviceId id : commands.waiting().keySet()) {
        if (devices.find(id).isEmpty()) {
          answers.add(ask(id));
        }
      }
      Dispatcher started = dispatcher;
      // One that is missing was cut off with the connection, and all this comes again.
      if (answers.stream().allMatch(answer -> answer.join().isPresent()) && started != null) {
        started.wakeAllWaiting();
      }
    } catch (StoreException | CompletionException failed) {
      log.warn("waiting commands could not be read; tried again in 1 s", failed);
      later(this::wakeAllWaiting);
    }
  }

  @Override
  public void away(String why) {
    renewing = null; // its answer is lost
    ground
        .background()
        .execute(
            () ->
                commands
                    .waiting()
                    .keySet()
                    .forEach(id -> commands.note(id, "rendezvous-away", Map.of())));
  }

  @Override
  public void evidence(DeviceId id, Instant at, String event, Map<String, String> details) {
    commands.note(id, at, event, details);
  }

  @Override
  public void refused(DeviceId id, String refusal) {
    commands.deviceRefused(id, reason(refusal));
    ask(id);
  }

  private static String reason(String refusal) {
    return switch (refusal) {
      case "device-unknown" -> "the rendezvous server knows no such device";
      case "device-revoked" -> "the device is revoked";
      default -> "the rendezvous server refused to wake the device: " + refusal;
    };
  }

  // ---- devices

  /** Finds out about the device first, if that takes no more than a moment. */
  @Override
  public CompletableFuture<Submission> submit(NewCommand command) {
    DeviceId id = command.deviceId();
    return CompletableFuture.supplyAsync(() -> isAtHome(id), ground.background())
        .thenCompose(known -> known ? CompletableFuture.completedFuture(true) : exists(id))
        .thenCompose(
            exists ->
                exists
                    ? commands.submit(command)
                    : CompletableFuture.completedFuture(new Submission.DeviceUnknown()));
  }

  /** Whether the device is known here, and nothing was heard against it since. */
  private boolean isAtHome(DeviceId id) {
    return devices
        .find(id)
        .filter(
            device ->
                device.state() == Device.State.ENROLLED
                    && !denyList.denies(id.value(), device.generation()))
        .isPresent();
  }

  private CompletableFuture<Boolean> exists(DeviceId id) {
    return ask(id)
        .completeOnTimeout(Optional.empty(), QUERY_MILLIS, TimeUnit.MILLISECONDS)
        .thenApply(answer -> answer.map(DeviceAnswer::getKnown).orElse(true));
  }

  /** Asks about the device and keeps what is said. Empty if nobody can be asked now. */
  private CompletableFuture<Optional<DeviceAnswer>> ask(DeviceId id) {
    return link.query(id)
        .thenComposeAsync(
            answer ->
                answer.isEmpty()
                    ? CompletableFuture.completedFuture(answer)
                    : learn(id, answer.get()).thenApply(ignored -> answer),
            ground.background());
  }

  private CompletableFuture<Void> learn(DeviceId id, DeviceAnswer answer) {
    if (!answer.getKnown()) {
      return devices.forget(id);
    }
    Device.State state =
        answer.getRevoked()
            ? Device.State.REVOKED
            : answer.getGeneration() == 0 ? Device.State.INVITED : Device.State.ENROLLED;
    Instant now = ground.clock().instant();
    return commands.deviceEnrolledAgain(
        id, sql -> devices.learn(sql, id, answer.getGeneration(), state, now));
  }

  @Override
  public void denied(Map<String, Integer> minimumGenerations) {
    var _ =
        denyList
            .raiseAll(minimumGenerations)
            .thenRunAsync(() -> askAboutDenied(minimumGenerations), ground.background())
            .exceptionally(
                failure -> {
                  log.error("the deny-list is in force, but not kept; tried again in 1 s", failure);
                  later(() -> denied(minimumGenerations));
                  return null;
                });
  }

  private void later(Runnable task) {
    ground.later(Duration.ofSeconds(1), ground.background()).execute(task);
  }

  /** Revoked or enrolled again: that decides what becomes of their commands. */
  private List<CompletableFuture<Optional<DeviceAnswer>>> askAboutDenied(
      Map<String, Integer> minimumGenerations) {
    List<CompletableFuture<Optional<DeviceAnswer>>> answers = new ArrayList<>();
    minimumGenerations.forEach(
        (text, minimum) -> {
          DeviceId id = new DeviceId(text);
          boolean outdated =
              devices
                  .find(id)
                  .filter(
                      device ->
                          device.state() != Device.State.REVOKED && device.generation() < minimum)
                  .isPresent();
          if (outdated) {
            answers.add(ask(id));
          }
        });
    return answers;
  }

  // ---- this server's certificate

  /**
   * A certificate that was asked for.
   *
   * @param roots that counted then
   */
  private record Asked(KeyPair keys, PeerRoots roots) {}

  @Override
  public void roots(PeerRoots ofToday) {
    rootsOfToday = ofToday;
    ground.background().execute(this::follow);
  }

  /** Soon some devices have certificates that this server does not know the root of. */
  private void follow() {
    PeerRoots own = identity.peerRoots();
    link.holds(own);
    if (!own.equals(rootsOfToday)) {
      renew();
    }
  }

  /** Long before it must, and if it did not work when the roots changed. */
  private void renewInTime() {
    Instant made = identity.chain().getFirst().getNotBefore().toInstant();
    boolean due = !ground.clock().instant().isBefore(made.plus(RENEWAL));
    if ((due || !identity.peerRoots().equals(rootsOfToday)) && link.isUp()) {
      renew();
    }
  }

  /** Asks for a new certificate for a new key, unless one is on its way. */
  synchronized void renew() {
    if (renewing == null) {
      KeyPair keys = EnrollmentExchange.newKey();
      renewing = new Asked(keys, rootsOfToday);
      link.renew(EnrolledIdentity.request(keys));
    }
  }

  /** Is told once this server has another certificate. */
  void onRenewed(Runnable listener) {
    afterRenewal = listener;
  }

  @Override
  public void renewed(PeerRenewal renewal) {
    Asked asked = renewing;
    if (asked == null || renewal.getCertificateChainCount() == 0) {
      renewing = null;
      log.warn("this server's certificate was not renewed; it is tried again in an hour");
      return;
    }
    ground
        .background()
        .execute(
            () -> {
              try {
                EnrolledIdentity fresh =
                    identity.renewed(
                        asked.keys().getPrivate(),
                        renewal.getCertificateChainList(),
                        renewal.getCaRootsList());
                fresh.write(ground.config().data());
                identity = fresh;
                SessionServer started = sessions;
                if (started != null) {
                  started.use(fresh.credentials());
                  started.rootsChanged();
                }
                link.use(fresh); // behind it: now devices of these roots are let in
                afterRenewal.run();
                log.info(
                    "this server's certificate was renewed; valid until {}",
                    fresh.chain().getFirst().getNotAfter().toInstant());
              } catch (GeneralSecurityException | RuntimeException unfit) {
                log.error("the renewed certificate cannot be used; tried again in an hour", unfit);
              } finally {
                renewing = null;
              }
              if (!asked.roots().equals(rootsOfToday)) {
                follow(); // they changed meanwhile
              }
            });
  }

  void metrics(MetricsText text) {
    text.gauge(
        "beckon_rendezvous_connected",
        "Whether the rendezvous server can be asked: 1 or 0.",
        link.isUp() ? 1 : 0);
    PeerMetrics.write(text, link.counters());
  }
}
