package dev.beckon.server;

import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rendezvous server and application servers: real ones, over loopback. */
class ApplicationServerTest {

  private static final int NUMBER = 7;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private final Deque<Server> running = new ArrayDeque<>();
  private final Map<Server, Path> folders = new HashMap<>();
  private final HttpClient http = HttpClient.newHttpClient();

  private Server rendezvous;
  private InetSocketAddress rendezvousTls;
  private X509Certificate root;
  private FleetDevice kitchen;

  @BeforeEach
  void start() throws Exception {
    rendezvous = start(config("rendezvous", 0));
    rendezvousTls = rendezvous.tlsAddress();
    root = part().identity().ca().root();
    kitchen = device("kitchen");
  }

  @AfterEach
  void stop() {
    while (!running.isEmpty()) {
      running.pop().close();
    }
  }

  @Test
  void handsACommandPostedToItToTheDeviceThatDialsIt() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    String id = post(printing, "kitchen").path("id").asText();
    until("the wake is asked for", () -> metric(rendezvous, "beckon_wakes_outstanding") == 1);
    assertThat(kitchen.serveOne(printing.tlsAddress(), NUMBER)).isEqualTo(id);

    JsonNode command = get(printing, "/v1/commands/" + id);
    assertThat(command.path("state").asText()).isEqualTo("SUCCEEDED");
    assertThat(events(command))
        .containsExactly("queued", "session-opened", "delivered", "finished");
    until("the wake is over", () -> metric(rendezvous, "beckon_wakes_outstanding") == 0);
  }

  // ---- the world

  private ServerConfig.Builder config(String name, int tlsPort) {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return ServerConfig.at(folder.resolve(name))
        .udp(List.of(any))
        .tls(new InetSocketAddress(InetAddress.getLoopbackAddress(), tlsPort))
        .http(any)
        .advertise("127.0.0.1");
  }

  private Server start(ServerConfig.Builder builder) throws IOException {
    ServerConfig config = builder.build();
    Server server = Server.start(config);
    running.push(server);
    folders.put(server, config.data());
    return server;
  }

  private void stop(Server server) {
    running.remove(server);
    server.close();
  }

  private RendezvousPart part() {
    return rendezvous.rendezvous().orElseThrow();
  }

  private Server startApplicationServer(String name, int number) throws Exception {
    Server server = start(config(name, 0).enroll(codeFor(number, name)));
    awaitConnected(server);
    return server;
  }

  private static void awaitConnected(Server server) {
    until("connected", () -> server.enrolled().orElseThrow().link().isUp());
  }

  private String codeFor(int number, String name) {
    return part()
        .directory()
        .servers()
        .add(number, name, "127.0.0.1", Duration.ofHours(1))
        .join()
        .format();
  }

  private FleetDevice device(String id) throws Exception {
    EnrollmentCode code =
        part().identity().devices().add(new DeviceId(id), Duration.ofHours(1)).join();
    return FleetDevice.enroll(root, code);
  }

  // ---- the API

  private JsonNode post(Server server, String device) throws Exception {
    JsonNode answer =
        send(
            server,
            "POST",
            "/v1/devices/" + device + "/commands",
            "{\"action\": \"echo\", \"deadline\": \"10m\"}");
    assertThat(answer.path("state").asText()).as(answer.toString()).isEqualTo("QUEUED");
    return answer;
  }

  private JsonNode get(Server server, String path) throws Exception {
    return send(server, "GET", path, null);
  }

  private JsonNode send(Server server, String method, String path, @Nullable String json)
      throws Exception {
    return JSON.readTree(text(server, method, path, json));
  }

  private String text(Server server, String method, String path, @Nullable String json)
      throws Exception {
    String token =
        Files.readString(Objects.requireNonNull(folders.get(server)).resolve("admin.token"));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.httpAddress().getPort() + path))
            .header("Authorization", "Bearer " + token.strip())
            .timeout(Duration.ofSeconds(30));
    if (json != null) {
      request.header("Content-Type", "application/json");
    }
    return http.send(
            request
                .method(
                    method,
                    json == null
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(json))
                .build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private double metric(Server server, String name) {
    try {
      for (String line : text(server, "GET", "/metrics", null).split("\n", -1)) {
        if (line.startsWith(name + " ")) {
          return Double.parseDouble(line.substring(name.length() + 1));
        }
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no metric " + name);
  }

  private static List<String> events(JsonNode command) {
    List<String> events = new ArrayList<>();
    command.path("timeline").forEach(entry -> events.add(entry.path("event").asText()));
    return events;
  }
}
