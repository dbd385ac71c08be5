package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Where a device is, by its keepalives. Called on API threads; answers from memory, at once. */
@FunctionalInterface
public interface Reachability {

  /** The device's binding, or empty if the server has none. */
  Optional<Presence> presence(DeviceId id);

  /**
   * A device's binding as the API shows it.
   *
   * @param reachable whether the last proven keepalive is young enough to expect a wake to arrive
   * @param lastSeen when the last proven keepalive came
   * @param mappedAddress source address and port of that keepalive
   * @param serverAddress address and port that it was sent to; wakes leave from there
   * @param interval the interval that the device announced
   */
  record Presence(
      boolean reachable,
      Instant lastSeen,
      InetSocketAddress mappedAddress,
      InetSocketAddress serverAddress,
      Duration interval) {}
}
