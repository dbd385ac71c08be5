package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.UnknownServer;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one session of each device and server number that has one, and what all sessions share.
 * Thread-safe.
 */
final class OpenSessions {

  private static final Logger LOG = LoggerFactory.getLogger(OpenSessions.class);

  private static final long LOG_INTERVAL_NANOS = 1_000_000_000;

  private final SessionConfig config;
  private final SessionStore store;
  private final Admission admission;
  private final DeviceCertificates certificates;
  private final ServerNumbers numbers;
  private final SessionListener listener;
  private final SessionCounters counters;
  private final Executor readers;
  private final LongSupplier nanoClock;
  private final InstantSource clock;

  /** A device may have a session with each of the numbers that this process holds. */
  private record Key(DeviceId id, int server) {}

  private final Map<Key, SessionHandler> open = new ConcurrentHashMap<>();
  private final AtomicLong bufferedBytes = new AtomicLong();
  private final AtomicLong lastLogged;

  OpenSessions(
      SessionConfig config,
      SessionStore store,
      Admission admission,
      DeviceCertificates certificates,
      ServerNumbers numbers,
      SessionListener listener,
      SessionCounters counters,
      Executor readers,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.config = config;
    this.store = store;
    this.admission = admission;
    this.certificates = certificates;
    this.numbers = numbers;
    this.listener = listener;
    this.counters = counters;
    this.readers = readers;
    this.nanoClock = nanoClock;
    this.clock = clock;
    this.lastLogged = new AtomicLong(nanoClock.getAsLong() - LOG_INTERVAL_NANOS);
  }

  SessionConfig config() {
    return config;
  }

  SessionStore store() {
    return store;
  }

  Admission admission() {
    return admission;
  }

  ServerNumbers numbers() {
    return numbers;
  }

  Executor readers() {
    return readers;
  }

  long nanos() {
    return nanoClock.getAsLong();
  }

  long millis() {
    return clock.millis();
  }

  int count() {
    return open.size();
  }

  /** The device's session in which commands go to it. */
  @Nullable SessionHandler of(DeviceId id) {
    return numbers.delivering().isEmpty()
        ? null
        : open.get(new Key(id, numbers.delivering().getAsInt()));
  }

  /**
   * Makes this the device's one session with its server. Completes when commands may be handed over
   * in it.
   */
  CompletableFuture<?> admit(SessionHandler session, long wakeId, InetSocketAddress from) {
    DeviceId id = session.deviceId();
    counters.countOpened();
    SessionHandler older = open.put(new Key(id, session.server()), session);
    if (older != null) {
      older.close(CloseReason.REPLACED, "a newer session of this device");
    }
    CompletableFuture<?> settled =
        numbers.delivers(session.server())
            ? store.sessionOpened(id, session.generation(), wakeId, from)
            : CompletableFuture.completedFuture(null);
    listener.opened(id, session.server(), wakeId, from, clock.millis());
    // The deny-list may have been raised after Hello was checked and before the session could be
    // found here.
    if (admission.denies(id.value(), session.generation())) {
      session.close(CloseReason.REVOKED, "generation: " + session.generation() + " is denied");
    }
    session.rootsChanged(); // nor before then could a root's end reach it
    return settled;
  }

  void inquired(DeviceId id, int server, long wakeId) {
    listener.inquired(id, server, wakeId, clock.millis());
  }

  void notFound(DeviceId id, UnknownServer server) {
    listener.unknownServer(
        id, server.getNumber(), server.getWakeId(), server.getDirectoryVersion(), clock.millis());
  }

  boolean lingers(DeviceId id, long wakeId) {
    return wakeId == 0 || !listener.carriedDialBackDelay(id, wakeId);
  }

  void ended(SessionHandler session, CloseReason reason) {
    counters.count(reason);
    if (session.admitted() && numbers.delivers(session.server())) {
      store.sessionClosed(session.deviceId());
    }
    if (open.remove(new Key(session.deviceId(), session.server()), session)) {
      listener.closed(session.deviceId(), session.server(), reason, clock.millis());
    }
  }

  /** Closes what a raised deny-list no longer admits. */
  void denied(DeviceId id, int minimumGeneration) {
    for (int server : numbers.held()) {
      denied(open.get(new Key(id, server)), minimumGeneration);
    }
  }

  private static void denied(@Nullable SessionHandler session, int minimumGeneration) {
    if (session != null && session.generation() < minimumGeneration) {
      session.close(
          CloseReason.REVOKED,
          "generation: " + session.generation() + " (expected " + minimumGeneration + " or later)");
    }
  }

  /** Whether a device still is who it proved to be: a root of now signed its certificate. */
  boolean believes(DeviceCertificates.Identity identity) {
    return identity.certificate() == null || certificates.leadsToRoot(identity.certificate());
  }

  /** Closes what stands on a root that counts no more. */
  void rootsChanged() {
    open.values().forEach(SessionHandler::rootsChanged);
  }

  /** Says Bye to every session. Returns what completes as their connections end. */
  List<Future<?>> closeAll() {
    List<Future<?>> ends = new ArrayList<>();
    for (SessionHandler session : open.values()) {
      ends.add(session.end());
      session.close(CloseReason.SHUTTING_DOWN, "the server stops");
    }
    return ends;
  }

  /** Accounts for heap taken (or, negative, given back). Returns false if that is too much. */
  boolean buffer(long bytes) {
    return bufferedBytes.addAndGet(bytes) <= config.maxBufferedBytes() || bytes <= 0;
  }

  /** Our mistake or the store's, never a device's. A full disk fails every session: log a few. */
  void unexpected(String where, DeviceId id, Throwable cause) {
    long now = nanos();
    long last = lastLogged.get();
    if (now - last >= LOG_INTERVAL_NANOS && lastLogged.compareAndSet(last, now)) {
      LOG.error("{}: device {}: failed, its session was closed", where, id, cause);
    }
  }

  void unexpectedInEnrollment(@Nullable Throwable cause) {
    LOG.error("enrollment: failed, the device may try again with the same code", cause);
  }
}
