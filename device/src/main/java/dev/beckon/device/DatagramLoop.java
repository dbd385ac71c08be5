package dev.beckon.device;

import dev.beckon.device.directory.PullLogic;
import dev.beckon.device.keepalive.KeepaliveEffect;
import dev.beckon.device.keepalive.KeepaliveLogic;
import dev.beckon.device.keepalive.KeyRing;
import dev.beckon.device.wake.DialLogic;
import dev.beckon.device.wake.Dials;
import dev.beckon.device.wake.WakeLogic;
import dev.beckon.device.wake.WakeVerdict;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.MalformedDatagramException;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.datagram.WakeAnswer;
import dev.beckon.protocol.session.UnknownServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.Selector;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The thread that owns datagrams and the decision to dial: does what {@link KeepaliveLogic}, {@link
 * WakeLogic} and {@link Dials} say.
 */
final class DatagramLoop implements AutoCloseable {
  /** Does the dialling, on another thread. */
  interface Dialler {
    void dial(Dials.Dial dial, InetSocketAddress address);

    void wake(int server, long wakeId);

    void pull(int server, long wakeId);

    void tell(UnknownServer unknown);
  }

  /**
   * Why to dial right after the start.
   *
   * @param actionsChanged whether the rendezvous server does not know the device's actions
   * @param unreported the servers to which something is owed from before the start
   */
  record AtStart(boolean actionsChanged, Set<Integer> unreported) {
    AtStart {
      unreported = Set.copyOf(unreported);
    }
  }

  private static final System.Logger LOG = System.getLogger("dev.beckon.device");

  /** How often to look whether the network changed or the board slept. */
  private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** The board's clock against monotonic time, which stands still while the board sleeps. */
  private static final long CLOCK_JUMP_MILLIS = 10_000;

  /** A wake's deadline is at most a day or so ahead; more would overflow nanoseconds. */
  private static final long MAX_DEADLINE_MILLIS = TimeUnit.DAYS.toMillis(30);

  /** For a pull whose session ended just before it was told of it. */
  private static final long MISSED_PULL_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final Selector selector;
  private final ServerLink link;
  private final KeyRing keys;
  private final KeepaliveLogic keepalives;
  private final WakeLogic wakes;
  private final Dials dials;
  private final PullLogic pulls;
  private final ServerTable servers;
  private final AtStart atStart;
  private final Dialler dialler;
  private final DeviceClock clock;
  private final DeviceListener listener;
  private final Thread thread;

  private long nextCheckNanos;
  private long boardAheadMillis;
  private boolean greeted;
  private final Map<Integer, Long> wakeDeadlinesNanos = new HashMap<>(); // newest, by server
  private volatile boolean closed;

  DatagramLoop(
      InetSocketAddress server,
      HostAddresses hosts,
      KeyRing keys,
      KeepaliveLogic keepalives,
      WakeLogic wakes,
      Dials dials,
      PullLogic pulls,
      ServerTable servers,
      AtStart atStart,
      Dialler dialler,
      DeviceClock clock,
      DeviceListener listener)
      throws IOException {
    this.selector = Selector.open();
    this.link = new ServerLink(server, hosts, selector, this::onLink, listener::onUnresolved);
    this.keys = keys;
    this.keepalives = keepalives;
    this.wakes = wakes;
    this.dials = dials;
    this.pulls = pulls;
    this.servers = servers;
    this.atStart = atStart;
    this.dialler = dialler;
    this.clock = clock;
    this.listener = listener;
    this.thread = new Thread(this::run, "beckon-datagrams");
  }

  /** Starts the thread; it keeps the program alive. */
  void start() {
    thread.start();
  }

  /** Runs the task on this loop's thread, soon; any thread. */
  void post(Runnable task) {
    inbox.add(task);
    selector.wakeup();
  }

  void onOpened(int server) {
    post(
        () -> {
          dials.of(server).onOpened(clock.nanos());
          if (server == Wake.RENDEZVOUS_SERVER) {
            keepalives.onSession(clock.nanos());
          }
        });
  }

  void onFailed(int server) {
    post(
        () -> {
          long now = clock.nanos();
          dials.of(server).onFailed(now);
          act(pulls.onDialFailed(server, now));
        });
  }

  void onRefused(int server) {
    post(
        () -> {
          dials.of(server).onRefused();
          act(pulls.onRefused(server, clock.nanos()));
        });
  }

  void onClosed(int server, DialLogic.Ending ending) {
    post(() -> dials.of(server).onClosed(ending, clock.nanos()));
  }

