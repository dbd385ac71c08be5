package dev.beckon.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.AddressBits;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DatagramReader;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.server.identity.MasterKeys;
import dev.beckon.server.registrar.Authenticator;
import dev.beckon.server.registrar.Binding;
import dev.beckon.server.registrar.BindingTable;
import dev.beckon.server.registrar.DatagramCounters;
import dev.beckon.server.registrar.DeniedGenerations;
import dev.beckon.server.registrar.KeepaliveHandler;
import dev.beckon.server.registrar.OutstandingWakes;
import dev.beckon.server.registrar.PublicStun;
import dev.beckon.server.registrar.Registrar;
import dev.beckon.server.udp.Outbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The C server is a fair yardstick only if it does the same as ours: byte for byte. */
@Timeout(120)
class CServerTest {
  private static final Path SOURCES = Path.of("c").toAbsolutePath();
  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final int ANSWER_WAIT_MILLIS = 20_000;

  @TempDir Path folder;
  private MasterKeys keys;
  private Process server;
  private BufferedReader output;
  private InetSocketAddress address;
  private final List<DatagramSocket> sockets = new ArrayList<>();

  @BeforeEach
  void start() throws IOException, InterruptedException {
    boolean compiles = isThere("gcc");
    if (!compiles && "true".equals(System.getenv("CI"))) {
      throw new IllegalStateException("gcc is missing (Debian: apt-get install gcc libc6-dev)");
    }
    assumeTrue(compiles, "gcc is missing");
    Path binary = folder.resolve("keepalive-server");
    Process build =
        new ProcessBuilder(SOURCES.resolve("build").toString(), binary.toString())
            .inheritIO()
            .start();
    assertThat(build.waitFor()).isZero();
    keys = MasterKeys.openOrCreate(folder);
    server =
        new ProcessBuilder(
                binary.toString(),
                "--keys",
                folder.resolve("master.keys").toString(),
                "--rows",
                "200")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    output = server.inputReader(UTF_8);
    String ready = output.readLine();
    assertThat(ready).startsWith("ready udp=127.0.0.1:");
    address =
        new InetSocketAddress(
            InetAddress.getLoopbackAddress(),
            Integer.parseInt(ready.substring(ready.lastIndexOf(':') + 1)));
  }

  @AfterEach
  void stop() {
    sockets.forEach(DatagramSocket::close);
    if (server != null) {
      server.destroyForcibly();
    }
  }

  private static boolean isThere(String program) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(program, "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void answersAGenuineKeepaliveAndDropsAForgedOne() throws Exception {
    DatagramSocket socket = socket();
    byte[] key = deviceKey(KITCHEN);
    byte[] forged = keepalive(KITCHEN, 99, 0, false).encode(new byte[DeviceKey.LENGTH]);
    send(socket, forged);
    send(socket, keepalive(KITCHEN, 100, 0, false).encode(key));

    byte[] bytes = receive(socket); // in order: what was dropped would have been answered first
    assertThat(Datagram.isAuthentic(bytes, bytes.length, key)).isTrue();
    KeepaliveAnswer answer = (KeepaliveAnswer) Datagram.decode(bytes, bytes.length);
    assertThat(answer.unproven()).isTrue();
    assertThat(answer.mappedAddress()).isEqualTo(socket.getLocalSocketAddress());

    send(socket, keepalive(KITCHEN, 101, answer.pathToken(), false).encode(key));
    bytes = receive(socket);
    answer = (KeepaliveAnswer) Datagram.decode(bytes, bytes.length);
    assertThat(answer.unproven()).isFalse();

    assertThat(counters()).contains("\"received\":3,\"accepted\":1,", "\"notAuthentic\":1,");
  }

  @Test
  void answersLikeOurServerWhateverArrives() throws Exception {
    long seed = Long.getLong("beckon.seed", System.nanoTime());
    System.out.println("seed " + seed + " (again: -Dbeckon.seed=" + seed + ")");
    Random random = new Random(seed);
    DatagramSocket[] sources = {socket(), socket()};
    OurServer ours = new OurServer(keys);
    Map<String, Long> tokens = new HashMap<>();
    int answered = 0;
    for (int step = 0; step < 4000; step++) {
      int device = random.nextInt(12);
      DeviceId id = new DeviceId("device-" + "x".repeat(device * 3) + device);
      DatagramSocket source = sources[random.nextInt(8) == 0 ? 1 : 0];
      String place = id + "@" + source.getLocalPort();
      long token = random.nextInt(10) == 0 ? random.nextLong() : tokens.getOrDefault(place, 0L);
      long sequence = 1000L + step / 40 + random.nextInt(4);
      byte[] datagram =
          spoilt(
              keepalive(id, sequence, token, random.nextInt(3) == 0).encode(deviceKey(id)), random);

      // The second one is always answered, and behind whatever the first one got.
      byte[] last = keepalive(KITCHEN, step, 0, false).encode(deviceKey(KITCHEN));
      send(source, datagram);
      send(source, last);
      byte[] answer = receive(source);
      byte[] end = isAnswerTo(last, answer) ? answer : receive(source);
      byte[] first = end == answer ? null : answer;

      long nowMillis = ((KeepaliveAnswer) Datagram.decode(end, end.length)).serverTimeMillis();
      if (first != null) {
        answered++;
        KeepaliveAnswer decoded = (KeepaliveAnswer) Datagram.decode(first, first.length);
        nowMillis = decoded.serverTimeMillis();
        if (decoded.pathToken() != 0) {
          tokens.put(place, decoded.pathToken());
        }
      }
      assertThat(first).as("step %d", step).isEqualTo(ours.answer(datagram, source, nowMillis));
    }
    assertThat(answered).isGreaterThan(1000);
    assertThat(counters()).doesNotContain("\"stale\":0", "\"repeated\":0", "\"malformed\":0");
  }

