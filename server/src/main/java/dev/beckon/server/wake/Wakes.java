package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DatagramType;
import dev.beckon.protocol.datagram.DatagramWriter;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
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
   * Transmissions told since the last request. A device that sends keepalives in a flood and never
   * dials must not fill the store with evidence.
   */
  private static final int MAX_TOLD = 100;

  /**
   * The same for a paced wake: each is a write, and there are 20,000 such wakes at once. Were all
   * transmissions to devices that are silent told, the store would have no room for commands.
   */
  private static final int MAX_TOLD_PACED = 1;

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
   * Sets who is told that a device that is not being woken for this server sent a keepalive, though
   * it may have something waiting here: a paced wake that it did not follow, or it is new here.
   * Called under the lock: must return at once and not call back. Returns false to be told again at
   * the next keepalive.
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
    tellReturn(tag);
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

  /** Devices that answered a paced wake and are about to dial. */
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
    if (wake.isWorthARestart(nowNanos)) {
      byDue.remove(wake);
      start(wake, nowNanos);
    }
    return wake.wakeId;
  }

  private void begin(OutstandingWake wake, long deadlineMillis, long nowNanos, long nowMillis) {
    wake.setDeadline(deadlineMillis, nowNanos, nowMillis);
    wake.firstNanos = nowNanos;
    start(wake, nowNanos);
  }

  /** Begins the schedule, from its start. */
  private void start(OutstandingWake wake, long nowNanos) {
    wake.state = OutstandingWake.State.SENDING;
    wake.scheduleStartNanos = nowNanos;
    wake.scheduled = 0;
    try {
      transmitScheduled(wake, nowNanos);
    } finally {
      schedule(wake);
    }
  }

  private void extend(OutstandingWake wake, long deadlineMillis, long nowNanos, long nowMillis) {
    if (deadlineMillis > wake.deadlineMillis) {
      byDue.remove(wake);
      wake.setDeadline(deadlineMillis, nowNanos, nowMillis);
      schedule(wake);
    }
  }

  private void setDialling(OutstandingWake wake, boolean dials) {
    if (wake.isPaced() && wake.dials != dials) {
      wake.dials = dials;
      dialling += dials ? 1 : -1;
    }
  }

  /** A session's Hello came: what it follows is no longer outstanding. */
  public synchronized void sessionOpened(DeviceId deviceId, int serverNumber) {
    long tag = registrar.tag(deviceId);
    OutstandingWake wake = find(tag, serverNumber);
    if (wake == null) {
      return;
    }
    remove(wake);
    // A session with this server takes all that waits here. Any other says nothing of that.
    if (serverNumber == Wake.RENDEZVOUS_SERVER && !byTag.containsKey(tag)) {
      registrar.setWakeOutstanding(tag, false);
    }
  }

  /**
   * Ends a paced wake of which nobody needs the session any more. If something else waits for the
   * device, its next keepalive is told.
   */
  public synchronized void endPaced(DeviceId deviceId, int serverNumber) {
    OutstandingWake wake = find(registrar.tag(deviceId), serverNumber);
    if (wake != null && wake.isPaced()) {
      remove(wake);
    }
  }

  /** Something may wait for the device: its next keepalive is told, if no wake brings it here. */
  public synchronized void tellReturn(DeviceId deviceId) {
    tellReturn(registrar.tag(deviceId));
  }

  private void tellReturn(long tag) {
    registrar.setWakeOutstanding(tag, true);
    tellReturn(byTag.get(tag));
  }

  private static void tellReturn(@Nullable List<OutstandingWake> wakes) {
    if (wakes != null) {
      wakes.getFirst().returnTold = false;
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
    OutstandingWake first = wakes.getFirst();
    if (!first.returnTold && find(tag, Wake.RENDEZVOUS_SERVER) == null) {
      // It is woken for other servers only, one of which may be away for a day.
      first.returnTold = returned.test(first.deviceId);
    }
    for (OutstandingWake wake : wakes) {
      if (!wake.wasJustAnswered(nowNanos) && wake.deadlineNanos - nowNanos > 0) {
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
    wake.state = OutstandingWake.State.ANSWERED;
    wake.answeredNanos = nowNanos;
    setDialling(wake, true);
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
      if (wake.endNanos() - nowNanos <= 0) {
        remove(wake); // its row still says that something waits: a command of a group does, perhaps
      } else if (wake.dials && wake.dialNanos() - nowNanos <= 0) {
        byDue.remove(wake);
        setDialling(wake, false); // it cannot, it seems
        schedule(wake);
      } else {
        byDue.remove(wake);
        try {
          transmitScheduled(wake, nowNanos);
        } finally { // a failure costs one transmission, not the wake
          schedule(wake);
        }
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
    } else {
      tellReturn(wakes);
    }
    if (wake.isPaced()) {
      paced--;
      setDialling(wake, false);
    }
  }

  /** Puts the wake where {@link #onTime} finds it. */
  private void schedule(OutstandingWake wake) {
    wake.setDue();
    byDue.add(wake);
    if (byDue.first() == wake) {
      earlierDue.run();
    }
  }

  private void transmitScheduled(OutstandingWake wake, long nowNanos) {
    try {
      transmit(wake, nowNanos);
    } finally {
      wake.scheduled++;
      if (wake.scheduleIsOver()) {
        wake.state = OutstandingWake.State.SILENT;
      }
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
    if (wake.told++ < (wake.isPaced() ? MAX_TOLD_PACED : MAX_TOLD)) {
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
