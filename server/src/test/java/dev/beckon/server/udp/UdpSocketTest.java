package dev.beckon.server.udp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.DatagramReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;

/** What every socket does, whatever it is made of. */
@Timeout(60)
@ParameterizedClass
@CsvSource({
  "BATCHED, 127.0.0.1",
  "BATCHED, ::1",
  "CHANNEL, 127.0.0.1",
  "CHANNEL, ::1",
})
class UdpSocketTest {
  private static final int PATIENCE_MILLIS = 20_000;

  /** A datagram as the handler saw it. */
  private record Arrived(byte[] bytes, InetSocketAddress from) {}

  private final UdpTransport transport;
  private final InetAddress loopback;
  private final UdpSocket socket;
  private final DatagramSocket peer;
  private final BlockingQueue<Arrived> arrived = new LinkedBlockingQueue<>();

  UdpSocketTest(UdpTransport transport, String address) throws IOException {
    this.transport = transport;
    loopback = InetAddress.getByName(address);
    socket = UdpSocket.bind(new InetSocketAddress(loopback, 0), transport, false);
    peer = new DatagramSocket(new InetSocketAddress(loopback, 0));
    peer.setSoTimeout(PATIENCE_MILLIS);
  }

  @AfterEach
  void close() {
    peer.close();
    socket.close();
  }

  private void start(DatagramHandler handler) {
    socket.start(handler, System::nanoTime, InstantSource.system());
  }

