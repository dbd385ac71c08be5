package dev.beckon.server.udp;

/**
 * What happens to the datagrams of one socket. Called by that socket's thread only; knows neither
 * sockets nor clocks.
 */
public interface DatagramHandler {
  /**
   * Handles one datagram; answers go to {@code outbox}.
   *
   * @param bytes valid during the call only
   * @param addressHigh and addressLow the source as in {@link
   *     dev.beckon.protocol.datagram.AddressBits}
   * @param nowNanos for elapsed time
   * @param nowMillis unix time
   */
  void onDatagram(
      byte[] bytes,
      int length,
      long addressHigh,
      long addressLow,
      int port,
      long nowNanos,
      long nowMillis,
      Outbox outbox);
}
