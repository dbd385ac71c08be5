package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.device.Delivery;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.DeviceListener;
import dev.beckon.device.Enrollment;
import dev.beckon.device.Result;
import dev.beckon.device.tls.TlsDialler;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Hello;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every security mode of a server against every one of a device, real ones over loopback: equal
 * ones work, with push and with inquiry; unequal ones fail before anything is said.
 */
class SecurityMatrixTest {
  private static final long PATIENCE_SECONDS = 30;

  @TempDir private static Path folder;
  private static final Map<Security, LiveServer> SERVERS = new EnumMap<>(Security.class);

  @BeforeAll
  static void start() throws IOException {
    for (Security mode : Security.values()) {
      SERVERS.put(mode, LiveServer.start(folder.resolve("server-" + mode.text()), mode));
    }
  }

  @AfterAll
  static void stop() {
    SERVERS.values().forEach(LiveServer::close);
  }

  private static LiveServer server(Security mode) {
    return Objects.requireNonNull(SERVERS.get(mode));
  }

  static Stream<Arguments> unequal() {
    return Arrays.stream(Security.values())
        .flatMap(
            server ->
                Arrays.stream(Security.values())
                    .filter(device -> device != server)
                    .map(device -> Arguments.of(server, device)));
  }

  /** What happens on a device. */
  private static final class Events implements DeviceListener {
    final LinkedBlockingQueue<String> all = new LinkedBlockingQueue<>();

    @Override
    public void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress server) {
      all.add("answered");
    }

    @Override
    public void onWake(int number, long wakeId, Instant deadline, String verdict) {
      all.add("wake " + verdict);
    }

    @Override
    public void onDialFailed(int number, InetSocketAddress server, String reason) {
      all.add("dial-failed " + reason);
    }

    @Override
    public void onSessionOpened(int number, long wakeId) {
      all.add("opened");
    }

