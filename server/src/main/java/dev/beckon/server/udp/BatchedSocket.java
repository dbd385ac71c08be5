package dev.beckon.server.udp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A {@link UdpSocket} that takes and gives the kernel many datagrams at a time: whatever waits, up
 * to 64, is received with one call, and what the handler sends meanwhile leaves with one call. An
 * idle socket answers a lone datagram at once. Nothing is allocated per datagram.
 *
 * <p>What other threads send leaves at once, through buffers of their own.
 */
final class BatchedSocket implements UdpSocket {
  /** How long a thread that was not woken by the closing may stay. */
  private static final int RECEIVE_TIMEOUT_SECONDS = 1;

  private final int descriptor;
  private final InetSocketAddress localAddress;
  private final Receiving receiving;
  private final Arena arena = Arena.ofShared();
  private final LongAdder sendFailures = new LongAdder();

  // Of the receiving thread.
  private final MemorySegment receivingState = LinuxSockets.callState(arena);
  private final Messages received = new Messages(arena, Batch.CAPACITY);
  private final Messages answers = new Messages(arena, Batch.CAPACITY);
  private final Batch batch = new Batch();
  private final Consumer<Throwable> handlerFailed;
  private int answered;

  // Of all other threads, under this lock; and so is closing the descriptor, for its number may
  // soon be another file's.
  private final Object sending = new Object();
  private final MemorySegment sendingState = LinuxSockets.callState(arena);
  private final Messages single = new Messages(arena, 1);
  private boolean closed;

  private BatchedSocket(int descriptor, InetSocketAddress localAddress) {
    this.descriptor = descriptor;
    this.localAddress = localAddress;
    receiving = new Receiving(localAddress);
    handlerFailed = receiving::handlerFailed;
  }

  static BatchedSocket bind(InetSocketAddress address, boolean shared) throws IOException {
    InetAddress ip = address.getAddress();
    boolean ipv4 = ip.getAddress().length == 4;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = LinuxSockets.callState(arena);
      int descriptor = LinuxSockets.open(state, ipv4);
      try {
        int level = LinuxSockets.SOL_SOCKET;
        set(arena, state, descriptor, level, LinuxSockets.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        set(arena, state, descriptor, level, LinuxSockets.SO_SNDBUF, SEND_BUFFER_BYTES);
        if (shared) {
          set(arena, state, descriptor, level, LinuxSockets.SO_REUSEPORT, 1);
        }
        if (!ipv4) {
          set(arena, state, descriptor, LinuxSockets.IPPROTO_IPV6, LinuxSockets.IPV6_V6ONLY, 1);
        }
        MemorySegment timeout =
            arena.allocateFrom(ValueLayout.JAVA_LONG, RECEIVE_TIMEOUT_SECONDS, 0);
        LinuxSockets.setOption(state, descriptor, level, LinuxSockets.SO_RCVTIMEO, timeout);
        return new BatchedSocket(descriptor, bound(arena, state, descriptor, address));
      } catch (IOException | RuntimeException e) {
        LinuxSockets.close(state, descriptor);
        throw e;
      }
    }
  }

  private static void set(
      Arena arena, MemorySegment state, int descriptor, int level, int option, int value)
      throws IOException {
    LinuxSockets.setOption(
        state, descriptor, level, option, arena.allocateFrom(ValueLayout.JAVA_INT, value));
  }

  /** Binds; the address with its real port. */
  private static InetSocketAddress bound(
      Arena arena, MemorySegment state, int descriptor, InetSocketAddress address)
      throws IOException {
    LinuxSockets.bind(state, descriptor, LinuxSockets.address(arena, address));
    MemorySegment name = arena.allocate(32, 8);
    MemorySegment room = arena.allocateFrom(ValueLayout.JAVA_INT, 32);
    LinuxSockets.localAddress(state, descriptor, name, room);
    return new InetSocketAddress(address.getAddress(), Messages.port(name, 0));
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
    receiving.start(() -> receive(handler, nanoClock, clock));
  }

  private void receive(DatagramHandler handler, LongSupplier nanoClock, InstantSource clock)
      throws IOException {
    int count = LinuxSockets.receive(receivingState, descriptor, received.from(0), Batch.CAPACITY);
    if (receiving.hasEnded() || count == -LinuxSockets.EAGAIN || count == -LinuxSockets.EINTR) {
      return;
    }
    if (count < 0) {
      throw new IOException(LinuxSockets.describe(-count));
    }
    try {
      batch.clear();
      for (int i = 0; i < count; i++) {
        batch.add(
            received.read(i, batch.room()),
            received.addressHigh(i),
            received.addressLow(i),
            received.port(i));
      }
      handler.onBatch(batch, nanoClock.getAsLong(), clock.millis(), this, handlerFailed);
    } finally { // what was answered before a failure leaves
      received.clear(count);
      sendAnswers();
    }
  }

  @Override
  public void send(byte[] bytes, int length, long addressHigh, long addressLow, int port) {
    if (receiving.isCurrentThread()) {
      if (answered == answers.capacity()) {
        sendAnswers();
      }
      answers.write(answered++, bytes, length, addressHigh, addressLow, port);
      return;
    }
    synchronized (sending) {
      if (closed) {
        sendFailures.increment(); // shutting down: as if the network had lost it
        return;
      }
      single.write(0, bytes, length, addressHigh, addressLow, port);
      send(sendingState, single, 1);
    }
  }

  private void sendAnswers() {
    int count = answered;
    answered = 0;
    if (count > 0) {
      send(receivingState, answers, count);
    }
  }

  /** Sends; what the kernel refuses is left out, and the others go. */
  private void send(MemorySegment state, Messages messages, int count) {
    int done = 0;
    while (done < count) {
      int sent = LinuxSockets.send(state, descriptor, messages.from(done), count - done);
      if (sent > 0) {
        done += sent;
      } else if (sent != -LinuxSockets.EINTR) {
        sendFailures.increment(); // no route, buffer full, …: a datagram may get lost
        done++;
      }
    }
  }

  @Override
  public void close() {
    synchronized (sending) {
      if (closed) {
        return;
      }
      closed = true;
      receiving.end();
      LinuxSockets.shutdown(sendingState, descriptor);
    }
    if (receiving.awaitEnd()) {
      LinuxSockets.close(sendingState, descriptor);
      arena.close();
    }
  }
}
