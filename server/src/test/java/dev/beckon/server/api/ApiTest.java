package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Parameter;
import dev.beckon.protocol.session.ParameterType;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.command.Commands;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.identity.Redemption;
import dev.beckon.server.store.Database;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The API with real HTTP and a real store; every answer is compared with openapi.yaml. */
class ApiTest {

  private static final OpenApiContract CONTRACT = new OpenApiContract();
  private static final DeviceId KITCHEN = new DeviceId("kitchen");

  @TempDir private Path folder;

  private final InstantSource clock = InstantSource.system();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final LinkedBlockingQueue<DeviceId> woken = new LinkedBlockingQueue<>();
  private Optional<Reachability.Presence> presence = Optional.empty();
  private volatile boolean ready = true;
  private volatile boolean metricsFail;

  private Database database;
  private Identity identity;
  private Commands commands;
  private RendezvousDirectory directory;
  private ApiServer server;
  private String token;

  @BeforeEach
  void start() throws Exception {
    database = Database.open(folder);
    identity = Identity.open(database, clock, () -> new Advertised("127.0.0.1", 3478, 5349));
    commands = Commands.open(database, identity.devices()::find, clock);
    directory =
        new RendezvousDirectory(
            database,
            clock,
            identity.ca(),
            true,
            () -> identity.ca().issueServer(Set.of(0, 65_535)),
            () -> new Advertised("127.0.0.1", 3478, 5349));
    server = ApiServer.start(new ApiConfig(loopback(0), false), parts());
    token = Files.readString(folder.resolve(Tokens.ADMIN_FILE)).strip();
  }

