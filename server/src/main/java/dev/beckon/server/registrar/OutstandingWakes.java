package dev.beckon.server.registrar;

import dev.beckon.protocol.datagram.DatagramReader;

/** What the registrar tells the wakes. Called by socket threads, without a lock held. */
public interface OutstandingWakes {
  /**
   * A keepalive came from a proven address of a device that may have wakes outstanding.
   *
   * @param keepalive for the device's ID; valid only during the call
   */
  void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos);

  /** A wake answer came; it is not authenticated yet, for only its wake knows the device. */
  void wakeAnswered(DatagramReader answer, long nowNanos);
}
