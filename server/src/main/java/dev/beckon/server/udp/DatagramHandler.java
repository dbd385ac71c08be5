package dev.beckon.server.udp;

import java.util.function.Consumer;

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

  /**
   * Handles datagrams that arrived together, in their order. One that fails does not keep the
   * others from being handled.
   *
   * @param batch valid during the call only
   * @param failed is told of failures, errors too
   */
  default void onBatch(
      Batch batch, long nowNanos, long nowMillis, Outbox outbox, Consumer<Throwable> failed) {
    for (int i = 0; i < batch.size(); i++) {
      try {
        onDatagram(
            batch.bytes(i),
            batch.length(i),
            batch.addressHigh(i),
            batch.addressLow(i),
            batch.port(i),
            nowNanos,
            nowMillis,
            outbox);
      } catch (Throwable e) {
        failed.accept(e);
      }
    }
  }
}
