package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;

/**
 * Has devices woken to dial this server. Thread-safe; returns at once.
 *
 * <p>On the rendezvous server that is the registrar next door; an application server asks over its
 * connection to the rendezvous server.
 */
interface Waker {

  /**
   * Wakes the device until it dials this server or the deadline passes.
   *
   * @return false if nobody can be asked now; whoever waits is asked for once that changes
   */
  boolean wake(DeviceId id, Instant deadline);

  /** The device dialled this server: its wake is no longer outstanding. */
  void served(DeviceId id);
}
