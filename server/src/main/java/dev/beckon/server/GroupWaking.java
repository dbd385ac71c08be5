package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.server.api.MetricsText;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.Groups;
import dev.beckon.server.session.SessionServer;
import dev.beckon.server.store.StoreException;
import dev.beckon.server.wake.PaceLogic;
import dev.beckon.server.wake.Wakes;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes the devices of group commands, by turns ({@link WakingLogic}) and as fast as the server
 * finds that it takes their sessions ({@link PaceLogic}), on a thread of its own. Commands to
 * single devices do not come by here.
 *
 * <p>In memory are a page of each group and the wakes that are being sent; all else is in the
 * store, from which a start goes on.
 */
final class GroupWaking implements AutoCloseable, WakingLogic.Devices, CommandListener {
  private static final Logger log = LoggerFactory.getLogger(GroupWaking.class);

  /** Wakes leave in portions so far apart. */
  private static final long TICK_NANOS = 50_000_000L;

  private static final long MEASURE_NANOS = 250_000_000L;
  private static final long LOOK_NANOS = 1_000_000_000L;

  /** With no group under way; a new one comes at once. */
  private static final long IDLE_NANOS = 10_000_000_000L;

  private static final int PAGE = 500;

  /** Of wakes that are being sent: bounds the memory for devices that do not come. */
  private static final int MAX_OUTSTANDING = 20_000;

  /** Devices that are back and wait for their turn; more of them ask again by a keepalive. */
  private static final int MAX_RETURNED = 20_000;

  private final Commands commands;
  private final Groups groups;
  private final Dispatcher dispatcher;
  private final Wakes wakes;
  private final SessionServer sessions;
  private final Ground ground;
  private final QueueTime queueTime;
  private final BlockingQueue<DeviceId> returned = new ArrayBlockingQueue<>(MAX_RETURNED);
  private final LongAdder woken = new LongAdder();
  private final Thread thread;

  // On `thread` alone.
  private final TurnsLogic turns = new TurnsLogic();
  private final WakingLogic waking = new WakingLogic(turns, returned, this);
  private final PaceLogic pace;
  private long delayMillis;
  private long workNanos;
  private long lookedNanos;
  private long measuredNanos;

  private volatile boolean open;
  private volatile boolean look = true;
  private volatile boolean closed;
  private volatile double perSecond;
  private volatile long queueNanos;

  GroupWaking(
      Commands commands,
      Dispatcher dispatcher,
      Wakes wakes,
      SessionServer sessions,
      Ground ground) {
    this.commands = commands;
    this.groups = commands.groups();
    this.dispatcher = dispatcher;
    this.wakes = wakes;
    this.sessions = sessions;
    this.ground = ground;
    long now = ground.nanoClock().getAsLong();
    this.pace = new PaceLogic(Groups.SLOWEST_PER_SECOND, now);
    this.measuredNanos = now;
    this.workNanos = now;
    this.perSecond = pace.perSecond();
    // A write that changes nothing costs no fsync, but waits for those before it.
    Executor writer =
        task -> {
          var _ = ground.database().write(sql -> true).whenComplete((done, failed) -> task.run());
        };
    this.queueTime = new QueueTime(sessions.threads(), writer, ground.nanoClock());
    this.thread = Thread.ofPlatform().name("group-wakes").daemon().unstarted(this::run);
  }

  /** Begins, with the groups that were under way when the server stopped. */
  void start() {
    groups.onWork(this::lookNow);
    commands.addListener(this);
    wakes.onReturned(this::returned);
    thread.start();
  }

  private void lookNow() {
    look = true;
    LockSupport.unpark(thread);
  }

  /**
   * The device may have a command of a group waiting and can be reached, or could be a moment ago.
   * Returns at once.
   *
   * @return false if there is no room to remember it: to be told again
   */
  boolean returned(DeviceId id) {
    return !open || returned.offer(id);
  }

  /** A session left a command of a group, or one came in its last moment. Returns at once. */
  void left(DeviceId id) {
    if (!returned(id)) {
      wakes.tellReturn(id);
    }
  }

