package dev.beckon.lab.fleet;

import dev.beckon.server.udp.LinuxSockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/**
 * The UDP sockets that a fleet sends from, all connected to one server. Many datagrams go with one
 * call, and where the kernel can do it, as one long one that the kernel cuts into equal pieces (UDP
 * segmentation offload): what arrives is the same, at a third of the cost for the sender.
 *
 * <p>Nothing waits: a call moves what can be moved now. Not thread-safe.
 */
final class SourceSockets implements AutoCloseable {
  /** Takes what was received. */
  interface Receiver {
    /**
     * One datagram.
     *
     * @param bytes valid during the call only
     */
    void onDatagram(int socket, byte[] bytes, int length);
  }

  /** The kernel cuts one send into at most so many pieces (UDP_MAX_SEGMENTS of older kernels). */
  static final int BATCH = 64;

  /** Loopback addresses to send from; each has all its ports. */
  private static final int LOOPBACK_ADDRESSES = 16;

  /** Answers and wakes for our short IDs have at most 104 bytes, a STUN server's little more. */
  private static final int CONTENT_BYTES = 512;

  private static final int HEADER_BYTES = 64;
  private static final int IOVEC_BYTES = 16;
  private static final int CONTROL_BYTES = 24;
  private static final int CONTROL_LENGTH = 18;
  private static final int SOL_UDP = 17;
  private static final int UDP_SEGMENT = 103;
  private static final int MSG_TRUNC = 0x20;

  private static final int SOCKET_BUFFER_BYTES = 4 << 20;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment state = LinuxSockets.callState(arena);
  private final int[] descriptors;
  private final MemorySegment sendHeaders = arena.allocate((long) BATCH * HEADER_BYTES, 64);
  private final MemorySegment sendIovecs = arena.allocate((long) BATCH * IOVEC_BYTES, 64);
  private final MemorySegment control = arena.allocate(CONTROL_BYTES, 8);
  private final MemorySegment receiveHeaders = arena.allocate((long) BATCH * HEADER_BYTES, 64);
  private final MemorySegment receiveIovecs = arena.allocate((long) BATCH * IOVEC_BYTES, 64);
  private final MemorySegment contents = arena.allocate((long) BATCH * CONTENT_BYTES, 64);
  private final byte[] datagram = new byte[CONTENT_BYTES];
  private boolean segments;

  /**
   * Opens them.
   *
   * @param firstPort of the sockets on each local address; 0 means any that are free
   * @param segments whether the kernel shall cut long datagrams, if it can
   * @throws IOException with a message for people
   */
  SourceSockets(InetSocketAddress server, int count, int firstPort, boolean segments)
      throws IOException {
    this.segments = segments;
    descriptors = new int[count];
    layOut(sendHeaders, sendIovecs);
    layOut(receiveHeaders, receiveIovecs);
    for (int i = 0; i < BATCH; i++) {
      long iovec = (long) i * IOVEC_BYTES;
      receiveIovecs.set(LONG, iovec, contents.address() + (long) i * CONTENT_BYTES);
      receiveIovecs.set(LONG, iovec + 8, CONTENT_BYTES);
    }
    control.set(LONG, 0, CONTROL_LENGTH);
    control.set(INT, 8, SOL_UDP);
    control.set(INT, 12, UDP_SEGMENT);
    int opened = 0;
    try {
      for (; opened < count; opened++) {
        descriptors[opened] = open(server, source(server.getAddress(), opened, firstPort));
      }
    } catch (IOException e) {
      for (int i = 0; i < opened; i++) {
        LinuxSockets.close(state, descriptors[i]);
      }
      arena.close();
      throw new IOException(
          "source %d of %d: %s (expected: room for so many sockets; fewer with --sources, other ports with --source-port, or raise 'ulimit -n')"
              .formatted(opened + 1, count, e.getMessage()),
          e);
    }
  }

  private static void layOut(MemorySegment headers, MemorySegment iovecs) {
    for (int i = 0; i < BATCH; i++) {
      long header = (long) i * HEADER_BYTES;
      headers.set(LONG, header + 16, iovecs.address() + (long) i * IOVEC_BYTES);
      headers.set(LONG, header + 24, 1);
    }
  }