  void onWakeMissed(int server, long wakeId) {
    post(
        () -> {
          long now = clock.nanos();
          Long deadline = wakeDeadlinesNanos.get(server);
          if (deadline != null && deadline - now > 0) {
            wake(server, wakeId, deadline, 0);
          }
        });
  }

  void onPullMissed(int server, long wakeId) {
    post(
        () -> {
          long now = clock.nanos();
          if (dials.of(server).onPull(wakeId, now + MISSED_PULL_NANOS, 0, now)) {
            dialler.pull(server, wakeId);
          }
        });
  }

  void onDirectory() {
    post(() -> act(pulls.onDirectory(clock.nanos())));
  }

  void onPulled(int server) {
    post(() -> act(pulls.onPulled(server, clock.nanos())));
  }

  void onWaiting(int server, long wakeId, long deadlineMillis) {
    post(
        () -> {
          if (wakes.onWaiting(wakeId, deadlineMillis, clock.millis())) {
            listener.onWake(server, wakeId, Instant.ofEpochMilli(deadlineMillis), "waiting");
            accept(server, wakeId, deadlineMillis, 0);
          }
        });
  }

  void onRenewed(KeyRing.Key key) {
    post(() -> keys.renew(key));
  }

  void onUntold() {
    post(() -> dials.of(Wake.RENDEZVOUS_SERVER).onDialIn(clock.nanos()));
  }

