package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * One UDP socket on one local address, with a thread that receives.
 *
 * <p>Never bound to a wildcard address: the kernel would choose the source address of each answer,
 * and a NAT drops what does not come from the very address:port that the device sent to.
 */
public sealed interface UdpSocket extends Outbox, AutoCloseable
    permits BatchedSocket, ChannelSocket {

  /**
   * Room for some 20,000 waiting keepalives (the kernel counts about 770 bytes each), 0.1 s at full
   * speed; the kernel grants less where net.core.rmem_max is lower.
   */
  int RECEIVE_BUFFER_BYTES = 16 << 20;

  /**
   * Room for some thousand datagrams on their way out. What does not fit is dropped, as on any full
   * line, and not waited for.
   */
  int SEND_BUFFER_BYTES = 4 << 20;

  /**
   * Binds a socket; nothing is received before {@link #start}.
   *
   * @param shared whether other sockets of this process may share the address; the kernel then
   *     gives each sender to one of them
   * @throws IOException with a message for people if the address cannot be had
   */
  static UdpSocket bind(InetSocketAddress address, UdpTransport transport, boolean shared)
      throws IOException {
    if (address.getAddress().isAnyLocalAddress()) {
      throw new IllegalArgumentException(
          "udp: " + address + " (expected an address of this host, not a wildcard)");
    }
    try {
      return switch (transport) {
        case BATCHED -> BatchedSocket.bind(address, shared);
        case CHANNEL -> ChannelSocket.bind(address, shared);
      };
    } catch (IOException e) {
      BindException told =
          new BindException(
              "udp: %s (%s; expected a free address of this host: choose another with --udp"
                      .formatted(SocketAddresses.format(address), e.getMessage())
                  + " ADDR:PORT, or stop what uses it)");
      told.initCause(e);
      throw told;
    }
  }

  /** Starts the thread that receives, until {@link #close}. */
  void start(DatagramHandler handler, LongSupplier nanoClock, InstantSource clock);

  /** Datagrams that could not be sent, since the start. */
  long sendFailures();

  /** Attempts to receive, or to handle what came, that failed since the start. */
  long receiveFailures();

  /** Ends the thread that receives, and returns when the handler is not called any more. */
  @Override
  void close();
}
