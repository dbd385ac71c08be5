package dev.beckon.server;

import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.ByeReason;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.UnknownServer;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.identity.EnrolledIdentity;
import dev.beckon.server.identity.FleetKeys;
import dev.beckon.server.peer.PeerEnd;
import dev.beckon.server.session.DeviceConnection;
import dev.beckon.server.session.FleetPki;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
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

  @Test
  void keepsCommandsWhileTheRendezvousServerIsAwayAndSendsThemOutWhenItIsBack() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    post(printing, "kitchen"); // by this the device is known here
    kitchen.serveOne(printing.tlsAddress(), NUMBER);

    stop(rendezvous);
    String id = awaitAway(printing);
    stop(printing);
    printing = start(config("printing", 0)); // survives its own restart too
    assertThat(get(printing, "/v1/commands/" + id).path("state").asText()).isEqualTo("QUEUED");
    rendezvous = start(config("rendezvous", rendezvousTls.getPort()));

    awaitConnected(printing);
    until("the wake is asked for", () -> metric(rendezvous, "beckon_wakes_outstanding") == 1);
    assertThat(kitchen.serveOne(printing.tlsAddress(), NUMBER)).isEqualTo(id);
    assertThat(events(get(printing, "/v1/commands/" + id)))
        .startsWith("queued", "rendezvous-away")
        .endsWith("delivered", "finished");
  }

  /** A command that was posted after the application server had noticed. */
  private String awaitAway(Server printing) throws Exception {
    until("away", () -> !printing.enrolled().orElseThrow().link().isUp());
    String id = post(printing, "kitchen").path("id").asText();
    until(
        "noted",
        () -> {
          try {
            return events(get(printing, "/v1/commands/" + id)).contains("rendezvous-away");
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    assertThat(text(printing, "POST", "/v1/devices/kitchen/wakes", "{}"))
        .contains("rendezvous-away");
    return id;
  }

  @Test
  void answersAtOnceThatADeviceIsUnknownOrRevoked() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    assertThat(text(printing, "POST", "/v1/devices/cellar/commands", "{\"action\": \"echo\"}"))
        .contains("\"device-unknown\"");
    send(rendezvous, "POST", "/v1/devices/kitchen/revocation", "{}");
    assertThat(text(printing, "POST", "/v1/devices/kitchen/commands", "{\"action\": \"echo\"}"))
        .contains("\"device-revoked\"");
  }

  @Test
  void rejectsWhatItAcceptedForADeviceThatProvesUnknown() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    stop(rendezvous);
    until("away", () -> !printing.enrolled().orElseThrow().link().isUp());
    String id = post(printing, "cellar").path("id").asText();

    rendezvous = start(config("rendezvous", rendezvousTls.getPort()));

    JsonNode ended = get(printing, "/v1/commands/" + id + "?wait=20s");
    assertThat(ended.path("state").asText()).isEqualTo("REJECTED");
    assertThat(ended.path("reason").asText())
        .isEqualTo("the rendezvous server knows no such device");
  }

  @Test
  void runsNothingTwiceOnADeviceThatWasEnrolledAgainWhileItWasAway() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    String taken = post(printing, "kitchen").path("id").asText();
    try (DeviceConnection session = kitchen.dial(printing.tlsAddress(), NUMBER)) {
      session.receive(KindCase.WELCOME);
      assertThat(session.receive(KindCase.COMMAND).getCommand().getCommandId()).isEqualTo(taken);
    } // it breaks before it reports
    stop(printing);
    FleetDevice successor = device("kitchen");

    printing = start(config("printing", 0));
    awaitConnected(printing);

    JsonNode ended = get(printing, "/v1/commands/" + taken + "?wait=20s");
    assertThat(ended.path("state").asText()).isEqualTo("UNKNOWN");
    String next = post(printing, "kitchen").path("id").asText();
    assertThat(successor.serveOne(printing.tlsAddress(), NUMBER)).isEqualTo(next);
    until("no wake is left", () -> metric(rendezvous, "beckon_wakes_outstanding") == 0);
  }

  @Test
  void wakesAgainForANewerDirectory() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    post(printing, "kitchen");
    until("the wake is asked for", () -> metric(rendezvous, "beckon_wakes_outstanding") == 1);
    try (DeviceConnection session = kitchen.dial(rendezvousTls, 0)) {
      session.receive(KindCase.WELCOME);
      session.send(
          Frame.newBuilder()
              .setUnknownServer(UnknownServer.newBuilder().setNumber(NUMBER))
              .build());
      until("it is given up", () -> metric(rendezvous, "beckon_wakes_outstanding") == 0);
    }

    codeFor(8, "scanning");
    part().directory().publisher().publish().join();

    until("it is asked for again", () -> metric(rendezvous, "beckon_wakes_outstanding") == 1);
  }

  @Test
  void wakesAnyDeviceOfTheFleetOnRequest() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    assertThat(text(printing, "POST", "/v1/devices/kitchen/wakes", "{}")).contains("\"deadline\"");
    until("it is woken", () -> metric(rendezvous, "beckon_wakes_outstanding") == 1);
    assertThat(text(printing, "POST", "/v1/devices/cellar/wakes", "{}"))
        .contains("\"device-unknown\"");
    send(rendezvous, "POST", "/v1/devices/kitchen/revocation", "{}");
    assertThat(text(printing, "POST", "/v1/devices/kitchen/wakes", "{}"))
        .contains("\"device-revoked\"");
  }

  @Test
  void endsAnOpenSessionWhenItsDeviceIsRevoked() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    try (DeviceConnection session = kitchen.dial(printing.tlsAddress(), NUMBER)) {
      session.receive(KindCase.WELCOME);
      Instant asked = Instant.now();

      send(rendezvous, "POST", "/v1/devices/kitchen/revocation", "{}");

      assertThat(session.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
      assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(5));
    }
    stop(printing);
    Server again = start(config("printing", 0));
    try (DeviceConnection session = kitchen.dial(again.tlsAddress(), NUMBER)) {
      assertThat(session.receive(KindCase.BYE).getBye().getReason()).isEqualTo(ByeReason.REVOKED);
    }
  }

  @Test
  void refusesASessionThatMeansAnotherServer() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    for (InetSocketAddress address : List.of(printing.tlsAddress(), rendezvousTls)) {
      try (DeviceConnection session = kitchen.dial(address, 8)) {
        assertThat(session.receive(KindCase.BYE).getBye().getReason())
            .isEqualTo(ByeReason.WRONG_SERVER);
      }
    }
  }

  @Test
  void hasOneConnectionOfEachNumberTheNewest() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    Path copy = folder.resolve("copy");
    Files.createDirectories(copy);
    Files.copy(folder.resolve("printing/enrolled.pem"), copy.resolve("enrolled.pem"));

    Server twin = start(config("copy", 0));

    awaitConnected(twin);
    until("replaced", () -> !printing.enrolled().orElseThrow().link().isUp());
    assertThat(part().peers().connected()).containsExactly(NUMBER);
  }

  @Test
  void cutsAServerThatIsRemoved() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    part().directory().servers().remove(NUMBER).join();

    until("cut", () -> !printing.enrolled().orElseThrow().link().isUp());
    assertThat(part().peers().connected()).isEmpty();
  }

  @Test
  void letsNoDevicePassForAServerNorAServerForADevice() throws Exception {
    startApplicationServer("printing", NUMBER);
    EnrolledIdentity printing = EnrolledIdentity.read(folder.resolve("printing")).orElseThrow();
    FleetDevice impostor =
        new FleetDevice(
            "kitchen",
            root,
            new FleetPki.Held(
                new KeyPair(printing.chain().getFirst().getPublicKey(), printing.key()),
                printing.chain().getFirst()));

    try (DeviceConnection asServer =
        DeviceConnection.open(
            rendezvousTls,
            DeviceConnection.context(root, kitchen.held()),
            "beckon-peer/1",
            "TLSv1.3")) {
      assertThat(asServer.receive()).isNull();
    }
    try (DeviceConnection asDevice = impostor.dial(rendezvousTls, 0)) {
      assertThat(asDevice.receive()).isNull();
    } catch (SocketException cut) {
      // before Hello was written
    }
    assertThat(metric(rendezvous, "beckon_sessions_refused_total{reason=\"unfit-certificate\"}"))
        .isEqualTo(2);
  }

  @Test
  void wakesADeviceForAServerFromOutside() throws Exception {
    startApplicationServer("printing", NUMBER);

    JsonNode answer = send(rendezvous, "POST", "/v1/devices/kitchen/wakes", "{\"server\": 7}");
    assertThat(answer.path("server").asInt()).isEqualTo(NUMBER);
    assertThat(metric(rendezvous, "beckon_wakes_outstanding")).isEqualTo(1);
    assertThat(text(rendezvous, "POST", "/v1/devices/kitchen/wakes", "{\"server\": 8}"))
        .contains("\"application-server-unknown\"");
  }

  @Test
  void leavesDevicesToTheRendezvousServer() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);

    assertThat(text(printing, "POST", "/v1/devices", "{\"id\": \"hall\"}"))
        .contains("\"role-missing\"");
    assertThat(text(printing, "GET", "/v1/keys", null)).contains("\"role-missing\"");
    assertThat(text(printing, "GET", "/v1/ca-roots", null)).contains("\"role-missing\"");
  }

  @Test
  void saysWhichRolesGoTogether() throws Exception {
    startApplicationServer("printing", NUMBER);

    assertThatThrownBy(() -> start(config("fresh", 0).roles(Set.of(Role.DELIVERY))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("beckon app-server add")
        .hasMessageContaining("--enroll CODE");
    stop(running.getFirst());
    assertThatThrownBy(() -> start(config("printing", 0).roles(Set.of(Role.RENDEZVOUS))))
        .hasMessage("role: rendezvous (expected delivery: this server is enrolled with number 7)");
    String code = codeFor(9, "other");
    assertThatThrownBy(() -> start(config("ninth", 0).roles(Set.of(Role.DIRECTORY)).enroll(code)))
        .hasMessage("role: directory (expected delivery: this server is enrolled with number 9)");
    assertThatThrownBy(
            () -> start(config("x", 0).roles(Set.of(Role.DELIVERY, Role.DIRECTORY)).enroll(code)))
        .hasMessageContaining("an enrolled server has one number");
  }

  @Test
  void takesNoCommandsWithoutTheRoleDelivery() throws Exception {
    stop(rendezvous);
    rendezvous =
        start(
            config("rendezvous", rendezvousTls.getPort())
                .roles(Set.of(Role.RENDEZVOUS, Role.DIRECTORY)));

    assertThat(text(rendezvous, "POST", "/v1/devices/kitchen/commands", "{\"action\": \"echo\"}"))
        .contains("\"role-missing\"");
  }

  @Test
  void livesInsideAnotherProgram() throws Exception {
    BlockingQueue<Command> told = new LinkedBlockingQueue<>();
    try (DeliveryEndpoint endpoint =
        DeliveryEndpoint.builder(folder.resolve("embedded"))
            .enroll(codeFor(NUMBER, "embedded"))
            .tls(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .onEnd(told::add)
            .start()) {
      until("connected", endpoint::isConnected);
      Command sent = endpoint.send("kitchen", "display", Map.of("text", "hello")).join();
      CompletableFuture<Command> end = endpoint.end(sent.id());
      kitchen.serveOne(endpoint.tlsAddress(), NUMBER);

      assertThat(end.get(10, TimeUnit.SECONDS).state()).isEqualTo(CommandState.SUCCEEDED);
      assertThat(told.poll(10, TimeUnit.SECONDS)).extracting(Command::id).isEqualTo(sent.id());
      assertThat(endpoint.end(sent.id()).join().state()).isEqualTo(CommandState.SUCCEEDED);
      assertThatThrownBy(() -> endpoint.send("cellar", "display", Map.of()).join())
          .hasCauseInstanceOf(CommandRefusedException.class)
          .hasMessageContaining("cellar");
    }
    assertThat(folder.resolve("embedded/admin.token")).doesNotExist();
  }

  @Test
  void renewsItsCertificateOverTheConnection() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    EnrolledPart enrolled = printing.enrolled().orElseThrow();
    X509Certificate before = enrolled.identity().chain().getFirst();

    enrolled.renew();

    until("renewed", () -> !enrolled.identity().chain().getFirst().equals(before));
    assertThat(EnrolledIdentity.read(folder.resolve("printing")).orElseThrow().chain())
        .isEqualTo(enrolled.identity().chain());
    String id = post(printing, "kitchen").path("id").asText();
    assertThat(kitchen.serveOne(printing.tlsAddress(), NUMBER)).isEqualTo(id);
  }

  @Test
  void followsARollOverOfTheCaAtOnce() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    EnrolledPart enrolled = printing.enrolled().orElseThrow();
    FleetKeys keys = part().identity().fleetKeys();
    part().identity().devices().revoke(new DeviceId("kitchen")).join(); // only servers are left

    keys.roll();
    until("renewed", () -> keys.roots().getLast().servers() == 1);
    root = part().identity().ca().root();
    assertThat(enrolled.identity().roots()).hasSize(2).contains(root);
    assertThat(EnrolledIdentity.read(folder.resolve("printing")).orElseThrow().roots()).hasSize(2);
    FleetDevice cellar = device("cellar");
    String id = post(printing, "cellar").path("id").asText();
    assertThat(cellar.serveOne(printing.tlsAddress(), NUMBER)).isEqualTo(id);
    stop(printing);
    Server again = start(config("printing", 0));
    awaitConnected(again);

    assertThat(keys.finish(false)).isEqualTo(new FleetKeys.Dependents(0, 0));
    EnrolledPart finished = again.enrolled().orElseThrow();
    until("the older root is gone", () -> finished.identity().roots().equals(List.of(root)));
    stop(again);
    awaitConnected(start(config("printing", 0)));
  }

  /**
   * Its connection stands on the certificate of before the roll: it is made anew with the newer.
   */
  @Test
  void losesAConnectionThatStandsOnADroppedRootAndComesBack() throws Exception {
    startApplicationServer("printing", NUMBER);
    FleetKeys keys = part().identity().fleetKeys();
    part().identity().devices().revoke(new DeviceId("kitchen")).join();
    keys.roll();
    until("renewed", () -> keys.roots().getLast().servers() == 1);
    long opened = part().peers().counters().opened();

    keys.finish(false);

    until("ended", () -> part().peers().counters().ended(PeerEnd.ROOT_DROPPED) == 1);
    until("back", () -> part().peers().counters().opened() == opened + 1);
    until("admitted", () -> part().peers().connected().contains(NUMBER));
  }

  @Test
  void endsSessionsThatStandOnADroppedRoot() throws Exception {
    try (DeviceConnection session = kitchen.dial(rendezvousTls, 0)) {
      session.receive(KindCase.WELCOME);
      part().identity().fleetKeys().roll();
      part().identity().fleetKeys().finish(true);

      assertThat(session.receive(KindCase.BYE).getBye().getText()).contains("root");
    }
  }

  @Test
  void isCountedUntilItHasFollowed() throws Exception {
    Server printing = startApplicationServer("printing", NUMBER);
    FleetKeys keys = part().identity().fleetKeys();
    part().identity().devices().revoke(new DeviceId("kitchen")).join();
    stop(printing);

    keys.roll();

    assertThat(keys.roots()).extracting(FleetKeys.Root::servers).containsExactly(1, 0);
    assertThatThrownBy(() -> keys.finish(false)).hasMessageContaining("0 devices and 1 servers");
    awaitConnected(start(config("printing", 0)));
    until("moved", () -> keys.roots().getLast().servers() == 1);
    keys.finish(false);
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
