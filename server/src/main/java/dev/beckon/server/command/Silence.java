package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * How long each device has been without a session. Remembers only open sessions and those that
 * ended a short while ago: what is older counts as "long enough". Thread-safe.
 */
final class Silence {

  private final Duration enough;
  private final Instant start;
  private final Map<DeviceId, Integer> open = new HashMap<>();
  private final Map<DeviceId, Instant> closed = new HashMap<>();

  /**
   * @param start of the server: nobody knows what was before, so it counts as everybody's last
   *     session
   */
  Silence(Duration enough, Instant start) {
    this.enough = enough;
    this.start = start;
  }

  synchronized void opened(DeviceId id) {
    open.merge(id, 1, Integer::sum);
  }

  synchronized void closed(DeviceId id, Instant now) {
    // Counted, because a new session opens before the one that it replaces is closed.
    open.computeIfPresent(id, (ignored, count) -> count > 1 ? count - 1 : null);
    closed.put(id, now);
  }

  /** When the device will have been silent for long enough, if it stays silent. */
  synchronized Instant enoughAt(DeviceId id, Instant now) {
    if (open.containsKey(id)) {
      return now.plus(enough);
    }
    return closed.getOrDefault(id, start).plus(enough);
  }

  /** Forgets what no longer matters. */
  synchronized void forgetOld(Instant now) {
    // With nothing remembered the start counts, which is longer ago.
    closed.values().removeIf(at -> !at.plus(enough).isAfter(now));
  }
}
