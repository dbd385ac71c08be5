package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.Commands;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.session.SessionListener;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.StoreException;
import dev.beckon.server.wake.WakeListener;
import dev.beckon.server.wake.Wakes;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a command to its device: into an open session if there is one, else by a wake. And the
 * other way, evidence of wakes into the timelines of commands.
 *
 * <p>Thread-safe; nothing here blocks a caller.
 */
final class Dispatcher implements CommandListener, SessionListener, WakeListener {
  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  private final Commands commands;
  private final Executor background;
  private final LongSupplier nanoClock;
  private final InstantSource clock;

  // Both know this object before it knows them.
  private @Nullable Wakes wakes;
  private @Nullable SessionServer sessions;

  /**
   * @param background for what reads the database
   */
  Dispatcher(Commands commands, Executor background, LongSupplier nanoClock, InstantSource clock) {
    this.commands = commands;
    this.background = background;
    this.nanoClock = nanoClock;
    this.clock = clock;
  }

  /** Begins: from now on accepted commands go out, and those of before the start are woken for. */
  void begin(Wakes startedWakes, SessionServer startedSessions) {
    wakes = startedWakes;
    sessions = startedSessions;
    commands.addListener(this);
    commands.waiting().forEach(this::wake);
  }

  @Override
  public void accepted(Command command) {
    if (sessions == null || !sessions.deliver(command.deviceId())) {
      wake(command.deviceId(), command.deadline());
    }
  }

  void wake(DeviceId deviceId, Instant deadline) {
    if (wakes != null) {
      wakes.request(
          deviceId,
          Wake.RENDEZVOUS_SERVER,
          deadline.toEpochMilli(),
          nanoClock.getAsLong(),
          clock.millis());
    }
  }

  @Override
  public void opened(DeviceId id, long wakeId, InetSocketAddress from, long nowMillis) {
    end(id);
  }

  @Override
  public void inquired(DeviceId id, long wakeId, long nowMillis) {
    end(id);
  }

  private void end(DeviceId id) {
    if (wakes != null) {
      wakes.sessionOpened(id, Wake.RENDEZVOUS_SERVER);
    }
  }

  /** What the session did not take, or a command that came in its last moment, is woken for. */
  @Override
  public void closed(DeviceId id, CloseReason reason, long nowMillis) {
    background.execute(() -> wakeForWaiting(id));
  }

  private void wakeForWaiting(DeviceId id) {
    try {
      commands.latestDeadline(id).ifPresent(deadline -> wake(id, deadline));
    } catch (StoreException e) {
      // Too many sessions ended at once, perhaps. Without this wake a command could wait for ever.
      log.warn("waiting commands of {} could not be read; tried again in 1 s", id, e);
      CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS, background)
          .execute(() -> wakeForWaiting(id));
    }
  }

  @Override
  public void sent(
      DeviceId deviceId,
      long wakeId,
      int transmission,
      InetSocketAddress serverAddress,
      InetSocketAddress mappedAddress) {
    commands.note(
        deviceId,
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
  public void answered(DeviceId deviceId, long wakeId) {
    commands.note(deviceId, "wake-answered", Map.of("wakeId", Long.toHexString(wakeId)));
  }
}
