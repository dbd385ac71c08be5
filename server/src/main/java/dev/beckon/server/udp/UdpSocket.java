package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.time.InstantSource;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One UDP socket on one local address, with a thread that receives.
 *
 * <p>Never bound to a wildcard address: the kernel would choose the source address of each answer,
 * and a NAT drops what does not come from the very address:port that the device sent to.
 */
public final class UdpSocket implements Outbox, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(UdpSocket.class);

  /**
   * Room for some 20,000 waiting keepalives (the kernel counts about 770 bytes each), 0.1 s at full
   * speed; the kernel grants less where net.core.rmem_max is lower.
   */
  private static final int RECEIVE_BUFFER_BYTES = 16 << 20;

  private final DatagramChannel channel;
  private final InetSocketAddress localAddress;
  private final ByteBuffer sendBuffer = ByteBuffer.allocateDirect(DatagramReader.MAX_BYTES);
  private final LongAdder sendFailures = new LongAdder();

  private UdpSocket(DatagramChannel channel, InetSocketAddress localAddress) {
    this.channel = channel;
    this.localAddress = localAddress;
  }

  /**
   * Binds a socket; nothing is received before {@link #start}.
   *
   * @throws IOException with a message for people if the address cannot be had
   */
  public static UdpSocket bind(InetSocketAddress address) throws IOException {
    if (address.getAddress().isAnyLocalAddress()) {
      throw new IllegalArgumentException(
          "udp: " + address + " (expected an address of this host, not a wildcard)");
    }
    boolean ipv4 = address.getAddress().getAddress().length == 4;
    DatagramChannel channel =
        DatagramChannel.open(ipv4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
      channel.bind(address);
      return new UdpSocket(channel, (InetSocketAddress) channel.getLocalAddress());
    } catch (IOException e) {
      channel.close();
      BindException told =
          new BindException(
              "udp: %s (%s; expected a free address of this host: choose another with --udp"
                      .formatted(SocketAddresses.format(address), e.getMessage())
                  + " ADDR:PORT, or stop what uses it)");
      told.initCause(e);
      throw told;
    }
  }

  @Override
  public InetSocketAddress localAddress() {
    return localAddress;
  }

  /** Datagrams that the kernel refused to send, since the start. */
  public long sendFailures() {
    return sendFailures.sum();
  }

  /** Starts the thread that receives, until {@link #close}. */
  public void start(DatagramHandler handler, LongSupplier nanoClock, InstantSource clock) {
    Thread.ofPlatform()
        .name("udp-" + localAddress.getAddress().getHostAddress() + ":" + localAddress.getPort())
        .daemon()
        .start(() -> receive(handler, nanoClock, clock));
  }

  private void receive(DatagramHandler handler, LongSupplier nanoClock, InstantSource clock) {
    // One byte more than the longest: what fills it is too long.
    ByteBuffer buffer = ByteBuffer.allocate(DatagramReader.MAX_BYTES + 1);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        InetSocketAddress from = (InetSocketAddress) channel.receive(buffer);
        if (from == null) {
          continue;
        }
        handler.onDatagram(
            buffer.array(),
            buffer.position(),
            AddressBits.high(from.getAddress()),
            AddressBits.low(from.getAddress()),
            from.getPort(),
            nanoClock.getAsLong(),
            clock.millis(),
            this);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // An ICMP error of an earlier send may surface here. It concerns one device, not the
        // socket.
        sendFailures.increment();
      } catch (RuntimeException e) { // a bug in a handler must not silence the socket
        log.error("datagram handler failed on {}", localAddress, e);
      }
    }
  }

  @Override
  public void send(byte[] bytes, int length, long addressHigh, long addressLow, int port) {
    InetSocketAddress to =
        new InetSocketAddress(AddressBits.toAddress(addressHigh, addressLow), port);
    synchronized (sendBuffer) {
      sendBuffer.clear().put(bytes, 0, length).flip();
      try {
        channel.send(sendBuffer, to);
      } catch (ClosedChannelException e) {
        sendFailures.increment(); // shutting down: as if the network had lost it
      } catch (IOException e) {
        sendFailures.increment(); // no route, buffer full, …: a datagram may get lost
      }
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
