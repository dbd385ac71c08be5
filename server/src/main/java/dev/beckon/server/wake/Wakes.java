package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.registrar.Authenticator;
import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.OutstandingWakes;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.udp.Outbox;
import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.collection.LongObjectMap;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * All outstanding wakes and the rules by which they are sent.
 *
 * <p>A wake leaves through the socket that its device's last keepalive came to, for a NAT lets in
 * only what comes from where its mapping leads. It is sent like a STUN request without an answer
 * (RFC 8489, section 6.2.1), and once more behind every keepalive, so that a device that was away
 * is woken the moment it is back.
 *
 * <p>Thread-safe. Lock order: this, then a row of the binding table. The listener is called under
 * the lock, so that it hears of events in their order.
 */
public final class Wakes implements OutstandingWakes {
  /**
   * When a wake is transmitted, after its start: the schedule of RFC 8489 with an RTO of 500 ms.
   */
  private static final long[] SCHEDULE_MILLIS = {0, 500, 1500, 3500, 7500, 15_500, 31_500};

  /** A device that answered is dialling; only if that takes this long is it asked again. */
  private static final long ANSWERED_REPEAT_NANOS = TimeUnit.SECONDS.toNanos(10);

  /**
   * A new command for a device whose wake is this far from its next transmission starts the
   * schedule again: the sender should not wait for a gap that an older command has run into.
   */
  private static final long RESTART_GAP_NANOS = TimeUnit.SECONDS.toNanos(1);

  /**
   * Transmissions told since the last request. A device that sends keepalives in a flood and never
   * dials must not fill the store with evidence.
   */
  private static final int MAX_TOLD = 100;

  /**
   * How long a paced wake is kept: for its schedule, and for the delay that it carries behind the
   * last transmission. What becomes of its device later shows at that one's next keepalive.
   */
  private static final long PACED_LIFE_NANOS = TimeUnit.SECONDS.toNanos(45);

  /** A wake ID with this bit set is a paced wake's, so that nobody has to remember which were. */
  private static final long PACED = 1;

  private static final long NEVER = Long.MAX_VALUE;

  private final Registrar registrar;
  private final Authenticator authenticator; // used under the lock
  private final List<? extends @Nullable Outbox> sockets;
  private final RandomGenerator random;
  private final WakeListener listener;

  private final LongObjectMap<OutstandingWake> byWakeId = new LongObjectHashMap<>();
  private final LongObjectMap<List<OutstandingWake>> byTag = new LongObjectHashMap<>();
  private final TreeSet<OutstandingWake> byDue =
      new TreeSet<>(
          (a, b) -> {
            long difference = a.dueNanos - b.dueNanos; // survives a wrap of the clock
            return difference != 0 ? Long.signum(difference) : Long.compare(a.wakeId, b.wakeId);
          });

  // Used again for every transmission, under the lock.
  private final DatagramWriter writer = new DatagramWriter();
  private final Binding row = new Binding();

  private Runnable earlierDue = () -> {};
  private Predicate<DeviceId> returned = id -> true;
  private int paced;
  private int dialling;

  /**
   * @param authenticator of this object alone
   * @param sockets the local sockets, by the numbers that stand in the bindings; null where an
   *     address is no longer ours: what a device sends to it is lost, so it cannot be woken from
   *     there
   * @param random for wake IDs and transaction IDs: must not be predictable
   */
  public Wakes(
      Registrar registrar,
      Authenticator authenticator,
      List<? extends @Nullable Outbox> sockets,
      RandomGenerator random,
      WakeListener listener) {
    this.registrar = registrar;
    this.authenticator = authenticator;
    this.sockets = sockets;
    this.random = random;
    this.listener = listener;
  }

  /** Sets what is called when {@link #onTime} should be called sooner than it was told. */
  synchronized void onEarlierDue(Runnable action) {
    earlierDue = action;
  }

  /**
   * Sets who is told that a device for which no wake is kept sent a keepalive, though it may have
   * something waiting: a paced wake that it did not follow, or it is new here. Called under the
   * lock: must return at once and not call back. Returns false to be told again at the next
   * keepalive.
   */
  public synchronized void onReturned(Predicate<DeviceId> listener) {
    returned = listener;
  }

