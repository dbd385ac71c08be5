package dev.beckon.server.session;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one session of each device that has one, and what all sessions share. Thread-safe. */
final class OpenSessions {

  private static final Logger LOG = LoggerFactory.getLogger(OpenSessions.class);

  private final SessionConfig config;
  private final SessionStore store;
  private final SessionLogic.Admission admission;
  private final SessionListener listener;
  private final SessionCounters counters;
  private final Executor readers;
  private final LongSupplier nanoClock;
  private final InstantSource clock;

  private final Map<DeviceId, SessionHandler> byDevice = new ConcurrentHashMap<>();
  private final AtomicLong bufferedBytes = new AtomicLong();

  OpenSessions(
      SessionConfig config,
      SessionStore store,
      SessionLogic.Admission admission,
      SessionListener listener,
      SessionCounters counters,
      Executor readers,
      LongSupplier nanoClock,
      InstantSource clock) {
    this.config = config;
    this.store = store;
    this.admission = admission;
    this.listener = listener;
    this.counters = counters;
    this.readers = readers;
    this.nanoClock = nanoClock;
    this.clock = clock;
  }

  SessionConfig config() {
    return config;
  }

  SessionStore store() {
    return store;
  }

  SessionLogic.Admission admission() {
    return admission;
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
    return byDevice.size();
  }

  @Nullable SessionHandler of(DeviceId id) {
    return byDevice.get(id);
  }

  /** Makes this the device's one session. */
  void admit(SessionHandler session, long wakeId, InetSocketAddress from) {
    DeviceId id = session.deviceId();
    counters.countOpened();
    SessionHandler older = byDevice.put(id, session);
    if (older != null) {
      older.close(CloseReason.REPLACED, "a newer session of this device");
    }
    store.sessionOpened(id, wakeId, from);
    listener.opened(id, wakeId, from, clock.millis());
    // The deny-list may have been raised after Hello was checked and before the session could be
    // found here.
    if (admission.denies(id.value(), session.generation())) {
      session.close(CloseReason.REVOKED, "generation: " + session.generation() + " is denied");
    }
  }

  void inquired(DeviceId id, long wakeId) {
    listener.inquired(id, wakeId, clock.millis());
  }

  boolean lingers(DeviceId id, long wakeId) {
    return wakeId == 0 || !listener.carriedDialBackDelay(id, wakeId);
  }

  void ended(SessionHandler session, CloseReason reason) {
    counters.count(reason);
    if (session.admitted()) {
      store.sessionClosed(session.deviceId());
    }
    if (byDevice.remove(session.deviceId(), session)) {
      listener.closed(session.deviceId(), reason, clock.millis());
    }
  }

  /** Closes what a raised deny-list no longer admits. */
  void denied(DeviceId id, int minimumGeneration) {
    SessionHandler session = byDevice.get(id);
    if (session != null && session.generation() < minimumGeneration) {
      session.close(
          CloseReason.REVOKED,
          "generation: " + session.generation() + " (expected " + minimumGeneration + " or later)");
    }
  }

  void closeAll() {
    for (SessionHandler session : byDevice.values()) {
      session.close(CloseReason.SHUTTING_DOWN, "the server stops");
    }
  }

  /** Accounts for heap taken (or, negative, given back). Returns false if that is too much. */
  boolean buffer(long bytes) {
    return bufferedBytes.addAndGet(bytes) <= config.maxBufferedBytes() || bytes <= 0;
  }

  /** Our mistake or the store's, never a device's. */
  void unexpected(String where, DeviceId id, Throwable cause) {
    LOG.error("{}: device {}: failed, its session was closed", where, id, cause);
  }

  void unexpectedInEnrollment(@Nullable Throwable cause) {
    LOG.error("enrollment: failed, the device may try again with the same code", cause);
  }
}
