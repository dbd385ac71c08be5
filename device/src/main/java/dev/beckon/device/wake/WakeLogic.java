package dev.beckon.device.wake;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.Wake;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongPredicate;

/**
 * Judges wakes that are already known to be authentic.
 *
 * <p>A wake is acted on only if it names this device, is not past its deadline, and echoes a
 * sequence that proves it fresh. It is acted on once, however often it arrives, and once more if it
 * comes back with a later deadline. Which server it names does not matter here: it is answered
 * before that server's address is known, so that its schedule stops.
 *
 * <p>Knows no clock, socket or thread. Not thread-safe.
 */
public final class WakeLogic {
  /** Wakes remembered as seen; the server has one per device and server outstanding at a time. */
  private static final int MAX_SEEN = 256;

  private final DeviceId deviceId;
  private final LongPredicate isFresh;
  private final Map<Long, Long> seen = new LinkedHashMap<>(); // wake ID -> deadline

  /**
   * @param isFresh whether the device sent the echoed sequence, recently enough
   */
  public WakeLogic(DeviceId deviceId, LongPredicate isFresh) {
    this.deviceId = deviceId;
    this.isFresh = isFresh;
  }

  /**
   * @param generation of the key that the wake is authentic under
   * @param wallMillis the device's clock, unix time
   */
  public WakeVerdict onWake(Wake wake, int generation, long wallMillis) {
    if (!wake.deviceId().equals(deviceId) || wake.generation() != generation) {
      return WakeVerdict.WRONG_DEVICE;
    }
    if (wake.deadlineMillis() < wallMillis) {
      return WakeVerdict.LATE;
    }
    if (!isFresh.test(wake.sequenceEcho())) {
      return WakeVerdict.STALE;
    }
    return isNew(wake.wakeId(), wake.deadlineMillis(), wallMillis)
        ? WakeVerdict.ACCEPTED
        : WakeVerdict.REPEATED;
  }

  /**
   * A server told in a session of a wake that is outstanding.
   *
   * @return whether to act on it: it did not come by itself before, and is not past its deadline
   */
  public boolean onWaiting(long wakeId, long deadlineMillis, long wallMillis) {
    return deadlineMillis >= wallMillis && isNew(wakeId, deadlineMillis, wallMillis);
  }

  private boolean isNew(long wakeId, long deadlineMillis, long wallMillis) {
    seen.values().removeIf(deadline -> deadline < wallMillis);
    Long former = seen.put(wakeId, deadlineMillis);
    if (seen.size() > MAX_SEEN) {
      seen.remove(seen.keySet().iterator().next());
    }
    // A later deadline means that another command waits: commands for one device share a wake.
    return former == null || former < deadlineMillis;
  }
}