  private ApiServer.Parts parts() {
    return new ApiServer.Parts(
        commands,
        commands::submit,
        Optional.of(commands.groups()),
        identity.devices(),
        Optional.of(identity.devices()),
        id -> presence,
        (id, server, deadline) -> {
          woken.add(id);
          return WakeRequests.Outcome.WAKING;
        },
        Optional.of(directory),
        Optional.of(identity.fleetKeys()),
        text -> {
          if (metricsFail) {
            throw new IllegalStateException("no figures");
          }
          text.counter("beckon_x_total", "X.", 3, "reason", "a\"b");
          text.counter("beckon_x_total", "X.", 4, "reason", "c");
        },
        () -> ready,
        Tokens.openOrCreate(folder, new SecureRandom()),
        clock);
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  @AfterEach
  void stop() {
    server.close();
    directory.close();
    commands.close();
    database.close();
  }

  // ---- tokens

  @Test
  void makesATokenThatOnlyItsOwnerReads() throws Exception {
    Path file = folder.resolve(Tokens.ADMIN_FILE);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(token).hasSize(43);
  }

  @Test
  void keepsItsToken() throws Exception {
    Tokens.openOrCreate(folder, new SecureRandom());

    assertThat(Files.readString(folder.resolve(Tokens.ADMIN_FILE)).strip()).isEqualTo(token);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/v1/devices", "/v1/commands", "/v1/events", "/metrics", "/v1/nothing"})
  void asksForATokenFirst(String path) throws Exception {
    HttpResponse<byte[]> answer = send(plain(path).GET());

    assertProblem(answer, 401, "token-missing");
    assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Bearer wrong", "Bearer ", "Basic YTpi", "wrong"})
  void refusesOtherTokens(String header) throws Exception {
    assertProblem(
        send(plain("/v1/devices").header("Authorization", header).GET()), 401, "token-invalid");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/healthz", "/readyz", "/openapi.yaml"})
  void needsNoTokenFor(String path) throws Exception {
    assertThat(send(plain(path).GET()).statusCode()).isEqualTo(200);
  }

  // ---- keys

  @Test
  void rotatesAndRetiresMasterKeys() throws Exception {
    identity.devices().add(new DeviceId("kitchen"), Duration.ofHours(1)).join();

    assertThat(json(get("/v1/keys")).path("keys")).hasSize(1);
    HttpResponse<byte[]> rotated = post("/v1/keys", "");
    assertThat(rotated.statusCode()).isEqualTo(201);
    assertThat(json(rotated).path("id").asInt()).isEqualTo(2);
    assertProblem(post("/v1/keys", ""), 409, "change-unfinished");
    assertProblem(delete("/v1/keys/2"), 409, "key-newest");
    assertProblem(delete("/v1/keys/3"), 404, "key-unknown");
    assertProblem(delete("/v1/keys/x"), 400, "parameter-invalid");
    assertProblem(delete("/v1/keys/1?force=maybe"), 400, "parameter-invalid");
    assertThat(json(delete("/v1/keys/1")).path("devices").asInt()).isZero();
    assertThat(json(get("/v1/keys")).path("keys")).hasSize(1);
  }

  @Test
  void rollsTheCaOver() throws Exception {
    assertProblem(delete("/v1/ca-roots/older"), 409, "root-single");
    HttpResponse<byte[]> rolled = post("/v1/ca-roots", "");
    assertThat(rolled.statusCode()).isEqualTo(201);
    assertThat(json(rolled).path("roots")).hasSize(2);
    assertThat(json(get("/v1/ca-roots")).path("roots").path(1).path("newest").asBoolean()).isTrue();
    assertProblem(post("/v1/ca-roots", ""), 409, "change-unfinished");
    assertThat(json(delete("/v1/ca-roots/older")).path("devices").asInt()).isZero();
    assertThat(json(get("/v1/ca-roots")).path("roots")).hasSize(1);
  }

  // ---- devices

  @Test
  void addsADeviceAndHandsOutItsCode() throws Exception {
    HttpResponse<byte[]> answer = post("/v1/devices", "{\"id\":\"kitchen\",\"valid\":\"10m\"}");

    assertThat(answer.statusCode()).isEqualTo(201);
    assertThat(answer.headers().firstValue("Location")).hasValue("/v1/devices/kitchen");
    EnrollmentCode code = EnrollmentCode.parse(json(answer).get("enrollmentCode").asText());
    assertThat(code.expiry())
        .isBetween(
            clock.instant().plus(Duration.ofMinutes(9)),
            clock.instant().plus(Duration.ofSeconds(601)));
    assertThat(json(get("/v1/devices/kitchen")).get("state").asText()).isEqualTo("INVITED");
  }

  @Test
  void showsWhereADeviceIsAndWhatItCanDo() throws Exception {
    enrollKitchen();
    presence =
        Optional.of(
            new Reachability.Presence(
                true,
                Instant.parse("2026-01-02T03:04:05.678Z"),
                new InetSocketAddress("203.0.113.1", 40_001),
                new InetSocketAddress("2001:db8::1", 3_478),
                Duration.ofSeconds(25)));

    JsonNode device = json(get("/v1/devices/kitchen"));

    assertThat(device.get("state").asText()).isEqualTo("ENROLLED");
    assertThat(device.get("presence").toString())
        .isEqualTo(
            "{\"reachable\":true,\"lastSeen\":\"2026-01-02T03:04:05.678Z\","
                + "\"mappedAddress\":\"203.0.113.1:40001\","
                + "\"serverAddress\":\"[2001:db8::1]:3478\",\"intervalSeconds\":25}");
    assertThat(device.get("actions").get(1).get("parameters").get(0).toString())
        .isEqualTo(
            "{\"name\":\"level\",\"type\":\"INTEGER\",\"required\":true,\"min\":0,\"max\":100,"
                + "\"description\":\"\"}");
  }

  @Test
  void listsDevicesPageByPage() throws Exception {
    for (String id : List.of("c", "a", "b")) {
      identity.devices().add(new DeviceId(id), Duration.ofHours(1)).get(10, TimeUnit.SECONDS);
    }

    JsonNode first = json(get("/v1/devices?limit=2"));
    JsonNode second = json(get("/v1/devices?limit=2&after=" + first.get("next").asText()));

    assertThat(first.get("devices").findValuesAsText("id")).containsExactly("a", "b");
    assertThat(second.get("devices").findValuesAsText("id")).containsExactly("c");
    assertThat(second.has("next")).isFalse();
  }

  @Test
  void revokesADevice() throws Exception {
    enrollKitchen();

    HttpResponse<byte[]> answer = post("/v1/devices/kitchen/revocation", "");

    assertThat(json(answer).get("state").asText()).isEqualTo("REVOKED");
    assertThat(identity.denyList().denies("kitchen", 1)).isTrue();
    assertProblem(post("/v1/devices/kitchen/wakes", "{}"), 409, "device-revoked");
    assertProblem(postCommand("{\"action\":\"echo\"}"), 409, "device-revoked");
  }

  @Test
  void wakesADevice() throws Exception {
    enrollKitchen();

    HttpResponse<byte[]> answer = post("/v1/devices/kitchen/wakes", "{\"deadline\":\"5s\"}");

    assertThat(answer.statusCode()).isEqualTo(202);
    assertThat(woken.poll()).isEqualTo(KITCHEN);
    assertProblem(
        post("/v1/devices/kitchen/wakes", "{\"deadline\":\"2d\"}"), 422, "deadline-too-far");
    assertProblem(
        post("/v1/devices/kitchen/wakes", "{\"deadline\":\"2020-01-01T00:00:00Z\"}"),
        422,
        "deadline-passed");
    assertThat(woken).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "GET,    /v1/devices/nobody",
    "POST,   /v1/devices/nobody/revocation",
    "POST,   /v1/devices/nobody/wakes",
    "POST,   /v1/devices/nobody/commands",
  })
  void saysThatADeviceIsUnknown(String method, String path) throws Exception {
    HttpResponse<byte[]> answer =
        method.equals("GET")
            ? get(path)
            : post(
                path, path.endsWith("s") && path.contains("comm") ? "{\"action\":\"echo\"}" : "{}");

    assertProblem(answer, 404, "device-unknown");
    assertThat(json(answer).get("detail").asText())
        .isEqualTo("device: nobody (expected a device that was added)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kit%20chen",
        "kit%C3%A4",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      })
  void refusesAMalformedDeviceId(String id) throws Exception {
    HttpResponse<byte[]> answer = get("/v1/devices/" + id);

    assertProblem(answer, 400, "device-id-invalid");
    assertThat(json(answer).get("detail").asText())
        .endsWith("(expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
  }

  // ---- commands

  @Test
  void acceptsACommand() throws Exception {
    enrollKitchen();

    HttpResponse<byte[]> answer =
        postCommand("{\"action\":\"echo\",\"args\":{\"text\":\"hä\"},\"deadline\":\"5m\"}");

    assertThat(answer.statusCode()).isEqualTo(201);
    JsonNode command = json(answer);
    assertThat(command.get("state").asText()).isEqualTo("QUEUED");
    assertThat(command.get("args").get("text").asText()).isEqualTo("hä");
    assertThat(Instant.parse(command.get("deadline").asText()))
        .as("five minutes after the request, which came just before the acceptance")
        .isCloseTo(
            Instant.parse(command.get("acceptedAt").asText()).plus(Duration.ofMinutes(5)),
            within(10, ChronoUnit.SECONDS));
    String path = answer.headers().firstValue("Location").orElseThrow();
    assertThat(json(get(path)).get("id")).isEqualTo(command.get("id"));
  }

  @Test
  void takesABodyAsMultipart() throws Exception {
    enrollKitchen();
    byte[] body = new byte[1_000_000];
    new java.util.Random(1).nextBytes(body);

    HttpResponse<byte[]> answer =
        multipart(
            part("command", "", "{\"action\":\"print\"}".getBytes()), part("body", "a.pdf", body));

    assertThat(answer.statusCode()).isEqualTo(201);
    assertThat(json(answer).get("bodyBytes").asLong()).isEqualTo(1_000_000);
    try (var in = commands.body(json(answer).get("id").asText()).orElseThrow()) {
      assertThat(in.readAllBytes()).isEqualTo(body);
    }
  }

  @Test
  void takesTheCommandAsAFilePart() throws Exception {
    enrollKitchen();

    assertThat(
            multipart(
                    part("command", "c.json", "{\"action\":\"print\"}".getBytes()),
                    part("body", "b", new byte[] {1}))
                .statusCode())
        .isEqualTo(201);
  }

  @Test
  void refusesABodyAboveTheLimit() throws Exception {
    enrollKitchen();

    assertProblem(
        multipart(
            part("command", "", "{\"action\":\"print\"}".getBytes()),
            part("body", "b", new byte[(16 << 20) + 1])),
        413,
        "body-too-large");
  }

  @Test
  void refusesOtherParts() throws Exception {
    enrollKitchen();

    assertProblem(
        multipart(
            part("command", "", "{\"action\":\"print\"}".getBytes()),
            part("picture", "b", new byte[1])),
        400,
        "request-malformed");
    assertProblem(multipart(part("body", "b", new byte[1])), 400, "request-malformed");
  }

  @Test
  void refusesTornMultipart() throws Exception {
    enrollKitchen();

    assertProblem(
        send(
            authorized("/v1/devices/kitchen/commands")
                .header("Content-Type", "multipart/form-data; boundary=x")
                .POST(BodyPublishers.ofString("--x\r\nContent-Disposition: form-da"))),
        400,
        "request-malformed");
  }

  @Test
  void returnsTheFirstCommandForTheSameIdempotencyKey() throws Exception {
    enrollKitchen();
    HttpResponse<byte[]> first = postOnce("k1", "{\"action\":\"echo\",\"args\":{\"text\":\"a\"}}");
    HttpResponse<byte[]> again = postOnce("k1", "{\"action\":\"echo\",\"args\":{\"text\":\"a\"}}");
    HttpResponse<byte[]> other = postOnce("k1", "{\"action\":\"echo\",\"args\":{\"text\":\"b\"}}");

    assertThat(first.statusCode()).isEqualTo(201);
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(json(again).get("id")).isEqualTo(json(first).get("id"));
    assertProblem(other, 409, "idempotency-key-reused");
    assertThat(json(get("/v1/commands")).get("commands")).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"action\":\"fly\"}                                            | 422 | action-unknown",
        "{\"action\":\"set\",\"args\":{\"level\":\"101\"}}               | 422 | argument-invalid",
        "{\"action\":\"set\",\"args\":{\"level\":\"x\"}}                 | 422 | argument-invalid",
        "{\"action\":\"set\"}                                            | 422 | argument-missing",
        "{\"action\":\"set\",\"args\":{\"level\":\"1\",\"colour\":\"x\"}}| 422 | argument-unknown",
        "{\"action\":\"echo\",\"deadline\":\"2020-01-01T00:00:00Z\"}     | 422 | deadline-passed",
        "{\"action\":\"echo\",\"deadline\":\"36500d\"}                   | 422 | deadline-too-far",
        "{\"action\":\"echo\",\"deadline\":\"soon\"}                     | 400 | parameter-invalid",
        "{\"action\":\"echo\",\"deadline\":5}                            | 400 | request-malformed",
        "{\"action\":\"echo\",\"args\":{\"text\":5}}                     | 400 | request-malformed",
        "{\"action\":\"echo\",\"args\":[]}                               | 400 | request-malformed",
        "{\"action\":\"echo\",\"arguments\":{}}                          | 400 | request-malformed",
        "{\"action\":\"echo\",\"action\":\"set\"}                        | 400 | request-malformed",
        "{\"action\":\"echo\"} x                                         | 400 | request-malformed",
        "{\"args\":{}}                                                   | 400 | request-malformed",
        "[]                                                              | 400 | request-malformed",
        "{                                                               | 400 | request-malformed",
      })
  void refusesACommandThatCannotBeRight(String request, int status, String code) throws Exception {
    enrollKitchen();

    assertProblem(postCommand(request), status, code);
    assertThat(json(get("/v1/commands")).get("commands")).isEmpty();
  }

  @Test
  void refusesOtherContentTypes() throws Exception {
    enrollKitchen();

    assertProblem(
        send(
            authorized("/v1/devices/kitchen/commands")
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString("{}"))),
        415,
        "content-type-unknown");
  }

  @Test
  void refusesJsonAboveTheLimit() throws Exception {
    enrollKitchen();

    assertProblem(
        postCommand("{\"action\":\"echo\",\"args\":{\"text\":\"" + "x".repeat(300_000) + "\"}}"),
        413,
        "request-too-large");
    assertProblem(
        postCommand("{\"action\":\"echo\",\"args\":{\"text\":\"" + "x".repeat(200_000) + "\"}}"),
        422,
        "arguments-too-large");
  }

  @Test
  void listsCommandsTheNewestFirst() throws Exception {
    enrollKitchen();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ids.add(json(postCommand("{\"action\":\"echo\"}")).get("id").asText());
    }

    JsonNode first = json(get("/v1/commands?device=kitchen&state=QUEUED&limit=2"));
    JsonNode second = json(get("/v1/commands?limit=2&after=" + first.get("next").asText()));

    assertThat(ids(first)).containsExactly(ids.get(2), ids.get(1));
    assertThat(ids(second)).containsExactly(ids.get(0));
    assertThat(second.has("next")).isFalse();
    assertThat(json(get("/v1/commands?state=FAILED")).get("commands")).isEmpty();
    assertThat(json(get("/v1/commands?device=other")).get("commands")).isEmpty();
  }

  private static List<String> ids(JsonNode page) {
    List<String> ids = new ArrayList<>();
    page.get("commands").forEach(command -> ids.add(command.get("id").asText()));
    return ids;
  }

  @Test
  void cancelsACommandThatWaits() throws Exception {
    enrollKitchen();
    String path = "/v1/commands/" + json(postCommand("{\"action\":\"echo\"}")).get("id").asText();

    HttpResponse<byte[]> answer = delete(path);

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(json(answer).get("state").asText()).isEqualTo("CANCELLED");
    assertProblem(delete(path), 409, "command-ended");
  }

  @Test
  void asksTheDeviceOfACommandThatWasHandedOver() throws Exception {
    enrollKitchen();
    String path = "/v1/commands/" + json(postCommand("{\"action\":\"echo\"}")).get("id").asText();
    commands.handOver(KITCHEN, Set.of(), 1).get(10, TimeUnit.SECONDS);

    assertThat(delete(path).statusCode()).isEqualTo(202);
  }

  @Test
  void givesTheResultAndItsBodyOut() throws Exception {
    enrollKitchen();
    String id = json(postCommand("{\"action\":\"echo\"}")).get("id").asText();
    assertProblem(get("/v1/commands/" + id + "/body"), 404, "body-unknown");
    end(id, "<script>".getBytes());

    JsonNode command = json(get("/v1/commands/" + id));
    HttpResponse<byte[]> body = get("/v1/commands/" + id + "/body");

    assertThat(command.get("state").asText()).isEqualTo("SUCCEEDED");
    assertThat(command.get("result").get("text").asText()).isEqualTo("done");
    assertThat(command.get("resultBodyBytes").asInt()).isEqualTo(8);
    assertThat(body.body()).isEqualTo("<script>".getBytes());
    assertThat(body.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    assertThat(body.headers().firstValue("Content-Disposition").orElse(""))
        .startsWith("attachment");
  }

  @ParameterizedTest
  @ValueSource(strings = {"01JZ0000000000000000000000", "x", "..%2fx"})
  void saysThatACommandIsUnknown(String id) throws Exception {
    HttpResponse<byte[]> answer = get("/v1/commands/" + id);

    assertThat(answer.statusCode()).isIn(400, 404);
    assertThat(json(answer).get("code").asText()).isIn("command-unknown", "request-malformed");
  }

  @Test
  void saysThatACommandToCancelIsUnknown() throws Exception {
    assertProblem(delete("/v1/commands/01JZ0000000000000000000000"), 404, "command-unknown");
    assertProblem(get("/v1/commands/01JZ0000000000000000000000/body"), 404, "command-unknown");
  }

  // ---- waiting

  @Test
  void holdsTheAnswerBackUntilTheCommandEnds() throws Exception {
    enrollKitchen();

    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(
            authorized("/v1/devices/kitchen/commands?wait=20s")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"action\":\"echo\"}"))
                .build(),
            BodyHandlers.ofByteArray());
    end(firstCommand(), new byte[0]);

    HttpResponse<byte[]> ended = answer.get(10, TimeUnit.SECONDS);
    CONTRACT.check(ended);
    assertThat(ended.statusCode()).isEqualTo(201);
    assertThat(json(ended).get("state").asText()).isEqualTo("SUCCEEDED");
  }

