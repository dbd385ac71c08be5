package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.registrar.Binding;
import java.util.concurrent.TimeUnit;

/**
 * One wake that waits for its device to dial.
 *
 * <pre>
 *              answered                    Hello follows, or the last deadline passes
 *   SENDING ─────────────→ ANSWERED ─────────────────────────────────────────────────→ gone
 *      │  schedule ended        ↑ answered                                               ↑
 *      └─────────────────→ SILENT ───────────────────────────────────────────────────────┘
 *   In every state a keepalive of the device sends it once more (in ANSWERED: only 10 s after the
 *   last transmission).
 * </pre>
 *
 * <p>A paced wake does not stay in SILENT, nor in ANSWERED for longer than the schedule: it is gone
 * then, and the next keepalive of its device is told to whoever paces.
 *
 * <p>Guarded by the lock of {@link Wakes}.
 */
final class OutstandingWake {
  enum State {
    SENDING,
    SILENT,
    ANSWERED
  }

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
   * How long a paced wake is kept: for its schedule, and for the delay that it carries behind the
   * last transmission. What becomes of its device later shows at that one's next keepalive.
   */
  private static final long PACED_LIFE_NANOS = TimeUnit.SECONDS.toNanos(45);

  final DeviceId deviceId;
  final byte[] deviceIdBytes;
  final long tag;
  final int serverNumber;
  final long wakeId;

  /** 0, or of a paced wake the delay in every transmission of it. */
  final long dialBackDelayMillis;

  State state = State.SENDING;
  long deadlineMillis;
  long deadlineNanos;

  /** When {@link Wakes#onTime} has something to do with it. */
  long dueNanos;

  /** When the first transmission was, or would have been. */
  long firstNanos;

  /** Start of the schedule and the number of its transmissions that were made. */
  long scheduleStartNanos;

  int scheduled;

  /** Transmissions in all, those behind keepalives included. */
  int transmissions;

  /** Transmissions that the listener was told of since the last request. */
  int told;

  long answeredNanos;

  /** Of a paced wake: it was answered, and the device can be expected to dial. */
  boolean dials;

  long lastSentNanos;
  final byte[] transactionId = new byte[DatagramReader.TRANSACTION_ID_BYTES];

  /**
   * Of the first of a device's wakes: that the device is back was told, and there is no reason
   * since to tell it again.
   */
  boolean returnTold;

  /** The row that the last transmission went by, and the deadline that it carried. */
  final Binding sentBy = new Binding();

  long sentDeadlineMillis;

  OutstandingWake(
      DeviceId deviceId, long tag, int serverNumber, long wakeId, long dialBackDelayMillis) {
    this.deviceId = deviceId;
    this.deviceIdBytes = deviceId.bytes();
    this.tag = tag;
    this.serverNumber = serverNumber;
    this.wakeId = wakeId;
    this.dialBackDelayMillis = dialBackDelayMillis;
  }

  boolean isPaced() {
    return dialBackDelayMillis > 0;
  }

  void setDeadline(long untilMillis, long nowNanos, long nowMillis) {
    deadlineMillis = untilMillis;
    deadlineNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(untilMillis - nowMillis);
  }

  /** When it is over, at the latest. */
  long endNanos() {
    long lifeEnd = firstNanos + PACED_LIFE_NANOS;
    return isPaced() ? earlier(lifeEnd, deadlineNanos) : deadlineNanos;
  }

  /** Until when the device can be expected to dial, if it answered. */
  long dialNanos() {
    long millis = dialBackDelayMillis + PaceLogic.DIAL_GRACE_MILLIS;
    return answeredNanos + TimeUnit.MILLISECONDS.toNanos(millis);
  }

  boolean wasJustAnswered(long nowNanos) {
    return state == State.ANSWERED && nowNanos - lastSentNanos < ANSWERED_REPEAT_NANOS;
  }

  boolean isWorthARestart(long nowNanos) {
    return switch (state) {
      case SILENT -> true;
      case SENDING -> nextScheduled() - nowNanos > RESTART_GAP_NANOS;
      case ANSWERED -> !wasJustAnswered(nowNanos);
    };
  }

  boolean scheduleIsOver() {
    return scheduled == SCHEDULE_MILLIS.length;
  }

  private long nextScheduled() {
    return scheduleStartNanos + TimeUnit.MILLISECONDS.toNanos(SCHEDULE_MILLIS[scheduled]);
  }

  /** By what is next: a transmission, or an end. */
  void setDue() {
    dueNanos = endNanos();
    if (state == State.SENDING) {
      dueNanos = earlier(dueNanos, nextScheduled());
    }
    if (dials) {
      dueNanos = earlier(dueNanos, dialNanos());
    }
  }

  private static long earlier(long a, long b) {
    return a - b < 0 ? a : b; // survives a wrap of the clock
  }

  /** Whether a transmission by this row repeats the last one: same bytes, same way. */
  boolean repeatsBy(Binding row) {
    return transmissions > 0
        && sentDeadlineMillis == deadlineMillis
        && sentBy.sequence == row.sequence
        && sentBy.keyId == row.keyId
        && sentBy.generation == row.generation
        && sentBy.socket == row.socket
        && sentBy.port == row.port
        && sentBy.addressLow == row.addressLow
        && sentBy.addressHigh == row.addressHigh;
  }
}
