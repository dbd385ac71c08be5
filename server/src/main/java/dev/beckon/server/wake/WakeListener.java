package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;

/**
 * Learns what becomes of wakes: the evidence for a command's timeline. Called by whichever thread
 * caused it, in the order of events and under the lock of {@link Wakes}: must return at once and
 * not call back.
 */
public interface WakeListener {
  /**
   * A wake is sent.
   *
   * @param serverNumber the server that the device shall dial
   * @param transmission 1 for the first one of this wake
   * @param serverAddress where it left
   * @param mappedAddress where it went
   */
  void sent(
      DeviceId deviceId,
      int serverNumber,
      long wakeId,
      int transmission,
      InetSocketAddress serverAddress,
      InetSocketAddress mappedAddress);

  /** The device answered the wake; told once per wake. */
  void answered(DeviceId deviceId, int serverNumber, long wakeId);
}