  /**
   * To a server on loopback the fleet comes from several addresses, else from the kernel's choice.
   */
  static InetSocketAddress source(InetAddress server, int number, int firstPort) {
    boolean spread = server.isLoopbackAddress() && server.getAddress().length == 4;
    int addresses = spread ? LOOPBACK_ADDRESSES : 1;
    int port = firstPort == 0 ? 0 : firstPort + number / addresses;
    byte[] any = new byte[server.getAddress().length];
    byte[] loopback = {127, 0, 0, (byte) (1 + number % addresses)};
    try {
      return new InetSocketAddress(InetAddress.getByAddress(spread ? loopback : any), port);
    } catch (UnknownHostException e) {
      throw new AssertionError("4 and 16 bytes are always an address", e);
    }
  }

  private int open(InetSocketAddress server, InetSocketAddress source) throws IOException {
    try (Arena local = Arena.ofConfined()) {
      int descriptor = LinuxSockets.open(state, server.getAddress().getAddress().length == 4);
      try {
        MemorySegment size = local.allocateFrom(INT, SOCKET_BUFFER_BYTES);
        int level = LinuxSockets.SOL_SOCKET;
        LinuxSockets.setOption(state, descriptor, level, LinuxSockets.SO_RCVBUF, size);
        LinuxSockets.setOption(state, descriptor, level, LinuxSockets.SO_SNDBUF, size);
        LinuxSockets.bind(state, descriptor, LinuxSockets.address(local, source));
        LinuxSockets.connect(state, descriptor, LinuxSockets.address(local, server));
        return descriptor;
      } catch (IOException e) {
        LinuxSockets.close(state, descriptor);
        throw e;
      }
    }
  }

  int count() {
    return descriptors.length;
  }

  /** Whether the kernel cuts long datagrams for us. */
  boolean segments() {
    return segments;
  }

  /**
   * Sends datagrams of equal size that stand one behind the other.
   *
   * @param count at most {@link #BATCH}
   * @return how many the kernel took, from the first on; fewer while its buffers are full
   */
  int send(int socket, MemorySegment from, long offset, int count, int bytes) {
    int sent = 0;
    while (sent < count) {
      int rest = count - sent;
      long at = from.address() + offset + (long) sent * bytes;
      boolean whole = segments && rest > 1;
      int result = whole ? sendWhole(socket, at, rest, bytes) : sendEach(socket, at, rest, bytes);
      if (result > 0) {
        sent += whole ? rest : result;
      } else if (whole && !isPassing(-result)) {
        segments = false; // an old kernel, or a network device that cannot do it
      } else if (result != -LinuxSockets.EINTR && result != -LinuxSockets.ECONNREFUSED) {
        return sent;
      }
    }
    return sent;
  }

  private static boolean isPassing(int error) {
    return error == LinuxSockets.EINTR
        || error == LinuxSockets.EAGAIN
        || error == LinuxSockets.ECONNREFUSED;
  }

  private int sendWhole(int socket, long address, int count, int bytes) {
    sendIovecs.set(LONG, 0, address);
    sendIovecs.set(LONG, 8, (long) count * bytes);
    control.set(ValueLayout.JAVA_SHORT, 16, (short) bytes);
    sendHeaders.set(LONG, 32, control.address());
    sendHeaders.set(LONG, 40, CONTROL_BYTES);
    return LinuxSockets.send(state, descriptors[socket], sendHeaders, 1);
  }

  private int sendEach(int socket, long address, int count, int bytes) {
    for (int i = 0; i < count; i++) {
      sendIovecs.set(LONG, (long) i * IOVEC_BYTES, address + (long) i * bytes);
      sendIovecs.set(LONG, (long) i * IOVEC_BYTES + 8, bytes);
    }
    sendHeaders.set(LONG, 32, 0);
    sendHeaders.set(LONG, 40, 0);
    return LinuxSockets.send(state, descriptors[socket], sendHeaders, count);
  }

  /** Receives what waits at one socket, at most {@link #BATCH}; how many there were. */
  int receive(int socket, Receiver receiver) {
    int count =
        LinuxSockets.receive(
            state, descriptors[socket], receiveHeaders, BATCH, LinuxSockets.MSG_DONTWAIT);
    for (int i = 0; i < count; i++) {
      long header = (long) i * HEADER_BYTES;
      if ((receiveHeaders.get(INT, header + 48) & MSG_TRUNC) == 0) {
        int length = receiveHeaders.get(INT, header + 56);
        MemorySegment.copy(
            contents, ValueLayout.JAVA_BYTE, (long) i * CONTENT_BYTES, datagram, 0, length);
        receiver.onDatagram(socket, datagram, length);
      }
    }
    return Math.max(count, 0); // an ICMP error changes nothing
  }

  @Override
  public void close() {
    for (int descriptor : descriptors) {
      LinuxSockets.close(state, descriptor);
    }
    arena.close();
  }
}