  private void run() {
    while (!closed) {
      long pauseNanos;
      try {
        pauseNanos = tick(ground.nanoClock().getAsLong());
      } catch (StoreException | CompletionException e) {
        log.warn("group commands wait for the store: {}", e.getMessage());
        pauseNanos = LOOK_NANOS;
      } catch (RuntimeException e) { // a bug with one group must not stop the others
        log.error("group commands failed; tried again in 1 s", e);
        pauseNanos = LOOK_NANOS;
      }
      if (pauseNanos > 0 && !closed) {
        LockSupport.parkNanos(this, pauseNanos);
      }
    }
  }

  /**
   * @return how long there is nothing to do
   */
  private long tick(long nowNanos) {
    if (look || nowNanos - lookedNanos >= LOOK_NANOS) {
      look = false;
      lookedNanos = nowNanos;
      turns.open(groups.open());
      open = turns.isOpen();
    }
    boolean more = work(nowNanos);
    if (!open) {
      boolean refused = workNanos - nowNanos > 0;
      return more || look ? 0 : refused ? LOOK_NANOS : IDLE_NANOS;
    }
    if (nowNanos - measuredNanos >= MEASURE_NANOS) {
      measuredNanos = nowNanos;
      queueNanos = queueTime.measure();
      pace.measured(queueNanos, nowNanos);
      perSecond = pace.perSecond();
    }
    for (String id : turns.wanting()) {
      turns.page(
          id,
          groups.waiting(id, turns.after(id), PAGE).stream()
              .map(each -> new TurnsLogic.Turn(each.commandId(), each.deviceId(), each.deadline()))
              .toList());
    }
    wakeSome();
    return more ? 0 : TICK_NANOS;
  }

  /** Returns whether there may be more to do at once. What the store refuses waits a second. */
  private boolean work(long nowNanos) {
    if (nowNanos - workNanos < 0) {
      return false;
    }
    try {
      return groups.work();
    } catch (StoreException | CompletionException e) {
      log.warn("group commands wait for the store: {}", e.getMessage());
      workNanos = nowNanos + LOOK_NANOS;
      return false;
    }
  }

  private void wakeSome() {
    int dialling = wakes.dialling();
    int room = MAX_OUTSTANDING - wakes.paced();
    int may = Math.min(room, pace.mayWake(dialling, ground.nanoClock().getAsLong()));
    delayMillis = pace.dialBackDelayMillis(dialling + Math.max(0, may));
    WakingLogic.Portion portion = waking.wake(may);
    woken.add(portion.count());
    pace.woken(portion.count(), portion.more());
    if (portion.failure() != null) {
      log.warn("a device that is back waits for the store: {}", portion.failure().getMessage());
    }
  }

  @Override
  public Optional<Commands.Waiting> waiting(DeviceId id) {
    return commands.waiting(id);
  }

  @Override
  public void wakeAtOnce(DeviceId id, Instant deadline) {
    dispatcher.wake(id, deadline);
  }

  @Override
  public void tellReturn(DeviceId id) {
    wakes.tellReturn(id);
  }

  @Override
  public boolean wake(TurnsLogic.Turn turn) {
    // An open session takes the command, and costs nothing.
    return !sessions.deliver(turn.deviceId())
        && wakes.requestPaced(
                turn.deviceId(),
                Wake.RENDEZVOUS_SERVER,
                delayMillis,
                turn.deadline().toEpochMilli(),
                ground.nanoClock().getAsLong(),
                ground.clock().millis())
            == Wakes.Paced.SENT;
  }

  /** A command of a cancelled group needs no session. */
  @Override
  public void changed(Command command) {
    if (command.groupId() != null && command.state() == CommandState.CANCELLED) {
      wakes.endPaced(command.deviceId(), Wake.RENDEZVOUS_SERVER);
    }
  }

  void metrics(MetricsText text) {
    text.gauge(
        "beckon_group_pace_per_second",
        "Devices of group commands that are woken per second, at most; learned.",
        Math.round(perSecond));
    text.gauge(
        "beckon_group_queue_milliseconds",
        "How long work waited for its turn when that was last found out.",
        queueNanos / 1_000_000);
    text.counter(
        "beckon_group_wakes_total", "Wakes that were begun for group commands.", woken.sum());
    text.gauge(
        "beckon_group_wakes_outstanding",
        "Of the outstanding wakes, those for group commands that are being sent.",
        wakes.paced());
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(10_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