  /** Mostly as it is; now and then damaged, cut off, or with a FINGERPRINT behind. */
  private static byte[] spoilt(byte[] datagram, Random random) {
    switch (random.nextInt(12)) {
      case 0 -> datagram[random.nextInt(datagram.length)] ^= (byte) (1 << random.nextInt(8));
      case 1 -> {
        return Arrays.copyOf(datagram, random.nextInt(datagram.length));
      }
      case 2 -> {
        byte[] longer = Arrays.copyOf(datagram, datagram.length + 8);
        ByteBuffer fields = ByteBuffer.wrap(longer);
        fields.putShort(2, (short) (longer.length - DatagramReader.STUN_HEADER_BYTES));
        CRC32 crc = new CRC32();
        crc.update(longer, 0, datagram.length);
        int wrong = random.nextInt(4) == 0 ? 1 : 0;
        fields.putInt(datagram.length, 0x80280004);
        fields.putInt(datagram.length + 4, (int) crc.getValue() ^ 0x5354554E ^ wrong);
        return longer;
      }
      default -> {}
    }
    return datagram;
  }

  private byte[] deviceKey(DeviceId id) {
    return DeviceKey.derive(Objects.requireNonNull(keys.key(1)), id, 1);
  }

  private static Keepalive keepalive(DeviceId id, long sequence, long token, boolean oneWay) {
    byte[] transactionId = ByteBuffer.allocate(12).putLong(sequence).array();
    System.arraycopy(id.bytes(), id.bytes().length - 4, transactionId, 8, 4);
    return new Keepalive(transactionId, id, 1, new Interval(25), 1, sequence, token, oneWay);
  }

  private static boolean isAnswerTo(byte[] request, byte[] answer) {
    return Arrays.equals(request, 8, 20, answer, 8, 20);
  }

  private DatagramSocket socket() throws IOException {
    DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address.getAddress(), 0));
    socket.setSoTimeout(ANSWER_WAIT_MILLIS);
    sockets.add(socket);
    return socket;
  }

  private void send(DatagramSocket socket, byte[] bytes) throws IOException {
    socket.send(new DatagramPacket(bytes, bytes.length, address));
  }

  private static byte[] receive(DatagramSocket socket) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[600], 600);
    socket.receive(packet);
    return Arrays.copyOf(packet.getData(), packet.getLength());
  }

  /** What the server counted; ends it. */
  private String counters() throws IOException, InterruptedException {
    server.toHandle().destroy(); // Process.destroy would close the stream as well
    String counters = output.readLine();
    assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return counters;
  }

  /** The server's own way of a datagram, without its sockets. */
  private static final class OurServer implements Outbox {
    private final KeepaliveHandler handler;
    private byte @Nullable [] answer;

    OurServer(MasterKeys keys) {
      OutstandingWakes noWakes =
          new OutstandingWakes() {
            @Override
            public void keepaliveArrived(long tag, DatagramReader keepalive, long nowNanos) {}

            @Override
            public void wakeAnswered(DatagramReader datagram, long nowNanos) {}
          };
      handler =
          new KeepaliveHandler(
              0,
              new Registrar(new Rows(), keys.tableKey()),
              Authenticator.of(Security.MUTUAL, keys::key),
              new DeniedGenerations(),
              keys.pathTokenKey(),
              new PublicStun(false),
              noWakes,
              () -> 0,
              new DatagramCounters());
    }

    byte @Nullable [] answer(byte[] datagram, DatagramSocket from, long nowMillis) {
      answer = null;
      handler.onDatagram(
          datagram,
          datagram.length,
          AddressBits.high(from.getLocalAddress()),
          AddressBits.low(from.getLocalAddress()),
          from.getLocalPort(),
          0,
          nowMillis,
          this);
      return answer;
    }

    @Override
    public void send(byte[] bytes, int length, long high, long low, int port) {
      answer = Arrays.copyOf(bytes, length);
    }

    @Override
    public InetSocketAddress localAddress() {
      throw new UnsupportedOperationException("no socket");
    }
  }

  private static final class Rows implements BindingTable {
    private final Map<Long, Binding> rows = new HashMap<>();

    @Override
    public void lock(long tag) {}

    @Override
    public void unlock(long tag) {}

    @Override
    public boolean read(long tag, Binding into) {
      Binding row = rows.get(tag);
      if (row != null) {
        into.copyFrom(row);
      }
      return row != null;
    }

    @Override
    public void write(Binding binding) {
      Binding copy = new Binding();
      copy.copyFrom(binding);
      rows.put(binding.tag, copy);
    }

    @Override
    public long size() {
      return rows.size();
    }
  }
}
