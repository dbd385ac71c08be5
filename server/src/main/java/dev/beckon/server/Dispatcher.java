package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.Commands;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.session.SessionListener;
import dev.beckon.server.store.StoreException;
import dev.beckon.server.wake.Wakes;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a command to its device: into an open session if there is one, else by a wake. And the
 * other way, evidence of wakes into the timelines of commands.
 *
 * <p>Thread-safe; nothing here blocks a caller.
 */
final class Dispatcher implements CommandListener, SessionListener {
  /** How long a device is left alone after a session that this server could not serve. */
  private static final Duration STORE_BACK_OFF = Duration.ofSeconds(30);

  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  private final int number;
  private final Commands commands;
  private final Executor background;
  private final Function<Duration, Executor> later;

  // Both know this object before it knows them.
  private volatile @Nullable Waker waker;
  private volatile Predicate<DeviceId> sessions = id -> false;
  // Until somebody paces there is nothing to remember: at its start every group is gone through.
  private volatile Consumer<DeviceId> groups = id -> {};

  /**
   * @param number of the server whose commands these are
   * @param background for what reads the database
   * @param later the same, after a pause
   */
  Dispatcher(
      int number, Commands commands, Executor background, Function<Duration, Executor> later) {
    this.number = number;
    this.commands = commands;
    this.background = background;
    this.later = later;
  }

  /**
   * Begins: from now on accepted commands go out, and those of before the start are woken for.
   *
   * @param startedSessions whether a session of the device is open, which is told of its command
   */
  void begin(Waker startedWaker, Predicate<DeviceId> startedSessions) {
    waker = startedWaker;
    sessions = startedSessions;
    commands.addListener(this);
    wakeAllWaiting();
  }

  /**
   * Leaves it to somebody to wake devices for which nothing but commands of groups is waiting.
   *
   * @param groupWaking returns at once
   */
  void pace(Consumer<DeviceId> groupWaking) {
    groups = groupWaking;
  }

  /** Wakes every device that has a single command waiting here. Reads the database. */
  void wakeAllWaiting() {
    commands.waiting().forEach(this::wake);
  }

  @Override
  public void accepted(Command command) {
    if (sessions.test(command.deviceId())) {
      return;
    }
    if (!wake(command.deviceId(), command.deadline())) {
      commands.note(command.id(), "rendezvous-away", Map.of());
    }
  }

  /** Returns false if nobody can be asked for a wake now. */
  boolean wake(DeviceId deviceId, Instant deadline) {
    Waker asked = waker;
    return asked == null || asked.wake(deviceId, deadline);
  }

  /** Something was learned about the device's wake. */
  void evidence(DeviceId id, String event, Map<String, String> details) {
    commands.note(id, event, details);
  }

  @Override
  public void opened(DeviceId id, int server, long wakeId, InetSocketAddress from, long nowMillis) {
    served(id, server);
  }

  @Override
  public void inquired(DeviceId id, int server, long wakeId, long nowMillis) {
    served(id, server);
  }

  private void served(DeviceId id, int server) {
    Waker asked = waker;
    if (server == number && asked != null) {
      asked.served(id);
    }
  }

  /** What the session did not take, or a command that came in its last moment, is woken for. */
  @Override
  public void closed(DeviceId id, int server, CloseReason reason, long nowMillis) {
    if (server != number) {
      return;
    }
    if (reason == CloseReason.SERVER_FAILED) {
      // The disk is full, say: the device could be given nothing, and would come again at once.
      later.apply(STORE_BACK_OFF).execute(() -> wakeForWaiting(id));
    } else {
      background.execute(() -> wakeForWaiting(id));
    }
  }

  @Override
  public boolean carriedDialBackDelay(DeviceId id, long wakeId) {
    return Wakes.carriedDialBackDelay(wakeId);
  }

  private void wakeForWaiting(DeviceId id) {
    try {
      commands
          .waiting(id)
          .ifPresent(
              waiting -> {
                if (waiting.single()) {
                  wake(id, waiting.deadline());
                } else {
                  groups.accept(id);
                }
              });
    } catch (StoreException e) {
      // Too many sessions ended at once, perhaps. Without this wake a command could wait for ever.
      log.warn("waiting commands of {} could not be read; tried again in 1 s", id, e);
      later.apply(Duration.ofSeconds(1)).execute(() -> wakeForWaiting(id));
    }
  }
}
