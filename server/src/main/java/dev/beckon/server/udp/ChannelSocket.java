package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.time.InstantSource;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** A {@link UdpSocket} on the JDK's channel. Its objects cost some allocation per datagram. */
final class ChannelSocket implements UdpSocket {
  private final DatagramChannel channel;
  private final InetSocketAddress localAddress;
  private final Receiving receiving;
  private final ByteBuffer sendBuffer = ByteBuffer.allocateDirect(DatagramReader.MAX_BYTES);
  private final LongAdder sendFailures = new LongAdder();

  private ChannelSocket(DatagramChannel channel, InetSocketAddress localAddress) {
    this.channel = channel;
    this.localAddress = localAddress;
    receiving = new Receiving(localAddress);
  }

  static ChannelSocket bind(InetSocketAddress address, boolean shared) throws IOException {
    boolean ipv4 = address.getAddress().getAddress().length == 4;
    DatagramChannel channel =
        DatagramChannel.open(ipv4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
      if (shared) {
        channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
      }
      channel.bind(address);
      return new ChannelSocket(channel, (InetSocketAddress) channel.getLocalAddress());
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public InetSocketAddress localAddress() {
    return localAddress;
  }

  @Override
  public long sendFailures() {
    return sendFailures.sum();
  }

  @Override
  public long receiveFailures() {
    return receiving.failures();
  }

  @Override
  public void start(DatagramHandler handler, LongSupplier nanoClock, InstantSource clock) {
    // One byte more than the longest: what fills it is too long.
    ByteBuffer buffer = ByteBuffer.allocate(DatagramReader.MAX_BYTES + 1);
    receiving.start(
        () -> {
          buffer.clear();
          InetSocketAddress from = (InetSocketAddress) channel.receive(buffer);
          if (from != null) {
            handler.onDatagram(
                buffer.array(),
                buffer.position(),
                AddressBits.high(from.getAddress()),
                AddressBits.low(from.getAddress()),
                from.getPort(),
                nanoClock.getAsLong(),
                clock.millis(),
                this);
          }
        });
  }

  @Override
  public void send(byte[] bytes, int length, long addressHigh, long addressLow, int port) {
    InetSocketAddress to =
        new InetSocketAddress(AddressBits.toAddress(addressHigh, addressLow), port);
    synchronized (sendBuffer) {
      sendBuffer.clear().put(bytes, 0, length).flip();
      try {
        channel.send(sendBuffer, to);
      } catch (IOException e) {
        // No route, buffer full, shutting down: a datagram may get lost.
        sendFailures.increment();
      }
    }
  }

  @Override
  public void close() {
    receiving.end();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    receiving.awaitEnd();
  }
}
