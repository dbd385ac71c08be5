package dev.beckon.server.wake;

import dev.beckon.protocol.datagram.DeviceId;
import java.net.InetSocketAddress;

/**
 * Learns what becomes of wakes: the evidence for a command's timeline. Called by whichever thread
 * caused it, without a lock held; must return quickly.
 */
public interface WakeListener {
  /**
   * A wake was sent.
   *
   * @param transmission 1 for the first one of this wake
   * @param serverAddress where it left
   * @param mappedAddress where it went
   */
  void sent(
      DeviceId deviceId,
      long wakeId,
      int transmission,
      InetSocketAddress serverAddress,
      InetSocketAddress mappedAddress);

  /** The device answered the wake; told once per wake. */
  void answered(DeviceId deviceId, long wakeId);
}
