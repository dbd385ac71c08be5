package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;

/** Asks for a wake that no command stands behind. Called on API threads; returns at once. */
@FunctionalInterface
public interface WakeRequests {

  /**
   * Wakes the device, or has it woken by its next keepalive.
   *
   * @param deadline when to give up
   */
  void request(DeviceId id, Instant deadline);
}
