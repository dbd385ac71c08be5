package dev.beckon.device;

import dev.beckon.protocol.datagram.Wake;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Where the device dials, by server number.
 *
 * <p>Thread-safe.
 */
final class ServerTable {
  private final InetSocketAddress rendezvous;

  /**
   * @param rendezvous address of the rendezvous server, not resolved
   */
  ServerTable(InetSocketAddress rendezvous) {
    this.rendezvous = rendezvous;
  }

  /** The server's address, not resolved; null if the device has none. */
  @Nullable InetSocketAddress addressOf(int server) {
    return server == Wake.RENDEZVOUS_SERVER ? rendezvous : null;
  }
}
