package dev.beckon.bench.dtls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.management.OperatingSystemMXBean;
import dev.beckon.bench.Options;
import dev.beckon.lab.fleet.ProcessFigures;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Devices of a DTLS server: makes sessions, one after the other, and then, if asked to, keeps one
 * request of each under way. Each device has an address:port of its own. One thread: the server has
 * the other core, and what this one has left is printed.
 *
 * <pre>
 * --address HOST:PORT --first N --sessions N --warm-up SECONDS --seconds N --server-pid PID
 * </pre>
 *
 * <p>Prints a line of JSON when the sessions stand, and another behind the load; without seconds
 * there is no load, and the sessions are left behind as those of idle devices. How busy the
 * server's process was is printed too: only a busy server is the limit.
 */
public final class DtlsLoad {
  private static final int DEVICES_PER_ADDRESS = 10_000;
  private static final int FIRST_PORT = 20_000;
  private static final int HANDSHAKE_WAIT_MILLIS = 2000;
  private static final int HANDSHAKE_ATTEMPTS = 3;

  /** Long after any answer: only what was lost is sent again. */
  private static final long RESEND_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long SEED = 1;

  private final InetSocketAddress server;
  private final RecordCipher cipher = new RecordCipher();
  private final Random random = new Random(SEED);
  private final ByteBuffer plain = ByteBuffer.allocate(128);
  private final ByteBuffer out = ByteBuffer.allocateDirect(512);
  private final ByteBuffer in = ByteBuffer.allocateDirect(2048);
  private int messageId;
  private long answers;
  private long resent;

  private static final class Session {
    final DtlsDevice device;
    final DatagramChannel channel;
    long sentNanos;

    Session(DtlsDevice device, DatagramChannel channel) {
      this.device = device;
      this.channel = channel;
    }
  }

  private DtlsLoad(InetSocketAddress server) throws GeneralSecurityException {
    this.server = server;
  }

  public static void main(String[] arguments) throws IOException, GeneralSecurityException {
    Options options = new Options(arguments);
    String[] address = options.text("address").split(":");
    DtlsLoad load = new DtlsLoad(new InetSocketAddress(address[0], Integer.parseInt(address[1])));
    int seconds = options.number("seconds");
    List<Session> sessions =
        load.handshakes(options.number("first"), options.number("sessions"), seconds > 0);
    if (seconds > 0) {
      load.run(sessions, options.number("warm-up"), seconds, options.number("server-pid"));
    }
  }

  private List<Session> handshakes(int first, int count, boolean kept)
      throws IOException, GeneralSecurityException {
    long start = System.nanoTime();
    List<Session> sessions = new ArrayList<>();
    for (int device = first; device < first + count; device++) {
      Session session = handshake(device);
      if (kept) {
        sessions.add(session);
      } else {
        session.channel.close();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(Locale.ROOT, "{\"sessions\":%d,\"handshakeSeconds\":%.2f}%n", count, seconds);
    return sessions;
  }

  private Session handshake(int number) throws IOException, GeneralSecurityException {
    byte[] host = {127, 0, 1, (byte) (1 + number / DEVICES_PER_ADDRESS)};
    int port = FIRST_PORT + number % DEVICES_PER_ADDRESS;
    for (int attempt = 0; attempt < HANDSHAKE_ATTEMPTS; attempt++) {
      byte[] own = new byte[32];
      random.nextBytes(own);
      DtlsDevice device = new DtlsDevice("sim-%08d".formatted(number), own, cipher);
      DatagramChannel channel = DatagramChannel.open();
      channel.bind(new InetSocketAddress(InetAddress.getByAddress(host), port));
      channel.connect(server);
      channel.socket().setSoTimeout(HANDSHAKE_WAIT_MILLIS);
      try {
        converse(device, channel);
        return new Session(device, channel);
      } catch (SocketTimeoutException e) {
        channel.close();
      }
    }
    throw new IOException("DTLS: no answer to " + HANDSHAKE_ATTEMPTS + " handshakes");
  }

  private void converse(DtlsDevice device, DatagramChannel channel)
      throws IOException, GeneralSecurityException {
    java.net.DatagramPacket packet = new java.net.DatagramPacket(new byte[2048], 2048);
    channel.write(ByteBuffer.wrap(device.hello()));
    while (!device.isEstablished()) {
      channel.socket().receive(packet);
      byte[] answer =
          device.receive(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()).slice());
      if (answer.length > 0) {
        channel.write(ByteBuffer.wrap(answer));
      }
    }
  }

  private void run(List<Session> sessions, int warmUpSeconds, int seconds, int serverPid)
      throws IOException, GeneralSecurityException {
    OperatingSystemMXBean process =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    try (Selector selector = Selector.open()) {
      for (Session session : sessions) {
        session.channel.configureBlocking(false);
        session.channel.register(selector, SelectionKey.OP_READ, session);
        request(session);
      }
      serve(selector, sessions, warmUpSeconds);
      answers = 0;
      resent = 0;
      long start = System.nanoTime();
      long cpu = process.getProcessCpuTime();
      long serverCpuMillis = ProcessFigures.of(serverPid).cpuMillis();
      serve(selector, sessions, seconds);
      long took = System.nanoTime() - start;
      System.out.printf(
          Locale.ROOT,
          "{\"answersPerSecond\":%.0f,\"lossPercent\":%.2f,\"serverCpuPercent\":%.0f,\"loadCpuPercent\":%.0f}%n",
          answers * 1e9 / took,
          100.0 * resent / Math.max(1, answers + resent),
          (ProcessFigures.of(serverPid).cpuMillis() - serverCpuMillis) * 1e8 / took,
          (process.getProcessCpuTime() - cpu) * 100.0 / took);
    }
  }

  private void serve(Selector selector, List<Session> sessions, int seconds)
      throws IOException, GeneralSecurityException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    long nextLook = System.nanoTime() + RESEND_NANOS;
    while (System.nanoTime() < end) {
      selector.select(100);
      for (SelectionKey ready : selector.selectedKeys()) {
        receive((Session) ready.attachment());
      }
      selector.selectedKeys().clear();
      if (System.nanoTime() > nextLook) {
        nextLook += RESEND_NANOS;
        for (Session session : sessions) {
          if (System.nanoTime() - session.sentNanos > RESEND_NANOS) {
            resent++;
            request(session);
          }
        }
      }
    }
  }

  private void receive(Session session) throws IOException, GeneralSecurityException {
    in.clear();
    if (session.channel.read(in) > 0 && DtlsDevice.isAnswer(in.flip())) {
      answers++;
      request(session);
    }
  }

  /** A confirmable {@code POST /k} (RFC 7252) with as many bytes as a keepalive has fields. */
  private void request(Session session) throws IOException, GeneralSecurityException {
    session.sentNanos = System.nanoTime();
    messageId++;
    plain.clear();
    plain.put((byte) 0x44).put((byte) 0x02).putShort((short) messageId); // CON, POST
    plain.putInt(messageId); // token
    plain.put((byte) 0xB1).put(CaliforniumServer.RESOURCE.getBytes(US_ASCII)); // Uri-Path
    plain.put((byte) 0xFF).putLong(messageId).putLong(0).putInt(25);
    out.clear();
    session.device.send(plain.flip(), out);
    session.channel.write(out.flip());
  }
}
