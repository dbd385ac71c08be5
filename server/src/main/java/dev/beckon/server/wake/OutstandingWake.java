package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.registrar.Binding;

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

  long lastSentNanos;
  final byte[] transactionId = new byte[DatagramReader.TRANSACTION_ID_BYTES];

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