  /** Whether this is the ID of a wake that carried a dial-back delay. */
  public static boolean carriedDialBackDelay(long wakeId) {
    return (wakeId & PACED) != 0;
  }

  /** What became of a paced request. */
  public enum Paced {
    /** The wake is on its way. */
    SENT,
    /** A wake for this device is outstanding already. */
    UNDER_WAY,
    /** The device cannot be reached now: its next keepalive will be told. */
    AWAY
  }

  /**
   * Asks one of many devices to dial a server, after a random part of a delay. Such a wake takes
   * memory only for as long as it is being sent: after that, or if the device cannot be reached,
   * the row of the device notes that something waits for it.
   *
   * @param dialBackDelayMillis above 0
   * @param deadlineMillis unix time
   */
  public synchronized Paced requestPaced(
      DeviceId deviceId,
      int serverNumber,
      long dialBackDelayMillis,
      long deadlineMillis,
      long nowNanos,
      long nowMillis) {
    long tag = registrar.tag(deviceId);
    registrar.setWakeOutstanding(tag, true);
    OutstandingWake wake = find(tag, serverNumber);
    if (wake != null) {
      extend(wake, deadlineMillis, nowNanos, nowMillis);
      return Paced.UNDER_WAY;
    }
    if (!registrar.isReachable(tag, nowMillis)) {
      return Paced.AWAY;
    }
    wake = add(deviceId, tag, serverNumber, dialBackDelayMillis);
    paced++;
    begin(wake, deadlineMillis, nowNanos, nowMillis);
    return Paced.SENT;
  }

  /** Paced wakes that are kept. */
  public synchronized int paced() {
    return paced;
  }

  /** Devices that answered a paced wake and have not dialled yet. */
  public synchronized int dialling() {
    return dialling;
  }

  /**
   * Asks a device to dial a server, now and until it does or the deadline passes. Requests for the
   * same device and server share one wake, which lives until the latest of their deadlines.
   *
   * @param serverNumber 0 for this server
   * @param deadlineMillis unix time
   * @return the wake's ID
   */
  public synchronized long request(
      DeviceId deviceId, int serverNumber, long deadlineMillis, long nowNanos, long nowMillis) {
    long tag = registrar.tag(deviceId);
    registrar.setWakeOutstanding(tag, true);
    OutstandingWake wake = find(tag, serverNumber);
    long untilMillis = deadlineMillis;
    if (wake != null && wake.isPaced()) {
      // This one does not wait for its turn. Under the old ID the device would not dial at once.
      untilMillis = Math.max(untilMillis, wake.deadlineMillis);
      remove(wake);
      wake = null;
    }
    if (wake == null) {
      wake = add(deviceId, tag, serverNumber, 0);
      begin(wake, untilMillis, nowNanos, nowMillis);
      return wake.wakeId;
    }
    extend(wake, untilMillis, nowNanos, nowMillis);
    wake.told = 0;
    if (isWorthARestart(wake, nowNanos)) {
      byDue.remove(wake);
      start(wake, nowNanos);
    }
    return wake.wakeId;
  }

  private void begin(OutstandingWake wake, long deadlineMillis, long nowNanos, long nowMillis) {
    setDeadline(wake, deadlineMillis, nowNanos, nowMillis);
    wake.firstNanos = nowNanos;
    start(wake, nowNanos);
  }

  /** Begins the schedule, from its start. */
  private void start(OutstandingWake wake, long nowNanos) {
    setState(wake, OutstandingWake.State.SENDING);
    wake.scheduleStartNanos = nowNanos;
    wake.scheduled = 0;
    transmitScheduled(wake, nowNanos);
    schedule(wake);
  }

  private void extend(OutstandingWake wake, long deadlineMillis, long nowNanos, long nowMillis) {
    if (deadlineMillis > wake.deadlineMillis) {
      byDue.remove(wake);
      setDeadline(wake, deadlineMillis, nowNanos, nowMillis);
      schedule(wake);
    }
  }

  private static void setDeadline(
      OutstandingWake wake, long deadlineMillis, long nowNanos, long nowMillis) {
    wake.deadlineMillis = deadlineMillis;
    wake.deadlineNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(deadlineMillis - nowMillis);
  }

