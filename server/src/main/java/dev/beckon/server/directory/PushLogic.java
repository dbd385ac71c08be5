package dev.beckon.server.directory;

import dev.beckon.protocol.datagram.DeviceId;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How fast devices are woken for a newer list, and how many at a time.
 *
 * <p>Each woken device makes a TLS handshake, of which a core does more than a thousand a second,
 * and takes the whole list. The pace leaves most of a small server to the commands; a list of a
 * thousand entries (some 60 kB) goes out with 4 MiB a second.
 *
 * <p>Knows no clock, thread or store. Not thread-safe.
 */
final class PushLogic {

  /** Wakes per second, for a list that is short. */
  static final int WAKES_PER_SECOND = 200;

  /** List bytes per second; slows the wakes down if the list is long. */
  static final int BYTES_PER_SECOND = 4 << 20;

  /** Woken at once after a pause. */
  static final int BURST = 100;

  /** Wakes that wait for their devices: bounds the memory if many do not come. */
  static final int MAX_OUTSTANDING = 2_000;

  /** A device that does not come within this time finds out by its keepalives. */
  static final long DEADLINE_NANOS = 120_000_000_000L;

  private static final double SECOND_NANOS = 1e9;

  private final Map<DeviceId, Long> outstanding = new LinkedHashMap<>(); // oldest deadline first
  private double allowance = BURST;
  private double perSecond = WAKES_PER_SECOND;
  private long lastNanos;

  PushLogic(long nowNanos) {
    lastNanos = nowNanos;
  }

  /** A list of this length is to go out. */
  void begin(int listBytes) {
    perSecond = Math.clamp((double) BYTES_PER_SECOND / Math.max(1, listBytes), 1, WAKES_PER_SECOND);
  }

  /** How many devices may be woken now. */
  int mayWake(long nowNanos) {
    for (Iterator<Long> oldest = outstanding.values().iterator();
        oldest.hasNext() && oldest.next() - nowNanos <= 0; ) {
      oldest.remove();
    }
    allowance = Math.min(BURST, allowance + (nowNanos - lastNanos) / SECOND_NANOS * perSecond);
    lastNanos = nowNanos;
    return Math.min((int) allowance, MAX_OUTSTANDING - outstanding.size());
  }

  /** The device was woken. */
  void woken(DeviceId id, long nowNanos) {
    allowance -= 1;
    outstanding.remove(id);
    outstanding.put(id, nowNanos + DEADLINE_NANOS);
  }

  /** The device has the list. */
  void ended(DeviceId id) {
    outstanding.remove(id);
  }

  int outstanding() {
    return outstanding.size();
  }
}