  /** Notes what comes, and sends it back where {@code answering}. */
  private void start(boolean answering) {
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          InetSocketAddress from = new InetSocketAddress(AddressBits.toAddress(high, low), port);
          arrived.add(new Arrived(Arrays.copyOf(bytes, length), from));
          if (answering) {
            outbox.send(bytes, length, high, low, port);
          }
        });
  }

  private void send(byte[] bytes) throws IOException {
    peer.send(new DatagramPacket(bytes, bytes.length, socket.localAddress()));
  }

  private static byte[] numbered(int number, int length) {
    return ByteBuffer.allocate(length).putInt(number).array();
  }

  private DatagramPacket receive() throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
    peer.receive(packet);
    return packet;
  }

  private Arrived take() throws InterruptedException {
    Arrived next = arrived.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    assertThat(next).as("a datagram").isNotNull();
    return next;
  }

  @Test
  void answersFromTheVeryAddressThatWasAsked() throws Exception {
    start(true);
    send(numbered(1, 92));

    DatagramPacket answer = receive();
    assertThat(answer.getSocketAddress()).isEqualTo(socket.localAddress());
    assertThat(Arrays.copyOf(answer.getData(), answer.getLength())).isEqualTo(numbered(1, 92));
    assertThat(take().from()).isEqualTo(peer.getLocalSocketAddress());
    assertThat(socket.localAddress().getPort()).isPositive();
  }

  @Test
  void answersABurstWholeAndInOrder() throws Exception {
    start(true);
    int burst = 200;
    for (int i = 0; i < burst; i++) {
      send(numbered(i, 40 + i));
    }

    for (int i = 0; i < burst; i++) {
      DatagramPacket answer = receive();
      assertThat(Arrays.copyOf(answer.getData(), answer.getLength()))
          .isEqualTo(numbered(i, 40 + i));
    }
    assertThat(socket.sendFailures()).isZero();
    assertThat(socket.receiveFailures()).isZero();
  }

  @Test
  void severalAnswersToOneDatagramKeepTheirOrder() throws Exception {
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          for (int i = 0; i < 150; i++) {
            outbox.send(numbered(i, 8), 8, high, low, port);
          }
        });
    send(new byte[20]);

    for (int i = 0; i < 150; i++) {
      assertThat(ByteBuffer.wrap(receive().getData()).getInt()).isEqualTo(i);
    }
  }

  @Test
  void showsThatADatagramIsTooLong() throws Exception {
    start(false);
    int most = DatagramReader.MAX_BYTES;
    send(numbered(1, most));
    send(numbered(2, most + 1));
    send(numbered(3, 9000));
    send(new byte[0]);
    send(numbered(4, 20));

    assertThat(take().bytes()).isEqualTo(numbered(1, most));
    assertThat(take().bytes()).hasSize(most + 1);
    assertThat(take().bytes()).hasSize(most + 1);
    assertThat(take().bytes()).isEmpty();
    assertThat(take().bytes()).isEqualTo(numbered(4, 20));
  }

  @Test
  void otherThreadsSendThroughIt() throws Exception {
    start(false);
    InetSocketAddress to = (InetSocketAddress) peer.getLocalSocketAddress();
    long high = AddressBits.high(to.getAddress());
    long low = AddressBits.low(to.getAddress());
    List<CompletableFuture<Void>> threads = new ArrayList<>();
    for (int thread = 0; thread < 2; thread++) {
      int number = thread;
      threads.add(
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < 50; i++) {
                  socket.send(numbered(number, 30), 30, high, low, to.getPort());
                }
              },
              run -> Thread.ofPlatform().start(run)));
    }
    threads.forEach(CompletableFuture::join);

    for (int i = 0; i < 100; i++) {
      DatagramPacket wake = receive();
      assertThat(wake.getLength()).isEqualTo(30);
      assertThat(wake.getSocketAddress()).isEqualTo(socket.localAddress());
    }
  }

  @Test
  void sendsBeforeItReceives() throws Exception {
    InetSocketAddress to = (InetSocketAddress) peer.getLocalSocketAddress();
    socket.send(
        numbered(5, 30),
        30,
        AddressBits.high(to.getAddress()),
        AddressBits.low(to.getAddress()),
        to.getPort());

    assertThat(receive().getLength()).isEqualTo(30);
  }

  @Test
  void icmpErrorsChangeNothing() throws Exception {
    start(true);
    int closedPort;
    try (DatagramSocket gone = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
      closedPort = gone.getLocalPort();
    }
    long high = AddressBits.high(loopback);
    long low = AddressBits.low(loopback);
    for (int i = 0; i < 50; i++) {
      socket.send(numbered(i, 30), 30, high, low, closedPort);
      send(numbered(i, 30));
      assertThat(receive().getLength()).isEqualTo(30);
    }
  }

  @Test
  void whatCannotBeSentIsCountedAndTheOthersGo() throws Exception {
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          outbox.send(bytes, 10, high, low, port);
          outbox.send(bytes, 11, high, low, 0); // nothing can have port 0
          outbox.send(bytes, 12, high, low, port);
        });
    send(new byte[20]);

    assertThat(receive().getLength()).isEqualTo(10);
    assertThat(receive().getLength()).isEqualTo(12);
    assertThat(socket.sendFailures()).isEqualTo(1);
  }

  @Test
  void aHandlerThatFailsSilencesNobody() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          if (calls.incrementAndGet() == 1) {
            throw new IllegalStateException("a bug, as this test wants it");
          }
          outbox.send(bytes, length, high, low, port);
        });
    send(new byte[20]);
    send(new byte[21]);

    assertThat(receive().getLength()).isEqualTo(21);
  }

  @Test
  void anErrorSilencesNobodyAndIsCounted() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          if (calls.incrementAndGet() == 1) {
            throw new InternalError("a page that cannot be read, as this test wants it");
          }
          outbox.send(bytes, length, high, low, port);
        });
    send(new byte[20]);
    send(new byte[21]);

    assertThat(receive().getLength()).isEqualTo(21);
    assertThat(socket.receiveFailures()).isEqualTo(1);
  }

  /** Answers, and then fails as a whole. */
  private static final class AnswersAndFails implements DatagramHandler {
    @Override
    public void onDatagram(
        byte[] bytes,
        int length,
        long high,
        long low,
        int port,
        long nowNanos,
        long nowMillis,
        Outbox outbox) {
      outbox.send(bytes, length, high, low, port);
      throw new OutOfMemoryError("as this test wants it");
    }

    @Override
    public void onBatch(
        Batch batch, long nowNanos, long nowMillis, Outbox outbox, Consumer<Throwable> failed) {
      for (int i = 0; i < batch.size(); i++) {
        outbox.send(
            batch.bytes(i),
            batch.length(i),
            batch.addressHigh(i),
            batch.addressLow(i),
            batch.port(i));
      }
      throw new OutOfMemoryError("as this test wants it");
    }
  }

  @Test
  void whatWasAnsweredBeforeAFailureLeavesAndTheThreadGoesOn() throws Exception {
    start(new AnswersAndFails());
    for (int i = 0; i < 18; i++) { // more than the failures after which it pauses
      send(numbered(i, 30));
      assertThat(ByteBuffer.wrap(receive().getData()).getInt()).isEqualTo(i);
    }
  }

  @Test
  void closingEndsAWaitingThreadSoon() {
    start(true);
    long started = System.nanoTime();
    socket.close();
    socket.close();

    assertThat(System.nanoTime() - started).isLessThan(TimeUnit.SECONDS.toNanos(5));
    assertThat(threadsOfTheSocket()).isZero();
  }

  private long threadsOfTheSocket() {
    String name = ":" + socket.localAddress().getPort();
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("udp-") && thread.getName().endsWith(name))
        .count();
  }

  @Test
  void onceClosedTheHandlerIsNotCalledAndNothingIsSent() throws Exception {
    AtomicLong calls = new AtomicLong();
    CountDownLatch first = new CountDownLatch(1);
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          calls.incrementAndGet();
          first.countDown();
        });
    AtomicInteger stop = new AtomicInteger();
    Thread flood =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (stop.get() == 0) {
                    try {
                      send(new byte[20]);
                    } catch (IOException e) {
                      return; // refused: closed
                    }
                  }
                });
    first.await();
    socket.close();
    long atClose = calls.get();
    socket.send(new byte[20], 20, 0, AddressBits.low(loopback), 9);
    stop.set(1);
    flood.join();

    assertThat(calls.get()).isEqualTo(atClose);
    assertThat(socket.sendFailures()).isEqualTo(1);
    // The address is free again at once.
    UdpSocket.bind(socket.localAddress(), transport, false).close();
  }

  @Test
  void refusesAnAddressThatIsTakenOrNotHere() throws Exception {
    assertThatThrownBy(() -> UdpSocket.bind(socket.localAddress(), transport, false))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("udp: ")
        .hasMessageContaining("already in use; expected a free address of this host");
    InetSocketAddress foreign = new InetSocketAddress("192.0.2.1", 0);
    assertThatThrownBy(() -> UdpSocket.bind(foreign, transport, false))
        .isInstanceOf(BindException.class)
        .hasMessageContaining("udp: 192.0.2.1:0 (");
    InetSocketAddress wildcard = new InetSocketAddress("0.0.0.0", 0);
    assertThatThrownBy(() -> UdpSocket.bind(wildcard, transport, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not a wildcard");
  }

  @Test
  void severalSocketsShareAnAddressIfAskedTo() throws Exception {
    try (UdpSocket first = UdpSocket.bind(new InetSocketAddress(loopback, 0), transport, true);
        UdpSocket second = UdpSocket.bind(first.localAddress(), transport, true)) {
      assertThat(second.localAddress()).isEqualTo(first.localAddress());
      AtomicInteger received = new AtomicInteger();
      CountDownLatch all = new CountDownLatch(40);
      for (UdpSocket each : List.of(first, second)) {
        each.start(
            (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
              received.incrementAndGet();
              all.countDown();
            },
            System::nanoTime,
            InstantSource.system());
      }
      for (int i = 0; i < 40; i++) {
        try (DatagramSocket device = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
          device.send(new DatagramPacket(new byte[20], 20, first.localAddress()));
        }
      }
      assertThat(all.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
      assertThat(received).hasValue(40);
    }
  }

  @Test
  void batchesAllocateNothingPerDatagram() throws Exception {
    if (transport == UdpTransport.CHANNEL) {
      return; // the JDK's channel does
    }
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    AtomicLong before = new AtomicLong();
    AtomicLong after = new AtomicLong();
    int[] count = new int[1];
    start(
        (bytes, length, high, low, port, nowNanos, nowMillis, outbox) -> {
          count[0]++;
          if (count[0] == 80_000) {
            before.set(threads.getCurrentThreadAllocatedBytes());
          } else if (count[0] == 90_000) {
            after.set(threads.getCurrentThreadAllocatedBytes());
          }
          outbox.send(bytes, length, high, low, port);
        });
    byte[] bytes = new byte[92];
    for (int i = 0; i < 90_000 / 50; i++) {
      for (int k = 0; k < 50; k++) {
        send(bytes);
      }
      for (int k = 0; k < 50; k++) {
        receive();
      }
    }

    assertThat(after.get()).isPositive();
    // Not even the smallest of objects for each; the rest is the compiler's, not warm yet.
    assertThat(after.get() - before.get()).as("bytes for 10,000 datagrams").isLessThan(160_000);
  }
}