  void onUnreported(int server) {
    post(() -> dials.of(server).onUnreported(clock.nanos()));
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      if (Thread.currentThread() != thread) {
        thread.join(2_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try (link;
        selector) {
      long now = clock.nanos();
      nextCheckNanos = now + CHECK_NANOS;
      boardAheadMillis = boardAheadMillis(now);
      link.open("start", true);
      while (!closed) {
        try {
          selector.select(waitMillis(clock.nanos()));
          turn();
        } catch (IOException | RuntimeException e) {
          // Our bug, or the system is out of something: the device must live on.
          LOG.log(System.Logger.Level.ERROR, "a datagram or a timer could not be handled", e);
          Thread.sleep(1_000);
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "a socket could not be closed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void turn() throws IOException {
    selector.selectedKeys().clear();
    for (Runnable task = inbox.poll(); task != null; task = inbox.poll()) {
      task.run();
    }
    link.receive(this::onDatagram);
    long now = clock.nanos();
    if (link.takeSendFailure() || nextCheckNanos - now <= 0) {
      nextCheckNanos = now + CHECK_NANOS;
      checkNetwork(now);
    }
    apply(keepalives.onTime(now, clock.millis()));
    act(pulls.onTime(now));
    for (Dials.Dial dial = dials.onTime(now); dial != null; dial = dials.onTime(now)) {
      dial(dial);
    }
  }

  private void dial(Dials.Dial dial) {
    InetSocketAddress address = servers.addressOf(dial.server());
    if (address != null) {
      dialler.dial(dial, address);
    } else {
      dials.of(dial.server()).onUnknown(); // a newer list does not name it any more
      if (dial.wakeId() != 0) {
        long now = clock.nanos();
        Long deadline = wakeDeadlinesNanos.get(dial.server());
        tellUnknown(
            new PullLogic.Effect.Unknown(
                dial.server(),
                dial.wakeId(),
                deadline == null ? now : deadline,
                servers.directory().version()));
      }
    }
  }

  private void act(List<PullLogic.Effect> effects) {
    for (PullLogic.Effect effect : effects) {
      if (effect instanceof PullLogic.Effect.Dial dial) {
        wake(dial.server(), dial.wakeId(), dial.deadlineNanos(), dial.dialBackDelayMillis());
      } else if (effect instanceof PullLogic.Effect.Pull pull) {
        if (dials
            .of(pull.server())
            .onPull(
                pull.wakeId(), pull.deadlineNanos(), pull.dialBackDelayMillis(), clock.nanos())) {
          dialler.pull(pull.server(), pull.wakeId());
        }
      } else if (effect instanceof PullLogic.Effect.Unknown unknown) {
        tellUnknown(unknown);
      }
    }
  }

  private void tellUnknown(PullLogic.Effect.Unknown unknown) {
    long leftMillis = TimeUnit.NANOSECONDS.toMillis(unknown.deadlineNanos() - clock.nanos());
    listener.onWake(
        unknown.server(),
        unknown.wakeId(),
        Instant.ofEpochMilli(clock.millis() + leftMillis),
        "unknown-server");
    dialler.tell(
        UnknownServer.newBuilder()
            .setNumber(unknown.server())
            .setWakeId(unknown.wakeId())
            .setDirectoryVersion((int) unknown.directoryVersion())
            .build());
  }

  private long waitMillis(long now) {
    long next = nextCheckNanos;
    next = earlier(next, keepalives.nextNanos());
    next = earlier(next, pulls.nextNanos());
    next = earlier(next, dials.nextNanos());
    // Rounded up, or the last millisecond would be spent spinning; 0 would mean for ever.
    return Math.max(1, (next - now + 999_999) / 1_000_000);
  }

  private void checkNetwork(long now) {
    long ahead = boardAheadMillis(now);
    if (Math.abs(ahead - boardAheadMillis) > CLOCK_JUMP_MILLIS) {
      boardAheadMillis = ahead;
      link.open("clock-jump", false); // the board slept, and its mapping with it
    } else {
      boardAheadMillis = ahead; // a clock that drifts or is slewed is none that jumped
      link.check();
    }
  }

  private long boardAheadMillis(long now) {
    return clock.boardMillis() - now / 1_000_000;
  }

  /** A new socket is open. */
  private void onLink(InetSocketAddress local, InetSocketAddress server, String why) {
    listener.onSocket(local, server, why);
    apply(keepalives.start(clock.nanos(), clock.millis()));
  }

  private void onDatagram(byte[] bytes, int length) {
    KeyRing.Key key = keys.authenticate(bytes, length);
    if (key == null) {
      return; // never answered, never logged
    }
    try {
      Datagram datagram = keys.decode(bytes, length);
      if (datagram instanceof KeepaliveAnswer answer) {
        apply(keepalives.onAnswer(answer, key, clock.nanos(), answer.serverTimeMillis()));
      } else if (datagram instanceof Wake wake) {
        onWake(wake, key);
      }
    } catch (MalformedDatagramException e) {
      // Whoever sent it.
    }
  }

  private void onWake(Wake wake, KeyRing.Key key) {
    WakeVerdict verdict = wakes.onWake(wake, key.generation(), clock.millis());
    if (verdict.isAnswered()) {
      link.send(keys.encode(new WakeAnswer(wake.transactionId(), wake.wakeId()), key));
    }
    listener.onWake(
        wake.serverNumber(),
        wake.wakeId(),
        Instant.ofEpochMilli(wake.deadlineMillis()),
        verdict.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    if (verdict == WakeVerdict.ACCEPTED) {
      accept(wake.serverNumber(), wake.wakeId(), wake.deadlineMillis(), wake.dialBackDelayMillis());
    }
  }

  private void accept(int server, long wakeId, long deadlineMillis, long dialBackDelayMillis) {
    long now = clock.nanos();
    long leftMillis = Math.min(MAX_DEADLINE_MILLIS, deadlineMillis - clock.millis());
    long deadlineNanos = now + TimeUnit.MILLISECONDS.toNanos(leftMillis);
    wakeDeadlinesNanos.values().removeIf(deadline -> deadline - now < 0);
    wakeDeadlinesNanos.put(server, deadlineNanos);
    act(pulls.onWake(server, wakeId, deadlineNanos, dialBackDelayMillis));
  }

  private void wake(int server, long wakeId, long deadlineNanos, long dialBackDelayMillis) {
    long now = clock.nanos();
    if (dials.of(server).onWake(wakeId, deadlineNanos, dialBackDelayMillis, now)) {
      dialler.wake(server, wakeId);
    }
  }

  private void apply(List<KeepaliveEffect> effects) {
    for (KeepaliveEffect effect : effects) {
      if (effect instanceof KeepaliveEffect.Send send) {
        link.send(send.bytes());
      } else if (effect instanceof KeepaliveEffect.Rebind) {
        link.open("silence", true);
      } else if (effect instanceof KeepaliveEffect.DialIn) {
        dials.of(Wake.RENDEZVOUS_SERVER).onDialIn(clock.nanos());
      } else if (effect instanceof KeepaliveEffect.Answered answered) {
        clock.set(answered.serverTimeMillis());
        onAnswered(answered);
      } else if (effect instanceof KeepaliveEffect.Remapped remapped) {
        listener.onMappedAddress(remapped.mapped());
      }
    }
  }

  private void onAnswered(KeepaliveEffect.Answered answered) {
    InetSocketAddress server = link.server();
    if (server != null) {
      link.confirm();
      listener.onKeepaliveAnswered(answered.mapped(), server);
    }
    act(pulls.onAnswered(answered.directoryVersion(), clock.nanos()));
    if (!greeted) {
      greeted = true;
      atStart.unreported().forEach(owed -> dials.of(owed).onUnreported(clock.nanos()));
      if (atStart.actionsChanged()) {
        dials.of(Wake.RENDEZVOUS_SERVER).onDialIn(clock.nanos());
      }
    }
  }

  private static long earlier(long a, @Nullable Long b) {
    return b == null || a - b <= 0 ? a : b;
  }
}
