package dev.beckon.lab.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.lab.fleet.SessionLoadConfig.Course;
import dev.beckon.protocol.session.Command;
import dev.beckon.server.Server;
import dev.beckon.server.ServerConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Simulated devices against a real server, over real sockets and TLS. */
@NullMarked
final class SessionLoadTest {

  private static final int DEVICES = 30;
  private static final long PATIENCE_SECONDS = 60;

  @TempDir static Path data;

  private static FleetCertificates fleet;
  private static Server server;
  private static String token;

  private final BlockingQueue<End> ends = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();

  private record End(int device, @Nullable String failure) {}

  @BeforeAll
  static void start() throws Exception {
    fleet = FleetFolder.provision(data, DEVICES, (what, done, total) -> {});
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server = Server.start(ServerConfig.at(data).udp(List.of(any)).tls(any).http(any).build());
    token = Files.readString(data.resolve("admin.token")).strip();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void everyDeviceTakesItsCommandsAndLeavesWithTheReceipts() throws Exception {
    for (int device = 0; device < 20; device++) {
      assertThat(post("devices/" + FleetIds.of(device) + "/commands", "{\"action\":\"echo\"}"))
          .isEqualTo(201);
    }

    try (SessionLoad load = load(Course.COMMANDS, false)) {
      for (int device = 0; device < 20; device++) {
        load.dial(device, 0, 0);
      }

      for (int n = 0; n < 20; n++) {
        assertThat(end().failure()).isNull();
      }
      assertThat(load.counts().commands()).isEqualTo(20);
      assertThat(load.counts().confirmed()).isEqualTo(20);
      assertThat(load.counts().takeSessionMicros().getTotalCount()).isEqualTo(20);
      assertThat(load.counts().resumed()).isZero();
    }
    assertThat(get("commands?state=SUCCEEDED&limit=100")).contains(commands);
  }

  @Test
  void aDeviceResumesItsTlsSessionButNotOnceItIsRevoked() throws Exception {
    try (SessionLoad load = load(Course.COMMANDS_AND_LINGER, true)) {
      load.dial(20, 0, 0);
      assertThat(end()).isEqualTo(new End(20, null));
      load.dial(20, 0, 0);
      assertThat(end()).isEqualTo(new End(20, null));
      assertThat(load.counts().resumed()).isEqualTo(1);
      assertThat(post("devices/" + FleetIds.of(20) + "/revocation", "")).isEqualTo(200);

      load.dial(20, 0, 0);

      assertThat(end()).isEqualTo(new End(20, "bye: REVOKED"));
    }
  }

  @Test
  void aDeviceAskedToDialInASessionDialsAgainBehindIt() throws Exception {
    try (SessionLoad load = load(Course.COMMANDS_AND_LINGER, false)) {
      load.dial(21, 1, 0);
      load.dial(21, 2, 0);

      assertThat(end()).isEqualTo(new End(21, null));
      assertThat(end()).isEqualTo(new End(21, null));
    }
  }

  @Test
  void aSessionForCommandsThatGetsNoneDidNotEndWell() throws Exception {
    try (SessionLoad load = load(Course.COMMANDS, false)) {
      load.dial(23, 0, 0);

      assertThat(end()).isEqualTo(new End(23, "ended without a command"));
    }
  }

  @Test
  void aDeviceDialsAfterARandomPartOfTheDelay() {
    assertThat(SessionLoad.partNanos(0, 0.9)).isZero();
    assertThat(SessionLoad.partNanos(10_000, 0)).isZero();
    assertThat(SessionLoad.partNanos(10_000, 0.25)).isEqualTo(2_500_000_000L);
  }

  @Test
  void aHandshakeEndsWhenTheServerHasEndedItToo() throws Exception {
    try (SessionLoad load = load(Course.HANDSHAKE, false)) {
      load.dial(22, 0, 0);

      assertThat(end()).isEqualTo(new End(22, null));
      assertThat(load.counts().handshakes()).isEqualTo(1);
    }
  }

  @Test
  void aServerOfAnotherFleetIsNotTalkedTo(@TempDir Path other) throws Exception {
    FleetCertificates strangers = FleetFolder.provision(other, 1, (what, done, total) -> {});
    try (SessionLoad load =
        new SessionLoad(
            SessionLoadConfig.saturating(server.tlsAddress(), Course.COMMANDS, 1),
            strangers,
            observer())) {
      load.dial(0, 0, 0);

      assertThat(end().failure()).startsWith("handshake: ");
    }
  }

  private SessionLoad load(Course course, boolean resumes) {
    return new SessionLoad(
        SessionLoadConfig.saturating(server.tlsAddress(), course, 8).withResumption(resumes),
        fleet,
        observer());
  }

  private SessionLoad.Observer observer() {
    return new SessionLoad.Observer() {
      @Override
      public void commandCame(int device, Command command, long nowNanos) {
        commands.add(command.getCommandId());
      }

      @Override
      public void ended(int device, @Nullable String failure) {
        ends.add(new End(device, failure));
      }
    };
  }

  private End end() throws InterruptedException {
    End end = ends.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(end).as("a session's end").isNotNull();
    return end;
  }

  private static int post(String path, String json) throws Exception {
    return send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.ofString(json))).statusCode();
  }

  private static String get(String path) throws Exception {
    return send(HttpRequest.newBuilder(uri(path))).body();
  }

  private static URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.httpAddress().getPort() + "/v1/" + path);
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          request
              .header("Authorization", "Bearer " + token)
              .header("Content-Type", "application/json")
              .build(),
          BodyHandlers.ofString());
    }
  }
}
