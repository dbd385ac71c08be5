package dev.beckon.lab.fleet;

import dev.beckon.protocol.datagram.DatagramReader;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the devices of a fleet do with wakes, by the rules of a device: authentic, for this device,
 * not past its deadline, fresh; acted on once, and once more if it comes back with a later
 * deadline.
 *
 * <p>The wakes that were seen are remembered for the whole fleet together, since few devices have
 * any. Knows no clock, socket or thread. Not thread-safe.
 */
final class WakeCheck {
  /** Ten times what a storm of wakes brings; beyond it the oldest are forgotten. */
  private static final int MAX_SEEN = 1 << 20;

  /** What to do with a wake. */
  enum Verdict {
    /** Answer it, and dial. */
    ACCEPTED,
    /** Answer it once more; it is acted on already. */
    REPEATED,
    /** No answer: forged, for nobody here, late or stale. */
    REFUSED
  }

  private final Fleet fleet;
  private final Map<Long, Long> seen = new LinkedHashMap<>(); // wake ID -> deadline

  WakeCheck(Fleet fleet) {
    this.fleet = fleet;
  }

  /**
   * Judges a wake.
   *
   * @param wake well-formed
   * @param device whose ID it names
   * @param wallMillis the devices' clock, unix time
   */
  Verdict onWake(DatagramReader wake, int device, long wallMillis) {
    if (!fleet.isAuthentic(device, wake)
        || wake.deadlineMillis() < wallMillis
        || !fleet.isFresh(device, wake.sequence())) {
      return Verdict.REFUSED;
    }
    Long former = seen.put(wake.wakeId(), wake.deadlineMillis());
    if (seen.size() > MAX_SEEN) {
      seen.remove(seen.keySet().iterator().next());
    }
    return former == null || former < wake.deadlineMillis() ? Verdict.ACCEPTED : Verdict.REPEATED;
  }
}
