package dev.beckon.server.udp;

import java.net.InetSocketAddress;

/**
 * Where datagrams leave: one local address and port. Thread-safe; keeps the order of one thread.
 */
public interface Outbox {
  /** Where they leave. */
  InetSocketAddress localAddress();

  /**
   * Sends a datagram, or drops it as a network would. The bytes are copied or gone on return.
   *
   * @param addressHigh and addressLow the destination as in {@link
   *     dev.beckon.protocol.datagram.AddressBits}
   */
  void send(byte[] bytes, int length, long addressHigh, long addressLow, int port);
}
