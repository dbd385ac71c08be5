package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.protocol.datagram.Datagram;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.datagram.Interval;
import dev.beckon.protocol.datagram.Keepalive;
import dev.beckon.protocol.datagram.KeepaliveAnswer;
import dev.beckon.protocol.datagram.Wake;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that is killed and started again wakes its devices as if nothing had happened. */
@NullMarked
@Timeout(180)
final class RestartTest {
  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final int PATIENCE_MILLIS = 30_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private @Nullable Process server;

  /** What the server's line says, after its first start: the same ports again. */
  private String udp = "127.0.0.1:0,127.0.0.2:0";

  private String tls = "127.0.0.1:0";
  private String api = "127.0.0.1:0";

  private long sequence = System.currentTimeMillis();
  private DatagramSocket device = socket();

  @BeforeEach
  void registerADeviceAtTheSecondAddress() throws Exception {
    startServer();
    post("/v1/devices", "{\"id\": \"kitchen\"}");
    long token = ask(device, keepalive(0)).pathToken();
    assertThat(ask(device, keepalive(token)).unproven()).isFalse();
  }

  @AfterEach
  void stop() {
    killServer();
    device.close();
    http.close();
  }

  @Test
  void wakesADeviceAtOnceWithoutAKeepaliveInBetween() throws Exception {
    killServer();
    startServer();
    long started = System.nanoTime();
    requestWake();

    Wake wake = receiveWake();
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(10));
    assertThat(wake.sequenceEcho()).isEqualTo(sequence);
    assertThat(wake.deviceId()).isEqualTo(KITCHEN);
    assertThat(presence().path("reachable").asBoolean()).isTrue();
    assertThat(metric("beckon_bindings ")).isEqualTo("1");
    assertThat(metric("beckon_bindings_torn_total ")).isEqualTo("0");
  }

  @Test
  void takesNoKeepaliveTwice() throws Exception {
    byte[] old = keepalive(0);
    long token = ask(device, old).pathToken();
    byte[] last = keepalive(token);
    assertThat(ask(device, last).stale()).isFalse();
    killServer();
    startServer();

    KeepaliveAnswer answer = ask(device, old);
    assertThat(answer.stale()).isTrue();
    assertThat(answer.lastSequence()).isEqualTo(sequence);
    try (DatagramSocket thief = socket()) {
      assertThat(ask(thief, old).stale()).isTrue();
      assertThat(ask(thief, last).unproven()).isTrue();
    }
    requestWake();
    assertThat(receiveWake().sequenceEcho()).isEqualTo(sequence);
  }

  @Test
  void wakesThroughTheRightAddressWhenTheirOrderHasChanged() throws Exception {
    killServer();
    udp = udp.split(",")[1] + "," + udp.split(",")[0];
    startServer();
    requestWake();

    receiveWake(); // the socket is connected: it takes nothing from another address
  }

  @Test
  void aDeviceAtAnAddressThatIsGoneIsNotReachable() throws Exception {
    killServer();
    String both = udp;
    udp = udp.split(",")[0];
    startServer();
    requestWake();
    assertThat(presence().path("reachable").asBoolean()).isFalse();
    assertThat(presence().path("serverAddress").asText()).isEqualTo(both.split(",")[1]);

    killServer();
    udp = both;
    startServer();
    requestWake();
    receiveWake();
  }

  private static DatagramSocket socket() {
    try {
      DatagramSocket socket =
          new DatagramSocket(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
      socket.setSoTimeout(PATIENCE_MILLIS);
      return socket;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void startServer() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.beckon.cli.Main"));
    command.addAll(List.of("serve", "--data", data().toString(), "--advertise", "127.0.0.1"));
    for (String address : udp.split(",")) {
      command.addAll(List.of("--udp", address));
    }
    command.addAll(List.of("--tls", tls, "--http", api));
    Process started =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    server = started;
    BufferedReader out = started.inputReader(StandardCharsets.UTF_8);
    String line = String.valueOf(out.readLine());
    assertThat(line).startsWith("ready ");
    udp = after("udp=", line);
    tls = after("tls=", line);
    api = after("http=", line);
  }

  private static String after(String name, String line) {
    int at = line.indexOf(name) + name.length();
    return line.substring(at, line.indexOf(' ', at));
  }

  /** SIGKILL: no hook runs, nothing is flushed. */
  private void killServer() {
    Process running = server;
    if (running != null) {
      running.destroyForcibly().onExit().join();
    }
  }

  private Path data() {
    return folder.resolve("server");
  }

  private byte[] keepalive(long pathToken) throws IOException {
    Properties keys = new Properties();
    try (BufferedReader reader = Files.newBufferedReader(data().resolve("master.keys"))) {
      keys.load(reader);
    }
    byte[] key = DeviceKey.derive(HexFormat.of().parseHex(keys.getProperty("key.1")), KITCHEN, 1);
    byte[] transactionId = new byte[12];
    transactionId[0] = (byte) ++sequence;
    return new Keepalive(
            transactionId, KITCHEN, 1, new Interval(100), 1, sequence, pathToken, false)
        .encode(key);
  }

  private InetSocketAddress secondAddress() {
    String[] parts = udp.split(",")[1].split(":");
    return new InetSocketAddress(parts[0], Integer.parseInt(parts[1]));
  }

  private KeepaliveAnswer ask(DatagramSocket from, byte[] keepalive) throws Exception {
    if (!from.isConnected()) {
      from.connect(secondAddress());
    }
    from.send(new DatagramPacket(keepalive, keepalive.length));
    while (true) {
      if (receive(from) instanceof KeepaliveAnswer answer) {
        return answer;
      }
    }
  }

  private Wake receiveWake() throws Exception {
    while (true) {
      if (receive(device) instanceof Wake wake) {
        return wake;
      }
    }
  }

  private static Datagram receive(DatagramSocket socket) throws Exception {
    while (true) {
      DatagramPacket packet = new DatagramPacket(new byte[1500], 1500);
      try {
        socket.receive(packet);
      } catch (java.net.PortUnreachableException e) {
        continue; // told late: the server was away
      }
      return Datagram.decode(packet.getData(), packet.getLength());
    }
  }

  private void requestWake() throws Exception {
    post("/v1/devices/kitchen/wakes", "{}");
  }

  private JsonNode presence() throws Exception {
    return JSON.readTree(exchange(request("/v1/devices/kitchen").GET())).path("presence");
  }

  private String metric(String name) throws Exception {
    return exchange(request("/metrics").GET())
        .lines()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .orElseThrow()
        .substring(name.length());
  }

  private void post(String path, String body) throws Exception {
    exchange(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  private HttpRequest.Builder request(String path) throws IOException {
    return HttpRequest.newBuilder(URI.create("http://" + api + path))
        .header(
            "Authorization", "Bearer " + Files.readString(data().resolve("admin.token")).strip());
  }

  private String exchange(HttpRequest.Builder request) throws Exception {
    var answer = http.send(request.build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isLessThan(300);
    return answer.body();
  }
}
