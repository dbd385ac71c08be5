package dev.beckon.server.api;

import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * Where the API listens.
 *
 * @param address local address; port 0 means any free one
 * @param insecure whether it may listen without TLS on an address that others can reach
 */
public record ApiConfig(InetSocketAddress address, boolean insecure) {

  /**
   * Refuses an address where tokens would cross a network in plain text.
   *
   * @throws IOException with a message for people
   */
  void check() throws IOException {
    if (address.isUnresolved()) {
      throw new IOException(
          "http: " + address.getHostString() + " (expected an address of this host)");
    }
    if (!insecure && !address.getAddress().isLoopbackAddress()) {
      throw new IOException(
          "http: "
              + SocketAddresses.format(address)
              + " (expected a loopback address such as 127.0.0.1, since the API has no TLS: put a"
              + " TLS proxy in front of it, or accept plain text with --insecure)");
    }
  }
}