    String next(String beginning) throws InterruptedException {
      String event;
      do {
        event = all.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(event).as("an event that begins with " + beginning).isNotNull();
      } while (!String.valueOf(event).startsWith(beginning));
      return String.valueOf(event);
    }
  }

  private static DeviceIdentity enroll(Security server, String id) throws Exception {
    return Enrollment.enroll(EnrollmentCode.parse(server(server).code(id)), folder.resolve(id));
  }

  private static Device device(
      DeviceIdentity identity, Security mode, Delivery delivery, Events events) throws IOException {
    return Device.builder()
        .identity(identity)
        .security(mode)
        .delivery(delivery)
        .interval(Duration.ofSeconds(3))
        .lab()
        .listener(events)
        .action("say", command -> Result.of("text", String.valueOf(command.text("text"))))
        .build()
        .start();
  }

  private static String metrics(Security server) throws IOException, InterruptedException {
    return new String(
        server(server).exchange(server(server).request("/metrics")), StandardCharsets.UTF_8);
  }

  /** A figure of the server's metrics. */
  private static long figure(Security server, String name) {
    try {
      return metrics(server)
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
          .sum();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static long dropped(Security server, String outcome) {
    return figure(server, "beckon_datagrams_total{outcome=\"" + outcome + "\"}");
  }

  private static long refused(Security server, String reason) {
    return figure(server, "beckon_sessions_refused_total{reason=\"" + reason + "\"}");
  }

  private static void until(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("time left for: " + what).isNegative();
      LockSupport.parkNanos(50_000_000);
    }
  }

  @ParameterizedTest
  @EnumSource(Security.class)
  void equalSettingsWorkWithPushAndWithInquiry(Security mode) throws Exception {
    DeviceIdentity identity = enroll(mode, "equal-" + mode.text());
    String id = identity.deviceId().value();

    Events pushed = new Events();
    try (Device device = device(identity, mode, Delivery.PUSH, pushed)) {
      pushed.next("answered");
      assertSays(mode, device);
      pushed.next("opened");
    }
    // The server knows its actions now, so this start dials only when it is woken.
    Events asked = new Events();
    try (Device device = device(identity, mode, Delivery.INQUIRY, asked)) {
      asked.next("answered");
      asked.next("answered"); // the echo of the path token: it can be woken
      assertSays(mode, device);
      asked.next("wake accepted");
      asked.next("opened");
    }
    assertThat(id).startsWith("equal-");
  }

  private static void assertSays(Security mode, Device device) throws Exception {
    JsonNode command =
        server(mode).send(device.identity().deviceId().value(), "say", "{\"text\": \"hello\"}");
    assertThat(command.path("state").asText()).as(command.toString()).isEqualTo("SUCCEEDED");
    assertThat(command.path("result").path("text").asText()).isEqualTo("hello");
  }

  @ParameterizedTest
  @MethodSource("unequal")
  void unequalSettingsDoNotComeTogether(Security server, Security mode) throws Exception {
    DeviceIdentity identity = enroll(server, server.text() + "-for-" + mode.text());
    String id = identity.deviceId().value();
    String command =
        server(server)
            .post(
                "/v1/devices/" + id + "/commands",
                "{\"action\": \"say\", \"args\": {}, \"deadline\": \"60s\"}")
            .path("id")
            .asText();
    boolean datagramsPass = server.protectsDatagrams() && mode.protectsDatagrams();
    String drop = server.protectsDatagrams() ? "integrity-missing" : "integrity-unexpected";
    String refusal = server == Security.SERVER ? "no-hello" : "no-certificate";
    long refusedBefore = refused(server, refusal);

    Events events = new Events();
    for (Delivery delivery : Delivery.values()) {
      try (Device _ = device(identity, mode, delivery, events)) {
        if (datagramsPass) {
          events.next("answered");
          String reason = events.next("dial-failed");
          assertThat(reason).startsWith("dial-failed security: the server asks for");
        } else {
          until("counted", () -> dropped(server, "malformed-" + drop) > 0);
        }
      }
    }

    if (datagramsPass) {
      until("counted", () -> refused(server, refusal) > refusedBefore);
    } else {
      assertThat(events.all).doesNotContain("answered");
    }
    assertThat(events.all).doesNotContain("opened");
    assertThat(stateOf(server, command)).isEqualTo("QUEUED");
  }

  private static String stateOf(Security server, String command) throws Exception {
    String shown =
        new String(
            server(server).exchange(server(server).request("/v1/commands/" + command)),
            StandardCharsets.UTF_8);
    assertThat(shown).contains("\"state\"");
    return shown.replaceAll("(?s).*?\"state\"\\s*:\\s*\"([A-Z]+)\".*", "$1");
  }

  @Test
  void overTlsAServerWithoutSecuritySpeaksNoSessions() throws Exception {
    InetSocketAddress address = server(Security.NONE).tlsAddress();
    TlsDialler dialler = TlsDialler.serverOnly("beckon/1", chain -> {});

    assertThatThrownBy(
            () ->
                dialler.dial(
                    "127.0.0.1",
                    List.of(InetAddress.getLoopbackAddress()),
                    address.getPort(),
                    socket -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("security: the server does not speak beckon/1 over TLS");
    until("counted", () -> refused(Security.NONE, "other-security") == 1);
  }

  @ParameterizedTest
  @EnumSource(
      value = Security.class,
      names = {"MUTUAL", "SERVER"})
  void plainFramesAreNothingToAServerWithTls(Security server) throws Exception {
    InetSocketAddress address = server(server).tlsAddress();
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      socket.setSoTimeout(10_000);
      ByteArrayOutputStream hello = new ByteArrayOutputStream();
      Frame.newBuilder()
          .setHello(
              Hello.newBuilder()
                  .setDeviceId("kitchen")
                  .setBootId(7)
                  .setDelivery(dev.beckon.protocol.session.Delivery.DELIVERY_PUSH))
          .build()
          .writeDelimitedTo(hello);
      // In one write: the server closes at the first byte.
      socket.getOutputStream().write(hello.toByteArray());
      byte[] said = readUntilClosed(socket);
      assertThat(said.length == 0 || said[0] == 0x15).as("nothing but a TLS alert").isTrue();
    }
    until("counted", () -> refused(server, "not-tls") == 1);
  }

  /** A connection that is closed with bytes unread ends with a reset. */
  private static byte[] readUntilClosed(Socket socket) throws IOException {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(said);
    } catch (SocketException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
    return said.toByteArray();
  }
}