  private void setState(OutstandingWake wake, OutstandingWake.State state) {
    if (wake.isPaced()) {
      dialling += state == OutstandingWake.State.ANSWERED ? 1 : 0;
      dialling -= wake.state == OutstandingWake.State.ANSWERED ? 1 : 0;
    }
    wake.state = state;
  }

  /** A session's Hello came: what it follows is no longer outstanding. */
  public synchronized void sessionOpened(DeviceId deviceId, int serverNumber) {
    OutstandingWake wake = find(registrar.tag(deviceId), serverNumber);
    if (wake != null) {
      end(wake);
    }
  }

  @Override
  public synchronized void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos) {
    List<OutstandingWake> wakes = byTag.get(tag);
    if (wakes == null) {
      DeviceId id =
          new DeviceId(
              new String(
                  keepalive.bytes(),
                  keepalive.deviceIdOffset(),
                  keepalive.deviceIdLength(),
                  StandardCharsets.US_ASCII));
      if (returned.test(id)) {
        registrar.setWakeOutstanding(tag, false);
      }
      return;
    }
    for (OutstandingWake wake : wakes) {
      boolean dialling =
          wake.state == OutstandingWake.State.ANSWERED
              && nowNanos - wake.lastSentNanos < ANSWERED_REPEAT_NANOS;
      if (!dialling && wake.deadlineNanos - nowNanos > 0) {
        transmit(wake, nowNanos);
      }
    }
  }

  @Override
  public synchronized void wakeAnswered(DatagramReader answer, long nowNanos) {
    OutstandingWake wake = byWakeId.get(answer.wakeId());
    if (wake == null
        || wake.state == OutstandingWake.State.ANSWERED
        || !turnTo(wake, wake.sentBy)
        || !authenticator.isAuthentic(answer)) {
      return;
    }
    byDue.remove(wake);
    setState(wake, OutstandingWake.State.ANSWERED);
    schedule(wake);
    listener.answered(wake.deviceId, wake.serverNumber, wake.wakeId);
  }

  /**
   * Sends what is due and forgets what is past its deadline.
   *
   * @return when to call again; {@link Long#MAX_VALUE} if nothing is outstanding
   */
  public synchronized long onTime(long nowNanos) {
    while (!byDue.isEmpty()) {
      OutstandingWake wake = byDue.first();
      if (wake.dueNanos - nowNanos > 0) {
        return wake.dueNanos;
      }
      if (wake.deadlineNanos - nowNanos <= 0) {
        end(wake);
      } else if (wake.isPaced() && lifeEnd(wake) - nowNanos <= 0) {
        remove(wake); // its row still says that something waits
      } else {
        byDue.remove(wake);
        transmitScheduled(wake, nowNanos);
        schedule(wake);
      }
    }
    return NEVER;
  }

  /**
   * An outstanding wake, for those who tell the device of it in another way.
   *
   * @param deadlineMillis unix time
   */
  public record Waiting(int serverNumber, long wakeId, long deadlineMillis) {}

  /** The device's outstanding wakes. */
  public synchronized List<Waiting> waiting(DeviceId deviceId) {
    List<OutstandingWake> wakes = byTag.get(registrar.tag(deviceId));
    return wakes == null
        ? List.of()
        : wakes.stream()
            .map(wake -> new Waiting(wake.serverNumber, wake.wakeId, wake.deadlineMillis))
            .toList();
  }

  /** Number of outstanding wakes. */
  public synchronized int size() {
    return byWakeId.size();
  }

  private static boolean isWorthARestart(OutstandingWake wake, long nowNanos) {
    return switch (wake.state) {
      case SILENT -> true;
      case SENDING -> nextScheduled(wake) - nowNanos > RESTART_GAP_NANOS;
      case ANSWERED -> nowNanos - wake.lastSentNanos >= ANSWERED_REPEAT_NANOS;
    };
  }

  private @Nullable OutstandingWake find(long tag, int serverNumber) {
    List<OutstandingWake> wakes = byTag.get(tag);
    if (wakes != null) {
      for (OutstandingWake wake : wakes) {
        if (wake.serverNumber == serverNumber) {
          return wake;
        }
      }
    }
    return null;
  }

  private OutstandingWake add(
      DeviceId deviceId, long tag, int serverNumber, long dialBackDelayMillis) {
    long wakeId = 0;
    while (wakeId == 0 || byWakeId.containsKey(wakeId)) {
      wakeId = random.nextLong() & ~PACED | (dialBackDelayMillis > 0 ? PACED : 0);
    }
    OutstandingWake wake =
        new OutstandingWake(deviceId, tag, serverNumber, wakeId, dialBackDelayMillis);
    byWakeId.put(wakeId, wake);
    List<OutstandingWake> wakes = byTag.get(tag);
    if (wakes == null) {
      wakes = new ArrayList<>(1);
      byTag.put(tag, wakes);
    }
    wakes.add(wake);
    return wake;
  }

  private void remove(OutstandingWake wake) {
    byDue.remove(wake);
    byWakeId.remove(wake.wakeId);
    List<OutstandingWake> wakes = byTag.get(wake.tag);
    wakes.remove(wake);
    if (wakes.isEmpty()) {
      byTag.remove(wake.tag);
    }
    if (wake.isPaced()) {
      paced--;
      dialling -= wake.state == OutstandingWake.State.ANSWERED ? 1 : 0;
    }
  }

  /** Removes the wake; what it was for is over. */
  private void end(OutstandingWake wake) {
    remove(wake);
    if (!byTag.containsKey(wake.tag)) {
      registrar.setWakeOutstanding(wake.tag, false);
    }
  }

  private static long lifeEnd(OutstandingWake wake) {
    return wake.firstNanos + PACED_LIFE_NANOS;
  }

  private static long nextScheduled(OutstandingWake wake) {
    return wake.scheduleStartNanos + TimeUnit.MILLISECONDS.toNanos(SCHEDULE_MILLIS[wake.scheduled]);
  }

  /** Puts the wake where {@link #onTime} finds it: at its next transmission or its deadline. */
  private void schedule(OutstandingWake wake) {
    wake.dueNanos = wake.deadlineNanos;
    if (wake.isPaced() && lifeEnd(wake) - wake.dueNanos < 0) {
      wake.dueNanos = lifeEnd(wake);
    }
    if (wake.state == OutstandingWake.State.SENDING && nextScheduled(wake) - wake.dueNanos < 0) {
      wake.dueNanos = nextScheduled(wake);
    }
    byDue.add(wake);
    if (byDue.first() == wake) {
      earlierDue.run();
    }
  }

  private void transmitScheduled(OutstandingWake wake, long nowNanos) {
    transmit(wake, nowNanos);
    if (++wake.scheduled == SCHEDULE_MILLIS.length) {
      setState(wake, OutstandingWake.State.SILENT);
    }
  }

  /** Sends the wake to where the device is now; does nothing while that is not known. */
  private void transmit(OutstandingWake wake, long nowNanos) {
    if (!registrar.read(wake.tag, row)) {
      return;
    }
    Outbox socket = row.socket < sockets.size() ? sockets.get(row.socket) : null;
    if (socket == null || !turnTo(wake, row)) {
      return;
    }
    if (!wake.repeatsBy(row)) {
      random.nextBytes(wake.transactionId);
    }
    writer
        .begin(DatagramType.WAKE, wake.transactionId, 0)
        .deviceId(wake.deviceIdBytes, 0, wake.deviceIdBytes.length)
        .key(row.keyId, 0, row.generation)
        .sequence(row.sequence)
        .wakeId(wake.wakeId)
        .wake(wake.deadlineMillis, wake.serverNumber, wake.dialBackDelayMillis);
    int length = authenticator.finish(writer);
    wake.transmissions++;
    wake.lastSentNanos = nowNanos;
    wake.sentDeadlineMillis = wake.deadlineMillis;
    wake.sentBy.copyFrom(row);
    if (wake.told++ < MAX_TOLD) {
      // Told first: on a fast network the device's answer would else be told before the sending.
      listener.sent(
          wake.deviceId,
          wake.serverNumber,
          wake.wakeId,
          wake.transmissions,
          socket.localAddress(),
          row.mappedAddress());
    }
    socket.send(writer.bytes(), length, row.addressHigh, row.addressLow, row.port);
  }

  private boolean turnTo(OutstandingWake wake, Binding by) {
    byte[] id = wake.deviceIdBytes;
    return authenticator.turnTo(by.keyId, id, 0, id.length, by.generation);
  }
}
