package dev.beckon.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * Passes connections on. A network namespace does not end at a socket file, so two relays back to
 * back lead from a port outside to a port inside: outside TCP to file, inside file to TCP.
 */
final class Relay implements AutoCloseable {

  static final String READY = "relaying";

  private static final int BUFFER_BYTES = 16 * 1024;

  private final ServerSocketChannel listening;
  private final SocketAddress target;

  private Relay(ServerSocketChannel listening, SocketAddress target) {
    this.listening = listening;
    this.target = target;
  }

  /** Offers the socket file on a free port of this machine's loopback. */
  static Relay outside(Path file) throws IOException {
    ServerSocketChannel port = ServerSocketChannel.open();
    port.bind(new InetSocketAddress("127.0.0.1", 0));
    return start(port, UnixDomainSocketAddress.of(file));
  }

  /** Offers an address:port of this namespace as a socket file. */
  static Relay inside(Path file, InetSocketAddress target) throws IOException {
    ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    socket.bind(UnixDomainSocketAddress.of(file));
    return start(socket, target);
  }

  /**
   * Runs the inside relay until it is killed.
   *
   * @param args the socket file, host and port
   */
  public static void main(String[] args) throws IOException {
    inside(Path.of(args[0]), new InetSocketAddress(args[1], Integer.parseInt(args[2])));
    System.out.println(READY);
  }

  private static Relay start(ServerSocketChannel listening, SocketAddress target) {
    Relay relay = new Relay(listening, target);
    Thread.ofPlatform().name("relay").start(relay::accept);
    return relay;
  }

  /** The address:port it listens on; only of an outside relay. */
  InetSocketAddress address() {
    try {
      return (InetSocketAddress) listening.getLocalAddress();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel one = listening.accept();
        Thread.ofVirtual().start(() -> connect(one));
      }
    } catch (IOException closed) {
      // Nobody is relayed any more.
    }
  }

  private void connect(SocketChannel one) {
    try {
      SocketChannel other = SocketChannel.open(target);
      Thread.ofVirtual().start(() -> copy(one, other));
      copy(other, one);
    } catch (IOException refused) {
      closeQuietly(one);
    }
  }

  private static void copy(SocketChannel from, SocketChannel to) {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    try {
      while (from.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
        buffer.clear();
      }
      to.shutdownOutput();
    } catch (IOException broken) {
      closeQuietly(from);
      closeQuietly(to);
    }
  }

  private static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException alreadyGone) {
      // That is what was wanted.
    }
  }

  @Override
  public void close() {
    try {
      listening.close();
    } catch (IOException alreadyGone) {
      // That is what was wanted.
    }
  }
}
