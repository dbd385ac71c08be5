package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.State;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.command.Commands;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Secret parts of commands in the API, and what each token opens. */
class SecretsApiTest {

  private static final OpenApiContract CONTRACT = new OpenApiContract();
  private static final DeviceId KITCHEN = new DeviceId("kitchen");
  private static final String COMMANDS = "/v1/devices/kitchen/commands";
  private static final String WITH_PIN =
      "{\"action\":\"unlock\",\"args\":{\"pin\":\"hunter2\",\"door\":\"front\"},\"secret\":[\"pin\"]}";

  @TempDir private Path folder;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private Database database;
  private Commands commands;
  private ApiServer server;
  private String admin;
  private String operator;

  @BeforeEach
  void start() throws Exception {
    InstantSource clock = InstantSource.system();
    database = Database.open(folder);
    Identity identity =
        Identity.open(database, clock, () -> new Advertised("127.0.0.1", 3478, 5349));
    commands = Commands.open(database, identity.devices()::find, clock);
    identity.devices().add(KITCHEN, Duration.ofHours(1)).get(10, TimeUnit.SECONDS);
    server =
        ApiServer.start(
            new ApiConfig(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), false),
            new ApiServer.Parts(
                commands,
                commands::submit,
                Optional.of(commands.groups()),
                identity.devices(),
                Optional.of(identity.devices()),
                id -> Optional.empty(),
                (id, server, deadline) -> WakeRequests.Outcome.WAKING,
                Optional.empty(),
                Optional.empty(),
                text -> {},
                () -> true,
                Tokens.openOrCreate(folder, new SecureRandom()),
                clock));
    admin = Files.readString(folder.resolve("admin.token")).strip();
    operator = Files.readString(folder.resolve("operator.token")).strip();
  }

  @AfterEach
  void stop() {
    server.close();
    commands.close();
    database.close();
  }

  @Test
  void makesTwoTokensThatOnlyTheirOwnerReads() throws Exception {
    for (String file : Set.of("admin.token", "operator.token")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
          .isEqualTo("rw-------");
    }
    assertThat(operator).hasSize(43).isNotEqualTo(admin);
  }

  @ParameterizedTest
  @CsvSource({
    "GET,    /v1/devices,                     200",
    "GET,    /v1/commands,                    200",
    "GET,    /metrics,                        200",
    "POST,   /v1/devices/kitchen/commands,    201",
    "POST,   /v1/devices/kitchen/wakes,       202",
    "DELETE, /v1/commands/01ARZ3NDEKTSV4RRFFQ69G5FAV, 404",
    "POST,   /v1/devices,                     403",
    "POST,   /v1/devices/kitchen/revocation,  403",
    "PUT,    /v1/application-servers/7,       403",
    "POST,   /v1/keys/rotation,               403",
    "DELETE, /v1/anything-of-a-later-version, 403",
  })
  void givesTheOperatorCommandsAndNotTheFleet(String method, String path, int status)
      throws Exception {
    String body = path.endsWith("commands") ? "{\"action\":\"echo\"}" : "{}";
    HttpResponse<byte[]> answer =
        send(
            request(path, operator)
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body)));

    assertThat(answer.statusCode()).isEqualTo(status);
    if (status == 403) {
      assertThat(json(answer).path("code").asText()).isEqualTo("admin-needed");
    }
  }

  @Test
  void showsSecretsToTheAdminWhoAsksAndToNobodyElse() throws Exception {
    HttpResponse<byte[]> accepted = post(admin, WITH_PIN);
    String path = "/v1/commands/" + json(accepted).path("id").asText();

    assertThat(text(accepted)).contains("\"pin\":\"(secret)\"").doesNotContain("hunter2");
    assertThat(json(accepted).path("secret").toString()).isEqualTo("[\"pin\"]");
    assertThat(text(get(admin, path))).doesNotContain("hunter2");
    assertThat(text(get(admin, "/v1/commands"))).doesNotContain("hunter2");
    assertThat(text(get(admin, path + "?secrets=show"))).contains("\"pin\":\"hunter2\"");
    HttpResponse<byte[]> refused = get(operator, path + "?secrets=show");
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(json(refused).path("code").asText()).isEqualTo("admin-needed");
    assertThat(json(get(admin, path + "?secrets=yes")).path("code").asText())
        .isEqualTo("parameter-invalid");

    send(request(path, operator).DELETE());
    assertThat(text(get(admin, path + "?secrets=show"))).doesNotContain("hunter2");
  }

  @Test
  void givesASecretResultBodyToTheAdminOnly() throws Exception {
    HttpResponse<byte[]> accepted =
        send(
            request(COMMANDS, operator)
                .header("Content-Type", "multipart/form-data; boundary=xyz")
                .POST(
                    BodyPublishers.ofString(
                        "--xyz\r\nContent-Disposition: form-data; name=\"command\"\r\n\r\n"
                            + "{\"action\":\"echo\",\"secretBody\":true}\r\n"
                            + "--xyz\r\nContent-Disposition: form-data; name=\"body\";"
                            + " filename=\"b\"\r\n\r\nhunter2\r\n--xyz--\r\n")));
    String id = json(accepted).path("id").asText();
    commands
        .update(
            KITCHEN,
            Update.newBuilder().setCommandId(id).setState(State.SUCCEEDED).build(),
            new byte[] {7})
        .get(10, TimeUnit.SECONDS);

    String path = "/v1/commands/" + id;
    assertThat(json(get(operator, path)).path("secretResultBody").asBoolean()).isTrue();
    assertThat(json(get(operator, path + "/body")).path("code").asText()).isEqualTo("admin-needed");
    assertThat(get(admin, path + "/body").body()).containsExactly(7);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'action':'a','args':{'pin':'hunter2'},'secret':['pn']}"
            + "| secret: pn (expected one of the arguments pin)",
        "{'action':'a','secret':['pin']} | secret: pin (expected none: the command has no"
            + " arguments)",
        "{'action':'a','args':{'pin':'hunter2'},'secret':'pin'}"
            + "| secret: not a list (expected the names of secret arguments, such as [\"pin\"])",
        "{'action':'a','args':{'pin':['hunter2']},'secret':['pin']}| args.pin: a JSON array"
            + " (expected a string; numbers and truth values too are written as strings)",
        "{'action':'a','secretBody':true}| secretBody: true (expected a body with it:"
            + " multipart/form-data with the part body)",
        "{'action':'a','secretBody':'x'} | secretBody: \"x\" (expected true or false)",
        "{'action':'a','args':{'pin':hunter2}} | body: not JSON at line 1, column 29 (expected a"
            + " JSON object)",
      })
  void refusesWithoutQuotingASecret(String body, String detail) throws Exception {
    HttpResponse<byte[]> answer = post(admin, body.replace('\'', '"'));

    assertThat(json(answer).path("detail").asText()).isEqualTo(detail);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(text(answer)).doesNotContain("hunter2");
  }

  private HttpRequest.Builder request(String path, String token) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + server.address().getPort() + path))
        .timeout(Duration.ofSeconds(30))
        .header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> get(String token, String path) throws Exception {
    return send(request(path, token).GET());
  }

  private HttpResponse<byte[]> post(String token, String body) throws Exception {
    return send(
        request(COMMANDS, token)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request) throws Exception {
    HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
    if (!answer.request().uri().getPath().startsWith("/v1/a")
        && !answer.request().uri().getPath().startsWith("/v1/keys")) {
      CONTRACT.check(answer);
    }
    return answer;
  }

  private static String text(HttpResponse<byte[]> answer) {
    return new String(answer.body(), StandardCharsets.UTF_8);
  }

  private static JsonNode json(HttpResponse<byte[]> answer) throws Exception {
    return Json.MAPPER.readTree(answer.body());
  }
}
