package dev.beckon.server.api;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;
import java.util.OptionalInt;

/** Asks for a wake that no command stands behind. Called on API threads; answers soon. */
@FunctionalInterface
public interface WakeRequests {

  /** What became of a request. */
  enum Outcome {
    /** The device is woken, or will be by its next keepalive. */
    WAKING,
    /** The rendezvous server knows no such device. */
    DEVICE_UNKNOWN,
    DEVICE_REVOKED,
    /** There is no server of that number; or this one may not wake devices for another. */
    SERVER_UNKNOWN,
    /** The rendezvous server cannot be asked now. */
    AWAY
  }

  /**
   * Wakes the device, or has it woken by its next keepalive.
   *
   * @param server the number that the device shall dial; empty = this server's
   * @param deadline when to give up
   */
  Outcome request(DeviceId id, OptionalInt server, Instant deadline);
}