  private String firstCommand() throws Exception {
    while (true) {
      JsonNode all = json(get("/v1/commands")).get("commands");
      if (!all.isEmpty()) {
        return all.get(0).get("id").asText();
      }
    }
  }

  @Test
  void answersWithTheStateAsItIsWhenThePatienceIsOver() throws Exception {
    enrollKitchen();
    String id = json(postCommand("{\"action\":\"echo\"}")).get("id").asText();

    assertThat(json(get("/v1/commands/" + id + "?wait=20ms")).get("state").asText())
        .isEqualTo("QUEUED");
    end(id, new byte[0]);
    assertThat(json(get("/v1/commands/" + id + "?wait=60s")).get("state").asText())
        .isEqualTo("SUCCEEDED");
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/commands?limit=0,             limit: 0 (expected 1 to 500)",
    "/v1/commands?limit=501,           limit: 501 (expected 1 to 500)",
    "/v1/commands?limit=x,             limit: x (expected 1 to 500)",
    "/v1/commands?limit=1&limit=2,     limit: given 2 times (expected once)",
    "/v1/devices?page=2,               'query parameter: page (expected one of label, after,"
        + " limit)'",
    "/v1/commands/x?wait=61s,          wait: 61s (expected at most 60s)",
    "/v1/commands/x?wait=5,            'wait: 5 (expected a number with a unit, such as 500ms, 30s,"
        + " 5m, 1h)'",
  })
  void namesTheParameterThatIsWrong(String path, String detail) throws Exception {
    HttpResponse<byte[]> answer = get(path);

    assertProblem(answer, 400, "parameter-invalid");
    assertThat(json(answer).get("detail").asText()).isEqualTo(detail);
  }

  @Test
  void namesTheStates() throws Exception {
    assertProblem(get("/v1/commands?state=queued"), 400, "parameter-invalid");
  }

  // ---- events

  @Test
  void tellsHowCommandsChange() throws Exception {
    enrollKitchen();
    HttpResponse<java.io.InputStream> stream =
        client.send(
            authorized("/v1/events?device=kitchen").GET().build(), BodyHandlers.ofInputStream());
    assertThat(stream.headers().firstValue("Content-Type")).hasValue("text/event-stream");
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
      assertThat(lines.readLine()).isEqualTo(": listening");

      String id = json(postCommand("{\"action\":\"echo\"}")).get("id").asText();
      end(id, new byte[0]);

      JsonNode first = nextEvent(lines);
      assertThat(first.get("id").asText()).isEqualTo(id);
      assertThat(first.get("state").asText()).isEqualTo("QUEUED");
      JsonNode event = first;
      while (!event.get("state").asText().equals("SUCCEEDED")) {
        event = nextEvent(lines);
      }
      server.close();
      assertEnds(lines);
    }
  }

  /** Orderly or cut off, as the server had time for; what counts is that no reader hangs. */
  private static void assertEnds(BufferedReader lines) {
    try {
      String line = lines.readLine();
      while (line != null) {
        line = lines.readLine();
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("closed");
    }
  }

  private static JsonNode nextEvent(BufferedReader lines) throws IOException {
    String line = String.valueOf(lines.readLine());
    while (!line.startsWith("data: ")) {
      line = String.valueOf(lines.readLine());
      if (line.equals("null")) {
        throw new AssertionError("the stream ended");
      }
    }
    String data = line.substring("data: ".length());
    CONTRACT.validate("#/components/schemas/Command", data);
    return Json.MAPPER.readTree(data);
  }

  // ---- the server itself

  @Test
  void tellsWhetherItIsReady() throws Exception {
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
    ready = false;

    assertProblem(get("/readyz"), 503, "not-ready");
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
  }

  @Test
  void givesFiguresOut() throws Exception {
    get("/healthz");

    HttpResponse<byte[]> answer = get("/metrics");

    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("text/plain; version=0.0.4");
    assertThat(new String(answer.body(), StandardCharsets.UTF_8))
        .contains(
            "# TYPE beckon_http_answers_total counter\n",
            "beckon_http_answers_total{status=\"2xx\"} 1\n",
            "# HELP beckon_x_total X.\n"
                + "# TYPE beckon_x_total counter\n"
                + "beckon_x_total{reason=\"a\\\"b\"} 3\n"
                + "beckon_x_total{reason=\"c\"} 4\n");
  }

  @Test
  void servesItsContract() throws Exception {
    assertThat(new String(get("/openapi.yaml").body(), StandardCharsets.UTF_8))
        .isEqualTo(OpenApiContract.yaml());
  }

  @Test
  void answersEveryCallOfItsContract() throws Exception {
    for (String operation : CONTRACT.operations()) {
      String[] call = operation.replaceAll("\\{[a-z]+}", "7").split(" ", 2);
      if (call[1].equals("/v1/events")) {
        continue; // Its answer has no end; tellsHowCommandsChange asks for it.
      }
      HttpResponse<byte[]> answer =
          send(authorized(call[1]).method(call[0], BodyPublishers.noBody()));

      assertThat(new String(answer.body(), StandardCharsets.UTF_8))
          .as(operation)
          .doesNotContain("\"path-unknown\"", "\"method-not-allowed\"");
    }
  }

  @Test
  void answersMistakesOfItsOwnAsProblems() throws Exception {
    metricsFail = true;

    HttpResponse<byte[]> answer = get("/metrics");

    assertProblem(answer, 500, "internal");
    assertThat(new String(answer.body(), StandardCharsets.UTF_8)).doesNotContain("no figures");
  }

  @Test
  void refusesUnknownPathsAndMethods() throws Exception {
    assertProblem(get("/v1/nothing"), 404, "path-unknown");
    assertProblem(get("/nothing"), 404, "path-unknown");
    assertProblem(delete("/v1/devices"), 405, "method-not-allowed");
  }

  @Test
  void answersUnreadableRequestsAsProblems() throws Exception {
    try (Socket socket = new Socket(server.address().getAddress(), server.address().getPort())) {
      socket.setSoTimeout(10_000);
      socket
          .getOutputStream()
          .write(("GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes());
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(answer).contains("application/problem+json").contains("\"code\":\"request-");
    }
  }

  @Test
  void saysWhichPortIsTaken() {
    assertThatThrownBy(() -> ApiServer.start(new ApiConfig(server.address(), false), parts()))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "http: 127.0.0.1:"
                + server.address().getPort()
                + " (address already in use; expected a free port of this host: stop what uses it"
                + " or give --http ADDR:PORT)");
  }

  @Test
  void listensOffLoopbackOnlyWhenToldTo() throws Exception {
    InetSocketAddress everywhere = new InetSocketAddress("0.0.0.0", 0);

    assertThatThrownBy(() -> ApiServer.start(new ApiConfig(everywhere, false), parts()))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("http: 0.0.0.0:0 (expected a loopback address such as 127.0.0.1")
        .hasMessageContaining("--insecure");
    ApiServer.start(new ApiConfig(everywhere, true), parts()).close();
  }

  @Test
  void endsWaitsWhenItStops() throws Exception {
    enrollKitchen();
    String id = json(postCommand("{\"action\":\"echo\"}")).get("id").asText();
    CompletableFuture<?> answer =
        client.sendAsync(
            authorized("/v1/commands/" + id + "?wait=60s").GET().build(),
            BodyHandlers.ofByteArray());

    server.close();

    assertThat(answer.handle((a, failure) -> true).get(10, TimeUnit.SECONDS)).isTrue();
  }

  // ---- steps

  private void enrollKitchen() throws Exception {
    EnrollmentCode code =
        identity.devices().add(KITCHEN, Duration.ofHours(1)).get(10, TimeUnit.SECONDS);
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair keys = generator.generateKeyPair();
    byte[] request =
        new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=kitchen"), keys.getPublic())
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()))
            .getEncoded();
    assertThat(identity.enrollment().redeem(code.secret(), request).get(10, TimeUnit.SECONDS))
        .isInstanceOf(Redemption.Answered.class);
    Actions actions =
        Actions.newBuilder()
            .addActions(
                Action.newBuilder()
                    .setName("echo")
                    .addParameters(
                        Parameter.newBuilder().setName("text").setType(ParameterType.STRING)))
            .addActions(
                Action.newBuilder()
                    .setName("set")
                    .addParameters(
                        Parameter.newBuilder()
                            .setName("level")
                            .setType(ParameterType.INTEGER)
                            .setRequired(true)
                            .setMinimum(0)
                            .setMaximum(100)))
            .addActions(Action.newBuilder().setName("print").setAcceptsBody(true))
            .build();
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(actions.toByteArray());
    identity.devices().declareActions(KITCHEN, actions, hash).get(10, TimeUnit.SECONDS);
  }

  /** What a session does on behalf of the device. */
  private void end(String id, byte[] body) throws Exception {
    commands.handOver(KITCHEN, Set.of(), 16).get(10, TimeUnit.SECONDS);
    for (State state : List.of(State.DELIVERED, State.RUNNING, State.SUCCEEDED)) {
      boolean last = state == State.SUCCEEDED;
      Update.Builder update = Update.newBuilder().setCommandId(id).setState(state);
      if (last) {
        update.putResult("text", "done").setHasBody(body.length > 0).setBodyBytes(body.length);
      }
      commands
          .update(KITCHEN, update.build(), last && body.length > 0 ? body : null)
          .get(10, TimeUnit.SECONDS);
    }
  }

  private HttpRequest.Builder plain(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + server.address().getPort() + path))
        .timeout(Duration.ofSeconds(30));
  }

  private HttpRequest.Builder authorized(String path) {
    return plain(path).header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> get(String path) throws Exception {
    return send(authorized(path).GET());
  }

  private HttpResponse<byte[]> delete(String path) throws Exception {
    return send(authorized(path).DELETE());
  }

  private HttpResponse<byte[]> post(String path, String body) throws Exception {
    HttpRequest.Builder request = authorized(path).POST(BodyPublishers.ofString(body));
    return send(body.isEmpty() ? request : request.header("Content-Type", "application/json"));
  }

  private HttpResponse<byte[]> postCommand(String body) throws Exception {
    return post("/v1/devices/kitchen/commands", body);
  }

  private HttpResponse<byte[]> postOnce(String key, String body) throws Exception {
    return send(
        authorized("/v1/devices/kitchen/commands")
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .POST(BodyPublishers.ofString(body)));
  }

  private HttpResponse<byte[]> multipart(byte[]... parts) throws Exception {
    List<byte[]> all = new ArrayList<>(List.of(parts));
    all.add("--xyz--\r\n".getBytes());
    return send(
        authorized("/v1/devices/kitchen/commands")
            .header("Content-Type", "multipart/form-data; boundary=xyz")
            .POST(BodyPublishers.ofByteArrays(all)));
  }

  private static byte[] part(String name, String filename, byte[] content) throws IOException {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    String head =
        "--xyz\r\nContent-Disposition: form-data; name=\""
            + name
            + "\""
            + (filename.isEmpty() ? "" : "; filename=\"" + filename + "\"")
            + "\r\n\r\n";
    out.write(head.getBytes());
    out.write(content);
    out.write("\r\n".getBytes());
    return out.toByteArray();
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
    HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
    CONTRACT.check(answer);
    return answer;
  }

  private static JsonNode json(HttpResponse<byte[]> answer) throws IOException {
    return Json.MAPPER.readTree(answer.body());
  }

  private static void assertProblem(HttpResponse<byte[]> answer, int status, String code)
      throws IOException {
    assertThat(json(answer).path("code").asText()).as(json(answer).toString()).isEqualTo(code);
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
  }
}
